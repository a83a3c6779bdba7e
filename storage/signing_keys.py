"""Keys that sign addresses, in a file of the data folder: one a line, the newest first. Its owner alone may read it.

To change the key, put a new line above the others and start again; delete the lines below when their addresses may end.
"""

import os
from collections.abc import Callable
from pathlib import Path


def read_or_make_keys(file: Path, new_key: Callable[[], str]) -> tuple[bytes, ...]:
    """The keys of the file, which is made with one key where there is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return tuple(line.strip() for line in file.read_bytes().splitlines() if line.strip())
    key = new_key()
    with os.fdopen(handle, "w") as opened:
        opened.write(f"{key}\n")
        opened.flush()
        os.fsync(opened.fileno())
    return (key.encode(),)
