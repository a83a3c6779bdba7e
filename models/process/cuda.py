"""Is there a CUDA device? Asked of torch's files and of the driver, since the server process never loads torch."""

import ctypes
import re
from importlib.util import find_spec
from pathlib import Path


def why_no_cuda() -> str | None:
    """Why nothing can be painted on CUDA here; None: a device is there, or only torch itself can know."""
    build = _torch_version()
    if re.search(r"^hip\b.*= *['\"]", build, re.MULTILINE):
        return None
    if not re.search(r"^cuda\b.*= *['\"]", build, re.MULTILINE):
        return "this installation's torch is built without CUDA"
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "there is no CUDA driver (libcuda.so.1)"
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        return "the CUDA driver finds no device"
    return None


def _torch_version() -> str:
    """The file in which torch says what it was built with."""
    found = find_spec("torch")  # finds it, and does not load it
    if found is None or found.origin is None:
        return ""
    return Path(found.origin).with_name("version.py").read_text(encoding="utf-8")
