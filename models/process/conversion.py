"""A single file's conversion seen from outside: a program of its own, for it needs torch; started
by name, watched."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import IO, TypeAlias

import msgspec

from models.errors import WeightsRejected
from models.process.child import DEFAULTS, SWITCHES
from models.single_file import Prediction

PROGRAM = "models.diffusion.originals.convert"


class Step(msgspec.Struct, frozen=True, tag=True):
    """What the program does now; `size_bytes` of weights are in it."""

    what: str
    size_bytes: int


class Converted(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The end of a conversion. `sha256` is the file's; `left_behind` names tensors that no network
    takes."""

    sha256: str
    size_bytes: int
    left_behind: tuple[str, ...]


class Rejected(msgspec.Struct, frozen=True, tag=True):
    message: str


Word: TypeAlias = Step | Converted | Rejected


def converting(
    file: Path, folder: Path, *, prediction: Prediction | None, environment: Mapping[str, str]
) -> Generator[Step, None, Converted]:
    """Turn `file` into the diffusers folder `folder`, which is there and empty. Closed early, the
    program is killed.

    `environment` is the program's whole environment but for the switches that keep foreign code and
    the network out.

    Raises:
        WeightsRejected: the file is not what it must be, or could not be converted here; what lies in `folder` by
            then is rubbish.
    """
    order = [
        sys.executable,
        "-m",
        PROGRAM,
        str(file.resolve()),
        str(folder.resolve()),
        *([prediction] if prediction else []),
    ]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 - our own program
            order,
            stdout=subprocess.PIPE,
            stderr=said,
            stdin=subprocess.DEVNULL,
            env={**DEFAULTS, **environment, **SWITCHES},
        ) as program,
    ):
        try:
            for line in program.stdout or ():
                word = _heard(line)
                if isinstance(word, Converted):
                    return word
                if isinstance(word, Rejected):
                    raise WeightsRejected(word.message)
                yield word
            raise WeightsRejected(f"{file.name} could not be converted: {_end(program, said)}")
        finally:
            program.kill()


def _heard(line: bytes) -> Word:
    word: Word = msgspec.json.decode(line, type=Word)
    return word


def _end(program: subprocess.Popen[bytes], said: IO[bytes]) -> str:
    """How the program ended, and its last line."""
    status = program.wait()
    said.seek(0)
    last = (said.read().decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    if status == -signal.SIGKILL:
        return "the program was killed (memory may have run out)."
    return f"the program ended with status {status}: {last}"
