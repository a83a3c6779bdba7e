"""Other people's clients, each in a folder of its own: they do not fit into one environment, nor into ours.

A folder's name tells what is in it, so it is filled once and kept; it appears whole or not at all.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "tests" / "clients" / "clients.toml"
FOLDERS = ROOT / ".clients"
PATIENCE_S = 300
UNREACHABLE = re.compile(
    r"Connection|Retrying|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|timed out", re.IGNORECASE
)


class RegistryUnreachable(Exception):
    """There is no way to the registry from here, so nothing can be said about the client."""


@dataclass(frozen=True)
class Client:
    """One client in its folder; `run` gives a script nothing but the client, and what it is told by variables."""

    folder: Path
    is_python: bool

    def run(self, script: Path, arguments: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        if self.is_python:
            command = [sys._base_executable, "-S", str(script)]  # -S: no package but those of the folder
            found = {"PYTHONPATH": str(self.folder)}
        else:
            command = ["node", str(self.folder / script.name)]  # node looks for modules beside the script
            shutil.copy(script, self.folder)
            found = {}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **found, **arguments}
        return subprocess.run(
            command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )


def unpacked(name: str) -> Client:
    """The client of that row of the table, installed if it is not there yet.

    Raises:
        RegistryUnreachable.
        FileNotFoundError: its tool (npm, node) is not on this machine.
    """
    row = tomllib.loads(TABLE.read_text())[name]
    packages = row.get("python") or row["npm"]
    key = hashlib.sha256(repr((sys.version_info[:2], packages)).encode()).hexdigest()[:8]
    folder = FOLDERS / f"{name}-{key}"
    if not folder.exists():
        FOLDERS.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDERS, prefix="new-") as new:
            inside = Path(new) / "client"
            inside.mkdir()
            _install(_pip(inside, packages) if "python" in row else _npm(inside, packages))
            inside.rename(folder)
    return Client(folder=folder, is_python="python" in row)


def _pip(folder: Path, packages: Sequence[str]) -> list[str]:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-compile", "--retries", "1"]
    return [sys.executable, "-m", "pip", "install", *quiet, "--target", str(folder), *packages]


def _npm(folder: Path, packages: Sequence[str]) -> list[str]:
    if shutil.which("npm") is None:
        raise FileNotFoundError("npm is not installed")
    return ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *packages]


def _install(command: Sequence[str]) -> None:
    """What cannot be installed although there is a way to the registry is a fault of the table."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if done.returncode:
        if UNREACHABLE.search(done.stderr):
            raise RegistryUnreachable(done.stderr.strip().splitlines()[-1])
        raise AssertionError(done.stderr)
