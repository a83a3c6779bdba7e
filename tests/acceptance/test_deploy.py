"""`docs/guides/deploy.md`: backup, restore and check are run as they stand; the files of configs/deploy are sound."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from plugins.installation import Home

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guides" / "deploy.md").read_text()


def block(name: str) -> str:
    (found,) = re.findall(rf"^```sh {name}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return found


def run(script: str, folder: Path, **variables: str) -> str:
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3, the command, is not installed")
def test_a_backup_made_as_the_guide_says_is_restored_and_checked(home: Home) -> None:
    server = home.start()
    server.paint(seed=1).raise_for_status()
    run(block("backup"), home.folder)
    server.stop()
    run(block("restore"), home.folder)

    restored = home.start(DATA_DIR=home.folder / "restored")

    checked = run(block("check"), home.folder, PINXIT_BASE_URL=restored.url, PINXIT_API_KEY=home.key)
    assert checked == "-: OK\n"
    restored.stop()


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_takes_the_site(tmp_path: Path) -> None:
    run("openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out pem -days 1 -subj /CN=x 2>/dev/null", tmp_path)
    site = (ROOT / "configs" / "deploy" / "nginx.conf").read_text()
    site = site.replace("/etc/ssl/images.example.com.pem", f"{tmp_path}/pem")
    site = site.replace("/etc/ssl/images.example.com.key", f"{tmp_path}/key")
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; events {{}} http {{ access_log off; {site} }}")
    done = subprocess.run(
        ["nginx", "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_image_installs_before_it_copies_the_sources_and_asks_the_port_that_is_set() -> None:
    stages = (ROOT / "Dockerfile.gpu").read_text().split("\nFROM ")[2:]
    assert len(stages) == 2
    for stage in stages:
        assert stage.index("--dependencies-only") < stage.index("COPY . .") < stage.index("HEALTHCHECK")
        assert "PINXIT_PORT" in stage[stage.index("HEALTHCHECK") :]
