"""The port to where finished files are kept, under keys such as `gen/<id>/a<attempt>/0.png`."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit


class Blobs(Protocol):
    """Keeps bytes under keys. A key is written once; writing the same again is harmless.

    Every method raises BlobUnavailable when the store fails.
    """

    async def put(self, key: str, content: bytes | Path) -> None:
        """Keep the bytes, or those of the file. Whoever reads finds all of them or nothing, also after a power cut."""

    async def get(self, key: str, *, sha256: str | None = None) -> bytes:
        """All of it. Raises BlobGone; BlobDamaged: what is there does not have this hash."""
        ...

    async def size(self, key: str) -> int | None:
        """How many bytes are under the key, without reading them; None: there is nothing."""
        ...

    def local_path(self, key: str) -> Path | None:
        """The file itself where it lies on this machine, so that it can be sent without reading it."""

    async def checked_path(self, key: str, *, sha256: str) -> Path | None:
        """As `local_path`, for a file that has been read to its end once since it was last changed, and has this hash.

        Raises:
            BlobGone, BlobDamaged; not where files do not lie on this machine.
        """
        ...

    def written_before(self, moment: datetime, prefix: str) -> AsyncIterator[str]:
        """Keys below the prefix, which ends in `/`, of what was written before then, in no order."""
        ...

    async def sweep_unfinished(self, before: datetime) -> int:
        """Remove what writers that died before then had half written, which is under no key; how many that were."""
        ...

    async def delete(self, key: str) -> None:
        """Forget what is under the key or, if that ends in `/`, below it. Nothing there is fine."""


def open_blobs(url: str, *, is_patient: bool = True) -> Blobs:
    """`file:///folder` is a folder of this machine; anything else is an object store that obstore knows.

    Without `is_patient` a store that does not answer is asked twice, not for minutes.

    Raises:
        BlobUnavailable: the store cannot even be named so.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        from storage.local_blobs import LocalBlobs  # noqa: PLC0415 - each adapter brings its own imports

        return LocalBlobs(Path(unquote(parts.path)))
    from storage.cloud_blobs import CloudBlobs  # noqa: PLC0415

    return CloudBlobs(url, is_patient=is_patient)
