"""The batch sizes that each group may use: measured once for a model and shape on a device, then kept on disk."""

import hashlib
import logging
from collections.abc import Generator, Hashable
from dataclasses import replace
from pathlib import Path

import msgspec

from models.batching import BatchSizes
from models.child_protocol import Compute
from models.diffusion.canary import CANDIDATES, Calibration, calibrate
from models.diffusion.passes import PassWanted
from models.manifest import Execution

log = logging.getLogger(__name__)

LONE = Calibration(sizes=(1,), ms={})


class Calibrations:
    """Answers from memory, then from `folder`; what neither knows has to be measured.

    `largest` bounds the sizes. `holds_one`: every class must hold size 1, as on a CPU, where batches gain little; then
    a group may paint before it is measured. `compute` FAST takes every size unproven.
    """

    def __init__(self, folder: Path | None, *, largest: int, holds_one: bool, compute: Compute) -> None:
        self._folder = folder
        self._largest = largest
        self._holds_one = holds_one
        self._compute = compute
        self._known: dict[Hashable, Calibration] = {}

    def of(self, wanted: PassWanted) -> Calibration | None:
        """What is known of the group of `wanted`; None: nothing yet."""
        if (settled := self._settled(wanted)) is not None:
            return settled
        if wanted.kernels not in self._known and (kept := self._read(wanted)) is not None:
            self._known[wanted.kernels] = kept
        return self._known.get(wanted.kernels)

    def sizes(self, wanted: PassWanted) -> BatchSizes | None:
        """The sizes that may be used now; None: it has to be measured first."""
        calibration = self.of(wanted)
        if calibration is None:
            return BatchSizes(LONE.sizes) if self._holds_one else None
        return BatchSizes(calibration.sizes, calibration.ms)

    def batch_class(self, wanted: PassWanted) -> int:
        """The smallest proven size; 0 where nothing is proven."""
        if self._compute is Compute.FAST:
            return 0
        calibration = self.of(wanted)
        return 1 if calibration is None else min(calibration.sizes)

    def measure(self, wanted: PassWanted) -> Generator[None, None, None]:
        """Find out and keep it; yields between passes.

        Adapters act with weight 1: one that hardly acts would hide what its layers do.
        """
        model = replace(wanted, adapters=tuple(replace(adapter, weight=1.0) for adapter in wanted.adapters))
        found = yield from calibrate(model, largest=self._largest, holds_one=self._holds_one)
        log.info("batch sizes of %s: %s, milliseconds %s", wanted.model, found.sizes, dict(found.ms))
        self._known[wanted.kernels] = found
        self._write(wanted, found)

    def forgo(self, wanted: PassWanted) -> None:
        """It cannot be measured: one picture a pass until the engine starts anew."""
        self._known[wanted.kernels] = LONE

    def _settled(self, wanted: PassWanted) -> Calibration | None:
        """Where there is nothing to measure."""
        if wanted.pipeline.network.execution is not Execution.STEPS or self._largest == 1:
            return LONE
        if self._compute is Compute.FAST:
            return Calibration(sizes=tuple(size for size in CANDIDATES if size <= self._largest), ms={})
        if wanted.pipeline.batch_sizes:
            return Calibration(sizes=wanted.pipeline.batch_sizes, ms={})
        return None

    def _read(self, wanted: PassWanted) -> Calibration | None:
        if self._folder is None or not (file := self._folder / self._name(wanted)).exists():
            return None
        try:
            return msgspec.json.decode(file.read_bytes(), type=Calibration)
        except msgspec.MsgspecError as wrong:
            log.warning("%s is not readable and is measured again: %s", file.name, wrong)
            return None

    def _write(self, wanted: PassWanted, found: Calibration) -> None:
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / self._name(wanted)
        part = file.with_suffix(".part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
        part.replace(file)

    def _name(self, wanted: PassWanted) -> str:
        """Equal wherever the measurement would be equal."""
        model, *shape = wanted.kernels
        files = [wanted.pipeline.adapters.hashes[adapter.id] for adapter in wanted.adapters]
        decisive = (wanted.pipeline.fingerprint, files, shape, self._largest, self._holds_one)
        return f"{model}-{hashlib.sha256(msgspec.json.encode(decisive)).hexdigest()[:16]}.json"
