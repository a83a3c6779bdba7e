"""SHA-256 of weights: what a recipe names a model by. Large files are read piece by piece, and each
only once."""

import hashlib
from collections.abc import Generator
from pathlib import Path

from models.catalogue import ModelCard
from models.diffusion.weights.folders import Weights
from models.errors import WeightsRejected
from models.manifest import joint_sha256
from models.scoring import SCORER_FILES

PIECE_BYTES = 128 << 20  # hashed in a tenth of a second where the processor has instructions for it
BLOCK_BYTES = 1 << 20


class Hashes:
    """SHA-256 of files, each read once as long as its size and time of change stay."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int, int], str] = {}

    def of_model(self, weights: Weights, card: ModelCard) -> str:
        """All of `hashing` in one go."""
        return _finish(self.hashing(weights, card))

    def hashing(self, weights: Weights, card: ModelCard) -> Generator[bool, None, str]:
        """Over name and content of every file that decides what the model paints, of the card's
        additions too.

        Yields True before each piece of at most `PIECE_BYTES` that is read.

        Raises:
            WeightsRejected: a file is not there.
        """
        files = {file.relative_to(weights.folder).as_posix(): file for file in weights.files}
        files |= {f"embedding/{word}": file for word, file in card.embeddings.items()}
        if card.vae is not None:
            files |= {f"override/{file.name}": file for file in sorted(card.vae.glob("*")) if file.is_file()}
        if card.scorer is not None:
            files |= {f"scorer/{name}": card.scorer / name for name in SCORER_FILES}
        hashes: dict[str, str] = {}
        for name, file in files.items():
            hashes[name] = yield from self._hashing_file(file)
        return joint_sha256(hashes)

    def of_file(self, file: Path) -> str:
        """In one go. Raises WeightsRejected: it is not there."""
        return _finish(self._hashing_file(file))

    def _hashing_file(self, file: Path) -> Generator[bool, None, str]:
        try:
            status = file.stat()
            key = (file, status.st_size, status.st_mtime_ns)
            if key not in self._known:
                self._known[key] = yield from _digesting(file)
        except OSError as wrong:
            raise WeightsRejected(f"{file.name} cannot be read: {wrong.strerror}.") from None
        return self._known[key]


def _finish(pieces: Generator[bool, None, str]) -> str:
    while True:
        try:
            next(pieces)
        except StopIteration as finished:
            return str(finished.value)


def _digesting(file: Path) -> Generator[bool, None, str]:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        yield True
        while block := content.read(BLOCK_BYTES):
            digest.update(block)
            if content.tell() % PIECE_BYTES == 0:
                yield True
    return digest.hexdigest()
