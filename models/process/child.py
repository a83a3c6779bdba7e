"""One life of the engine's child: spawned, spoken to over a private socket pair, watched,
killed."""

import asyncio
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Self

import msgspec
import structlog

from models.engine import Phase
from models.process import protocol as wire

# Keep foreign code and the network out, CUDA's sums in one order, log lines prompt.
SWITCHES = {
    "DIFFUSERS_DISABLE_REMOTE_CODE": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "PYTHONUNBUFFERED": "1",
}
# Threads that wait sleep instead of spinning: alone that costs little, but when the machine has
# other work a spinning team is many times slower (measured on two cores beside a busy process: 1.5
# s against 29 s a picture).
DEFAULTS = {"OMP_WAIT_POLICY": "PASSIVE"}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """How long, in seconds, the child may be silent in each phase, and how it is stopped and
    started again.

    `starting_s` is from the process's start to its first word (importing torch from a cold disk);
    `denoising_s` is for one step, `calibrating_s` for the few passes between two beats, each as
    large as they come. After SIGTERM the child has `term_s` before SIGKILL. A caller who leaves
    waits `cancel_s` at most for the child to leave the workspace. The wait before a restart doubles
    from `first_backoff_s` up to `longest_backoff_s`; after `max_failed_starts` in a row those
    waiting fail too. Every `beat_s` the callers hear where they stand, as long as no deadline has
    passed.
    """

    starting_s: float = 120.0
    loading_s: float = 300.0
    calibrating_s: float = 600.0
    encoding_s: float = 60.0
    denoising_s: float = 120.0
    decoding_s: float = 120.0
    upscaling_s: float = 120.0
    term_s: float = 2.0
    cancel_s: float = 2.0
    first_backoff_s: float = 0.1
    longest_backoff_s: float = 30.0
    max_failed_starts: int = 3
    beat_s: float = 2.0

    def silence_s(self, phase: Phase) -> float:
        """The longest silence in `phase`."""
        return {
            Phase.WAITING: self.starting_s,
            Phase.LOADING: self.loading_s,
            Phase.CALIBRATING: self.calibrating_s,
            Phase.ENCODING: self.encoding_s,
            Phase.DENOISING: self.denoising_s,
            Phase.DECODING: self.decoding_s,
            Phase.UPSCALING: self.upscaling_s,
        }[phase]


class Child:
    """A running child. `end` says in words how it ended, once `next_report` has returned None."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        *,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: EngineLimits,
    ) -> None:
        self.end = "It is still running."
        self._process = process
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._phase: Phase | None = Phase.WAITING
        self._patience: asyncio.Timeout | None = None
        self._log_lines = asyncio.create_task(_log_lines(process), name="engine log")

    @classmethod
    async def spawn(cls, entry: str, *, environment: Mapping[str, str], limits: EngineLimits) -> Self:
        """Start `python -m entry DESCRIPTOR`. The child's prints go to our log, never into the
        conversation.

        Raises:
            OSError: the machine has no room for another process.
        """
        ours, theirs = socket.socketpair()
        with ExitStack() as undo, theirs:
            undo.callback(ours.close)  # a child that was spawned meanwhile sees that and ends
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", entry, str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**DEFAULTS, **environment, **SWITCHES},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C in a terminal is the parent's to handle
                limit=wire.MAX_LINE_BYTES,
            )
            reader, writer = await asyncio.open_unix_connection(sock=ours, limit=wire.MAX_LINE_BYTES)
            undo.pop_all()
        return cls(process, reader=reader, writer=writer, limits=limits)

    def send(self, order: wire.Order) -> None:
        """Returns at once; a dead child loses it."""
        self._writer.write(wire.encode(order))

    def expect(self, phase: Phase | None) -> None:
        """From now on the child may be silent as long as `phase` allows; None: it has nothing to
        do."""
        self._phase = phase
        if self._patience is not None:
            self._patience.reschedule(self._deadline())

    async def next_report(self) -> wire.Report | None:
        """What the child says next; None when it has died, has been silent too long or talks
        nonsense."""
        try:
            async with asyncio.timeout_at(self._deadline()) as self._patience:
                line = await self._reader.readline()
            if line:
                return wire.decode_report(line)
            self.end = await self._describe_exit()
        except TimeoutError:
            self.end = f"It was silent for too long in phase {self._phase}."
        except ConnectionError:
            self.end = await self._describe_exit()
        except (ValueError, msgspec.MsgspecError) as wrong:
            log.warning("the engine said something that is no report", reason=str(wrong))
            self.end = "It said something that is no report."
        finally:
            self._patience = None
        return None

    async def kill(self) -> None:
        """SIGTERM, then SIGKILL; returns when the process is gone and its last words are logged."""
        for stop in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                self._process.send_signal(stop)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.term_s):
                    await self._process.wait()
                break
        self._writer.close()
        await asyncio.wait([self._log_lines], timeout=self._limits.term_s)
        self._log_lines.cancel()

    def _deadline(self) -> float | None:
        if self._phase is None:
            return None
        return asyncio.get_running_loop().time() + self._limits.silence_s(self._phase)

    async def _describe_exit(self) -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.term_s):
                status = await self._process.wait()
            return f"It was killed by signal {-status}." if status < 0 else f"It exited with status {status}."
        return "It stopped talking."


async def _log_lines(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None  # noqa: S101 - spawned with a pipe
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:  # longer than the buffer: not worth keeping
            continue
        if not line:
            return
        log.info("engine says", line=line.decode(errors="replace").rstrip())
