"""Is it what was kept? Compared by SHA-256, wherever a blob is read to its end."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import BlobDamaged, BlobGone


@contextmanager
def missing_is_gone() -> Iterator[None]:
    """For what reads: BlobGone in the place of FileNotFoundError."""
    try:
        yield
    except FileNotFoundError as missing:
        raise BlobGone("The file of this picture is gone, and does not come back.") from missing


def check_content(content: bytes, sha256: str | None) -> None:
    """Raises BlobDamaged; None is like every content."""
    if sha256 is not None:
        _check(hashlib.sha256(content).hexdigest(), sha256)


def check_file(path: Path, sha256: str) -> None:
    """Reads all of it, a part at a time. Raises BlobDamaged, OSError."""
    with path.open("rb") as file:
        _check(hashlib.file_digest(file, "sha256").hexdigest(), sha256)


def _check(found: str, sha256: str) -> None:
    if found != sha256:
        raise BlobDamaged("The file of this picture is damaged, and is not handed out.")
