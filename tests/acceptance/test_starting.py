"""A start that cannot succeed is one line that names the setting, and what a client needs stops no command."""

import json
import os
import pty
import socket
import subprocess

import pytest
from plugins.installation import PINXIT, Home

from gateway.settings import load_settings
from models import SettingInvalid
from models.process.cuda import why_no_cuda

CLIENTS = {"API_KEY": "px_live_x", "BASE_URL": "http://127.0.0.1:8000", "PROFILE": "shop", "KEY": "px_live_x"}
SECRET = "hush-hush-hush-hush"
STARTS = ("serve",), ("keys", "list"), ("generate", "a red boat", "-o", "boat.png"), ("audit", "list")


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def stopped(home, *arguments, **settings):
    """The one line that a command ends with."""
    ended = home.command(*arguments, **settings)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    lines = [line for line in ended.stderr.splitlines() if not line.startswith(("warning:", "2"))]
    assert len(lines) == 1, ended.stderr
    assert SECRET not in ended.stdout + ended.stderr
    return lines[0]


def test_the_variables_of_clients_stop_no_command(home):
    assert home.command("--version", **CLIENTS).stdout.startswith("pinxit 0")
    assert home.command("keys", "create", "--account", "anna", **CLIENTS).returncode == 0
    assert home.command("models", "list", **CLIENTS).returncode == 0
    assert "PINXIT_API_KEYS is not a setting" in stopped(home, "models", "list", API_KEYS="x")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"mysql://u:{SECRET}@h/d", "must look like postgresql://user:password@host/name"),
        (f"postgres://u:{SECRET}@127.0.0.1:port/d", "Port could not be cast"),
        (f"postgres://u:{SECRET}@127.0.0.1/d?sslmood={SECRET}", "'sslmood' is not one of"),
        (f"postgres://u:{SECRET}@[::1/d", "Invalid IPv6 URL"),
        ("postgres://localhost", "must look like"),
    ],
)
def test_a_database_url_that_cannot_be_meant_is_named_without_its_secrets(url, said):
    with pytest.raises(SettingInvalid, match="PINXIT_DATABASE_URL: ") as wrong:
        load_settings(database_url=url)
    assert said in wrong.value.message
    assert SECRET not in wrong.value.message
    assert "(got " in wrong.value.message


def test_every_way_to_write_a_postgresql_url_is_taken():
    for scheme in ("postgres", "postgresql", "postgresql+asyncpg"):
        settings = load_settings(database_url=f"{scheme}://u@h/d?sslmode=require")
        assert settings.database == "postgresql+asyncpg://u@h/d?ssl=require"


def test_a_database_that_does_not_answer_or_refuses_is_one_line(home, postgresql):
    said = stopped(home, "serve", PORT=0, DATABASE_URL=f"postgres://u:{SECRET}@127.0.0.1:1/d")
    assert said.startswith("pinxit: PINXIT_DATABASE_URL: postgresql+asyncpg://u:***@127.0.0.1:1/d cannot be used (")
    other = f"postgres://nobody:{SECRET}@127.0.0.1:{postgresql.port}/pinxit"
    assert 'role "nobody" does not exist' in stopped(home, "keys", "list", DATABASE_URL=other)


def test_a_data_folder_that_cannot_be_used_is_one_line_for_every_command(home):
    file = home.folder / "file"
    file.write_text("no folder")
    for command in STARTS:
        assert "PINXIT_DATA_DIR: the folder" in stopped(home, *command, DATA_DIR=file / "data")
        assert "PINXIT_DATA_DIR: /proc/pinxit cannot be written" in stopped(home, *command, DATA_DIR="/proc/pinxit")
    foreign = home.folder / "foreign"
    foreign.mkdir()
    (foreign / "pinxit.db").write_text("a file of somebody else, and no database at all")
    for command in (("serve",), ("keys", "list")):
        assert "file is not a database" in stopped(home, *command, DATA_DIR=foreign, PORT=0)


def test_a_store_that_refuses_stops_the_start_in_its_own_words(home, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET}
    for name, value in {**keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ALLOW_HTTP": "1"}.items():
        monkeypatch.setitem(os.environ, name, value)
    said = stopped(home, "serve", PORT=0, BLOB_URL="s3://pictures")
    assert "PINXIT_BLOB_URL: s3://pictures cannot be used (" in said
    assert f"http://127.0.0.1:{port}/pictures/probe/start" in said
    assert "PINXIT_BLOB_URL: file:" in stopped(home, "serve", PORT=0, BLOB_URL="file:///proc/pinxit")


def test_a_port_that_is_taken_and_a_device_that_is_missing_are_one_line(home):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"PINXIT_PORT: cannot listen on 127.0.0.1:{port}" in stopped(home, "serve", PORT=port)
    if why_no_cuda() is not None:
        for command in (("serve",), ("generate", "a red boat", "-o", "boat.png")):
            assert "PINXIT_DEVICE: cuda cannot be used: " in stopped(home, *command, DEVICE="cuda", PORT=0)


def test_a_word_of_the_file_that_nobody_knows_is_guessed(home):
    configs = home.folder / "configs"
    configs.mkdir()
    (configs / "gateway.toml").write_text("max_queud = 5\n")
    said = stopped(home, "keys", "list", CONFIG_DIR=configs)
    assert said == "pinxit: gateway.toml: 'max_queud' is not a setting; did you mean 'max_queued'?"
    (configs / "gateway.toml").write_text("port = 'eighty'\n")
    assert "PINXIT_PORT: " in stopped(home, "keys", "list", CONFIG_DIR=configs)
    assert "PINXIT_CONFIG_DIR: the folder" in stopped(home, "keys", "list", CONFIG_DIR=home.folder / "none")


def test_no_table_folds_an_id_or_a_secret(home, monkeypatch):
    made = home.command("keys", "create", "--account", "anna", "--json").stdout
    monkeypatch.setitem(os.environ, "COLUMNS", "80")
    listed = home.command("keys", "list").stdout
    assert json.loads(made)["id"] in listed
    assert json.loads(made)["webhook_secret"] in home.command("accounts", "show", "anna").stdout
    ours, theirs = pty.openpty()
    narrow = subprocess.Popen(
        [PINXIT, "accounts", "show", "anna"],
        env={**os.environ, "PINXIT_DATA_DIR": str(home.folder / "data"), "COLUMNS": "80"},
        stdout=theirs,
    )
    narrow.wait()
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert json.loads(made)["webhook_secret"] in shown
    assert "│" not in shown
