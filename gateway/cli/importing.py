"""A single file on its way into the data folder: recognized, converted aside, put in place when it is whole."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console

from gateway.settings import child_environment
from models import Family, RequestInvalid, WeightsRejected
from models.process.conversion import Converted, Step, converting
from models.single_file import Checkpoint, Prediction, read_header, recognize

RECEIPT = "converted.json"  # in each folder that was made here: from which file
ASIDE = ".converting-"  # what a killed conversion leaves starts so
NAMES = {Family.SD1: "SD 1.x", Family.SD2: "SD 2.x", Family.SDXL: "SDXL"}
ROOM_BYTES = 16 << 20  # beside the weights: vocabularies and configuration


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Only one conversion at a time puts folders on `folder`; what killed ones left there is cleared away.

    Raises:
        RequestInvalid: another one is at work.
    """
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RequestInvalid("Another `pinxit models add` is converting; wait for it.") from None
        for rubbish in folder.glob(f"{ASIDE}*"):
            shutil.rmtree(rubbish, ignore_errors=True)  # its program may still be writing, not for long
        yield


def take_in(
    file: Path, folder: Path, *, prediction: Prediction | None, taken: Sequence[Path], console: Console
) -> None:
    """Convert `file` into `folder`; `taken` are the folders that models of the catalogue live in.

    Raises:
        RequestInvalid: there is a folder of that name that was not made here, or the disk has no room.
        WeightsRejected: the file is no checkpoint of ours. Then, as after a kill, `folder` is as it was before.
    """
    started = time.perf_counter()
    checkpoint = recognize(file.name, read_header(file), prediction=prediction)
    console.print(_found(file, checkpoint))
    _check_place(folder, taken, needed=sum(form.size_bytes for form in checkpoint.tensors.values()))
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=folder.parent))
    try:
        made = _converted(
            converting(file, aside, prediction=prediction, environment=child_environment()), console=console
        )
        (aside / RECEIPT).write_bytes(msgspec.json.encode({"file": file.name, "sha256": made.sha256}))
        _open_to_readers(aside)
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
    except OSError as wrong:
        raise WeightsRejected(f"{file.name} could not be converted: {wrong}") from wrong
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    if made.left_behind:
        console.print(
            f"left behind  {len(made.left_behind)} tensors that no part takes, such as {made.left_behind[0]!r}"
        )
    seconds = time.perf_counter() - started
    console.print(f"converted  {_gigabytes(made.size_bytes)} in {seconds:.0f} s, sha256 {made.sha256}")


def _check_place(folder: Path, taken: Sequence[Path], *, needed: int) -> None:
    """A folder that was made here and has no card is left from a run that was stopped in its last moment."""
    is_ours = (folder / RECEIPT).is_file() and not any(path.resolve() == folder.resolve() for path in taken)
    if folder.exists() and not is_ours:
        raise RequestInvalid(f"There is a folder {folder.name!r} among the models already; choose another --id.")
    free = shutil.disk_usage(folder.parent).free
    if free < needed + ROOM_BYTES:
        raise RequestInvalid(
            f"The data folder has {_gigabytes(free)} of room; the model takes {_gigabytes(needed + ROOM_BYTES)}."
        )


def _open_to_readers(folder: Path) -> None:
    """As files usually are: a temporary folder, and what safetensors writes, is its maker's alone."""
    folder.chmod(0o755)
    for entry in folder.rglob("*"):
        entry.chmod(0o755 if entry.is_dir() else 0o644)


def _converted(steps: Generator[Step, None, Converted], *, console: Console) -> Converted:
    """Run the conversion to its end, showing what it does. Raises WeightsRejected."""
    with console.status("starting") as line:
        try:
            while True:
                step = next(steps)
                line.update(f"{step.what} ({_gigabytes(step.size_bytes)})")
        except StopIteration as finished:
            made: Converted = finished.value
            return made
        finally:
            steps.close()


def _found(file: Path, checkpoint: Checkpoint) -> str:
    """One line: what the file is."""
    usual = " (usual for its kind; --prediction overrules)" if checkpoint.is_assumed else ""
    types = sorted(
        {form.dtype for name, form in checkpoint.tensors.items() if name.startswith("model.diffusion_model.")}
    )
    parts = (
        NAMES[checkpoint.family] + (" for inpainting" if checkpoint.is_inpainting else ""),
        f"{checkpoint.prediction}{usual}" + (", zero-terminal SNR" if checkpoint.has_zero_snr else ""),
        str(checkpoint.native),
        f"{_gigabytes(file.stat().st_size)} ({', '.join(types)})",
    )
    return f"found  {', '.join(parts)}"


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.2f} GB"
