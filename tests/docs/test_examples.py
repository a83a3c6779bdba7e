"""The programs of docs/guides, run as they stand against a real server whose painter is the fake engine."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest
from plugins.installation import free_port

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
BLOCK = re.compile(r"^```(sh|python|js|php|ruby|go)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RUN = {
    "sh": ("bash", ["-e"], "sh"),
    "python": (sys.executable, [], "py"),
    "js": ("node", [], "mjs"),
    "php": ("php", [], "php"),
    "ruby": ("ruby", [], "rb"),
    "go": ("go", ["run"], "go"),
}


class Program(NamedTuple):
    """One block of a page."""

    page: str
    line: int
    language: str
    text: str


def programs() -> list[Program]:
    texts = {page.stem: page.read_text() for page in GUIDES}
    return [
        Program(page, text.count("\n", 0, block.start()) + 1, block[1], block[2])
        for page, text in texts.items()
        for block in BLOCK.finditer(text)
    ]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A started server, its key, and a generation that is completed."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    with subprocess.Popen(
        [sys.executable, "-m", "plugins.shell_server", str(folder), str(port)],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            host, key = f"http://127.0.0.1:{port}", server.stdout.readline().strip()
            transport = httpx2.HTTPTransport(retries=20)
            with httpx2.Client(base_url=host, transport=transport, trust_env=False) as http:
                headers = {"Authorization": f"Bearer {key}"}
                painted = http.post("/v1/generate", json={"prompt": "a boat", "seed": 1}, headers=headers).json()
            yield {
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "PINXIT_BASE_URL": host,
                "PINXIT_API_KEY": key,
                "GENERATION_ID": painted["generation_id"],
            }
        finally:
            server.kill()


@pytest.mark.parametrize("program", programs(), ids=lambda one: f"{one.page}:{one.line}:{one.language}")
def test_an_example_runs_and_prints_what_it_shows(
    program: Program, environment: dict[str, str], tmp_path: Path
) -> None:
    command, arguments, ending = RUN[program.language]
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed")
    file = tmp_path / f"example.{ending}"
    file.write_text(
        program.text.replace("order-4711", f"order-{program.line}")
    )  # each language writes JSON its own way
    done = subprocess.run(
        [command, *arguments, file.name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() not in {"", "null", "None", "undefined", "<nil>"}, done.stderr


def test_the_pages_hold_what_their_examples_say() -> None:
    spec = importlib.util.spec_from_file_location("render", ROOT / "docs" / "render.py")
    assert spec is not None
    assert spec.loader is not None
    render = importlib.util.module_from_spec(spec)
    sys.modules["render"] = render  # dataclasses look their module up
    spec.loader.exec_module(render)
    known = render.examples()

    stale = [page.name for page in GUIDES if render.rendered(page.read_text(), known) != page.read_text()]

    assert stale == [], "run `make guides`"
