"""Generated requests against the document: no server error, and no answer that the document does not describe.

schemathesis speaks to a started server whose painter is the fake engine. CI makes a tenth of what a release makes:
`PINXIT_FUZZ_CASES=10000 make test ARGS=tests/fuzz`.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest
from plugins.installation import free_port

ROOT = Path(__file__).resolve().parents[2]
SCHEMATHESIS = "schemathesis==4.32.5"
CASES = int(os.environ.get("PINXIT_FUZZ_CASES", "1000"))
EXAMPLES = CASES // 60  # of each operation; the phases before fuzzing make several hundred of their own
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
OWNER = re.compile(r"\[owner\].*?(?=^\[|\Z)", re.DOTALL | re.MULTILINE)
SMALL = (
    "[owner]\nrank = 5\nmax_side = 512\nmax_images = 1\nmax_batch_items = 3\nupscale = false\ncounts_credits = false\n"
)


class Target(NamedTuple):
    url: str
    key: str
    log: Path


@pytest.fixture(scope="module")
def schemathesis() -> Path:
    """The command in an environment of its own, made once: its dependencies are not ours."""
    folder = ROOT / ".clients" / SCHEMATHESIS.replace("==", "-")
    command = folder / "bin" / "st"
    if not command.exists():
        venv.create(folder, with_pip=True, clear=True, symlinks=True)
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", SCHEMATHESIS]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(folder)
            pytest.skip(f"pip could not install {SCHEMATHESIS}: {done.stderr[-300:]}")
    return command


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server whose owner paints small pictures only: what is asked is fuzzed, not how long painting takes."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    shutil.copytree(ROOT / "configs", folder / "configs")
    plans = folder / "configs" / "plans.toml"
    plans.write_text(OWNER.sub(SMALL, plans.read_text()))
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "PINXIT_CONFIG_DIR": str(folder / "configs"),
        "PINXIT_MAX_QUEUED": "100000",
    }
    log = folder / "log.txt"
    with log.open("w") as written:
        server = subprocess.Popen(
            [sys.executable, "-m", "plugins.shell_server", str(folder), str(port)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
        )
    try:
        assert server.stdout is not None
        server.stdout.readline()
        yield Target(url=f"http://127.0.0.1:{port}", key=server.stdout.readline().strip(), log=log)
    finally:
        server.kill()
        server.communicate()


def test_the_document_tells_the_truth_about_every_answer(schemathesis: Path, target: Target, tmp_path: Path) -> None:
    wait_for(target)
    command = [
        str(schemathesis), "run", f"{target.url}/openapi.json",
        "--header", f"Authorization: Bearer {target.key}",
        "--phases", "examples,coverage,fuzzing",
        "--checks", ",".join(CHECKS),
        "--max-examples", str(EXAMPLES),
        "--seed", "1", "--no-shrink", "--continue-on-failure", "--generation-database", "none",
        "--request-timeout", "60", "--warnings", "off", "--no-color",
    ]  # fmt: skip

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    made = re.search(r"(\d[\d,]*) generated", done.stdout)
    assert made is not None, done.stdout + done.stderr
    print(f"\n{made.group(1)} requests, exit code {done.returncode}")  # noqa: T201
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{target.log.read_text()[-6000:]}"
    assert int(made.group(1).replace(",", "")) >= CASES


def wait_for(target: Target) -> None:
    for _ in range(1200):
        try:
            httpx2.get(f"{target.url}/healthz", trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the server did not start: {target.log.read_text()}")
