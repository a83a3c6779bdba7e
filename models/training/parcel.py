"""Pack folders into a few files of limited size, and unpack them: how trained parts leave a lent machine.

    python -m models.training.parcel pack W/kept W/starter W/judge W/vae
    python -m models.training.parcel unpack W/kept .

Packing writes `parcel.tar.00`, `parcel.tar.01` and so on, each at most 15 MB; what resumes training (`state.pt`) stays out
unless `--states` is given.
"""

from __future__ import annotations

import argparse
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich import print as show

PART: Final = 15_000_000


def pack(target: Path, sources: Sequence[Path], *, has_states: bool = False) -> int:
    """Pack folders under their own names.

    Returns:
        The number of files written.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for source in sources:
            if source.exists():
                archive.add(source, arcname=source.name, filter=None if has_states else _without_state)
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("parcel.tar.*"):
        old.unlink()
    packed = buffer.getvalue()
    parts = [packed[first : first + PART] for first in range(0, len(packed), PART)]
    for index, part in enumerate(parts):
        (target / f"parcel.tar.{index:02d}").write_bytes(part)
    return len(parts)


def unpack(source: Path, target: Path) -> None:
    """Unpack what `pack` wrote."""
    packed = b"".join(path.read_bytes() for path in sorted(source.glob("parcel.tar.*")))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(target, filter="data")


def _without_state(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if Path(member.name).name in {"state.pt", "state.tmp"} else member


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("pack", "unpack"))
    parser.add_argument("folder", type=Path, help="where the parts of the parcel lie")
    parser.add_argument("paths", type=Path, nargs="+", help="folders to pack, or the one to unpack into")
    parser.add_argument("--states", action="store_true")
    args = parser.parse_args(argv)
    if args.step == "pack":
        show(f"{pack(args.folder, args.paths, has_states=args.states)} files in {args.folder}")
    else:
        unpack(args.folder, args.paths[0])


if __name__ == "__main__":
    main()
