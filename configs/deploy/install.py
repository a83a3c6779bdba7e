"""Make `.venv` and install Pinxit into it under `constraints.txt`. Standard library only; the Makefile runs it.

    python3 configs/deploy/install.py [--dev] [--without-engine] [--dependencies-only]

A second run with nothing changed reads one stamp and ends. `--dev` adds the tools and the tests' libraries; what is
installed once stays, so `make serve` after `make test` takes nothing away. `--dependencies-only` leaves Pinxit itself
out: an image of a container is built in layers, and the sources come last.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
import venv
from pathlib import Path
from urllib.parse import urljoin

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
CONSTRAINTS = ROOT / "constraints.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"


def main() -> None:
    chosen = _chosen(sys.argv[1:])
    wanted = _wanted_parts(chosen)
    digest = _digest()
    present = _installed_parts(digest)
    if wanted <= present:
        return
    if sys.version_info < (3, 11):  # noqa: UP036 - found out here, before pip words it worse
        sys.exit(f"Pinxit needs Python 3.11 or newer; {sys.executable} is {platform.python_version()}.")
    print("Installing into .venv (once; some minutes, mostly torch) ...", flush=True)
    try:
        _make_environment()
        _install_dependencies(wanted) if chosen.dependencies_only else _install(wanted | present)
    except subprocess.CalledProcessError as failed:
        sys.exit(
            f"The installation stopped: pip ended with {failed.returncode}, see above. Run the same command again."
        )
    if not chosen.dependencies_only:
        STAMP.write_text(json.dumps({"digest": digest, "parts": sorted(wanted | present)}))


def _chosen(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="install.py", description="Make .venv and install Pinxit into it.")
    parser.add_argument(
        "--dev", action="store_true", help="also the tools and libraries of `make check` and `make test`"
    )
    parser.add_argument(
        "--without-engine", action="store_true", help="leave torch out: a gateway whose workers are elsewhere"
    )
    parser.add_argument("--dependencies-only", action="store_true", help="install what Pinxit needs, not Pinxit")
    return parser.parse_args(arguments)


def _wanted_parts(chosen: argparse.Namespace) -> set[str]:
    parts = {"distributed"}
    parts |= set() if chosen.without_engine else {"engine"}
    return parts | ({"dev", "training"} if chosen.dev else set())


def _digest() -> str:
    """Changes when what must be installed changes, or when the folder was moved (a venv does not survive that)."""
    files = (ROOT / "pyproject.toml", CONSTRAINTS, Path(__file__))
    content = b"".join(file.read_bytes() for file in files)
    return hashlib.sha256(content + str(ROOT).encode()).hexdigest()


def _installed_parts(digest: str) -> set[str]:
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return set()
    return set(stamp["parts"]) if stamp["digest"] == digest else set()


def _make_environment() -> None:
    has_ensurepip = importlib.util.find_spec("ensurepip") is not None
    venv.create(VENV, with_pip=has_ensurepip, symlinks=True)
    if not has_ensurepip:  # Debian without python3.11-venv
        _bootstrap_pip()
    _pip("install", "--quiet", "--constraint", str(CONSTRAINTS), "pip")


def _bootstrap_pip() -> None:
    """Fetch pip's own wheel from the package index, check its hash and let it install itself."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    with urllib.request.urlopen(index, timeout=60) as page:
        links = re.findall(r'href="([^"]+)"', page.read().decode())
    link = next((link for link in links if f"/{PIP_WHEEL}" in link), None)
    if link is None:
        sys.exit(
            f"{index} does not offer {PIP_WHEEL}. Install Debian's python3.11-venv and run the same command again."
        )
    with urllib.request.urlopen(urljoin(index, link), timeout=60) as answer:
        wheel = answer.read()
    if hashlib.sha256(wheel).hexdigest() != PIP_SHA256:
        sys.exit(f"{PIP_WHEEL} from {index} does not have the expected hash; nothing was installed.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / PIP_WHEEL
        file.write_bytes(wheel)
        subprocess.run([_python(), f"{file}/pip", "install", "--quiet", "--no-index", str(file)], check=True)


def _install(parts: set[str]) -> None:
    if "engine" in parts:
        _install_torch()
    extras = ",".join(sorted(parts - {"dev"}))
    group = ["--group", f"{ROOT / 'pyproject.toml'}:dev"] if "dev" in parts else []
    _pip("install", "--quiet", "--constraint", str(CONSTRAINTS), "--editable", f"{ROOT}[{extras}]", *group)
    if "engine" in parts:
        _say_which_torch()


def _install_dependencies(parts: set[str]) -> None:
    """As pyproject.toml lists them, without building Pinxit, whose sources need not be there yet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    listed = [*project["dependencies"], *(one for part in sorted(parts - {"dev"}) for one in extras[part])]
    ours = project["name"]
    if "engine" in parts:
        _install_torch()
    _pip("install", "--quiet", "--constraint", str(CONSTRAINTS), *(one for one in listed if not one.startswith(ours)))


def _install_torch() -> None:
    """Take the CPU build where no NVIDIA GPU is: the CUDA one is gigabytes larger.

    pip prefers `2.13.0+cpu` to `2.13.0` and passes over an index it cannot reach; only torch itself may come from
    that index. Where even this fails, the plain index serves.
    """
    torch = ["install", "--quiet" if not sys.stdout.isatty() else "--progress-bar=on", "--no-deps"]
    torch += ["--constraint", str(CONSTRAINTS), "torch"]
    if _wants_cpu_build():
        try:
            return _pip(*torch, "--retries", "1", "--timeout", "15", "--extra-index-url", CPU_INDEX)
        except subprocess.CalledProcessError:
            print(f"{CPU_INDEX} did not serve; taking the plain index's build of torch.", flush=True)
    return _pip(*torch)


def _wants_cpu_build() -> bool:
    has_nvidia = shutil.which("nvidia-smi") is not None or Path("/dev/nvidia0").exists()
    return platform.system() == "Linux" and platform.machine() == "x86_64" and not has_nvidia


def _say_which_torch() -> None:
    """`torch/version.py` alone is read: importing torch takes seconds."""
    ask = (
        "import importlib.util as u, pathlib, runpy;"
        "v = runpy.run_path(str(pathlib.Path(u.find_spec('torch').origin).with_name('version.py')));"
        "print('torch', v['__version__'], f\"(CUDA {v['cuda']} build)\" if v['cuda'] else '(CPU build)')"
    )
    subprocess.run([_python(), "-c", ask], check=True)


def _pip(*arguments: str) -> None:
    command = [_python(), "-m", "pip", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True)


def _python() -> str:
    return str(VENV / "bin" / "python")


if __name__ == "__main__":
    main()
