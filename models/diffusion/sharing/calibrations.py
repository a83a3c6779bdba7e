"""The batch sizes that each group may use: measured once for a model and shape on a device, then
kept on disk."""

import hashlib
import logging
import tempfile
from collections.abc import Generator, Hashable
from dataclasses import replace
from pathlib import Path

import msgspec

from models.batching import BatchSizes
from models.diffusion.sharing.canary import CANDIDATES, calibrate
from models.diffusion.sharing.classes import Calibration
from models.diffusion.steps.passes import PassWanted
from models.manifest import Execution
from models.pass_times import PassTimes
from models.process.protocol import Compute

log = logging.getLogger(__name__)

LONE = Calibration(sizes=(1,), ms={})


class Calibrations:
    """Answers from memory, then from `folder`; what neither knows has to be measured.

    `largest` bounds the sizes. `holds_one`: every class must hold size 1, as on a CPU, where
    batches gain little; then a group may paint before it is measured. `compute` FAST takes every
    size unproven.
    """

    def __init__(self, folder: Path | None, *, largest: int, holds_one: bool, compute: Compute) -> None:
        self._folder = folder
        self._largest = largest
        self._holds_one = holds_one
        self._compute = compute
        self._known: dict[Hashable, Calibration | None] = {}
        self._times: dict[Hashable, PassTimes] = {}

    def of(self, wanted: PassWanted) -> Calibration | None:
        """What is known of the group of `wanted`; None: nothing yet."""
        if (settled := self._settled(wanted)) is not None:
            return settled
        if wanted.kernels not in self._known:
            self._known[wanted.kernels] = self._read(wanted)
        return self._known[wanted.kernels]

    def sizes(self, wanted: PassWanted) -> BatchSizes | None:
        """The sizes that may be used now; None: it has to be measured first."""
        calibration = self.of(wanted)
        if calibration is None:
            return LONE.as_batch_sizes() if self._holds_one else None
        if not calibration.ms:
            return calibration.as_batch_sizes()
        return BatchSizes(calibration.sizes, self._times_of(wanted, calibration).ms())

    def note(self, wanted: PassWanted, size: int, ms: float) -> None:
        """A pass of `size` for the group of `wanted` took `ms`."""
        calibration = self.of(wanted)
        if calibration is not None and size in calibration.ms:
            self._times_of(wanted, calibration).note(size, ms)

    def _times_of(self, wanted: PassWanted, calibration: Calibration) -> PassTimes:
        if wanted.kernels not in self._times:
            self._times[wanted.kernels] = PassTimes(calibration.ms)
        return self._times[wanted.kernels]

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
        found = yield from calibrate(model, candidates=self._candidates(wanted), holds_one=self._holds_one)
        log.info("batch sizes of %s: %s, milliseconds %s", wanted.model, found.sizes, dict(found.ms))
        self._known[wanted.kernels] = found
        self._times.pop(wanted.kernels, None)
        self._write(wanted, found)

    def forgo(self, wanted: PassWanted) -> None:
        """It cannot be measured: one picture a pass until the engine starts anew."""
        self._known[wanted.kernels] = LONE

    def _settled(self, wanted: PassWanted) -> Calibration | None:
        """Where there is nothing to measure."""
        if wanted.pipeline.network.execution is not Execution.STEPS or self._largest == 1:
            return LONE
        if self._compute is Compute.FAST:
            return Calibration(sizes=(1, *self._candidates(wanted)), ms={})
        return None

    def _candidates(self, wanted: PassWanted) -> tuple[int, ...]:
        """The sizes above 1 that come into question: the operator's, where the card names any."""
        sizes = wanted.pipeline.batch_sizes or CANDIDATES
        return tuple(size for size in sizes if 1 < size <= self._largest)

    def _read(self, wanted: PassWanted) -> Calibration | None:
        if self._folder is None:
            return None
        file = self._folder / self._name(wanted)
        try:
            return msgspec.json.decode(file.read_bytes(), type=Calibration)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as wrong:
            log.warning("%s cannot be read and is measured again: %s", file.name, wrong)
            return None

    def _write(self, wanted: PassWanted, found: Calibration) -> None:
        """A folder that takes nothing costs a measurement at the next start, no more."""
        if self._folder is None:
            return
        content = msgspec.json.format(msgspec.json.encode(found), indent=1)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as part:
                part.write(content)
            Path(part.name).replace(self._folder / self._name(wanted))
        except OSError as wrong:
            log.warning("the batch sizes of %s cannot be kept: %s", wanted.model, wrong)

    def _name(self, wanted: PassWanted) -> str:
        """Equal wherever the measurement would be equal."""
        model, *shape = wanted.kernels
        files = [wanted.pipeline.adapters.hashes[adapter.id] for adapter in wanted.adapters]
        decisive = (wanted.pipeline.fingerprint, files, shape, self._candidates(wanted), self._holds_one)
        return f"{model}-{hashlib.sha256(msgspec.json.encode(decisive)).hexdigest()[:16]}.json"
