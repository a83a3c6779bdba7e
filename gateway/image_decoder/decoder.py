"""The decoder seen from outside: a process for each picture, of which only a few run at a time."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import msgspec
import structlog

from gateway.cancellation import unbroken
from gateway.image_decoder.containers import ImageInvalid, container_of
from gateway.image_decoder.fair_slots import FairSlots
from models import MAX_INIT_PIXELS, MAX_SIDE, MIN_SIDE, Failed, ImageSize

CHILD = Path(__file__).with_name("child.py")
# It needs nothing of ours, so it inherits nothing; a proxy or a key in the environment is nobody's business in there.
ENVIRONMENT: Mapping[str, str] = {"PATH": os.defpath}
AT_ONCE = 2  # each may take `MEMORY_BYTES` of the child
PATIENCE_S = 30.0  # for one whose processor time the kernel bounds at 5 s: a busy machine is not the picture's fault
MAX_RATIO = MAX_SIDE // MIN_SIDE

log = structlog.get_logger()


class DecoderStopped(Failed):
    """The process that reads pictures could not be started, or got no time to do its work."""

    code: ClassVar[str] = "overloaded"
    retryable: ClassVar[bool] = True


class MaskRule(StrEnum):
    """Where a mask lets be painted: every surface has its own convention, and must say which."""

    HOLES_OR_WHITE = "holes or white"
    """Transparent; if nothing in it is, white. OpenAI's, and our own."""
    OPAQUE_OR_WHITE = "opaque or white"
    """Opaque, if any of it is transparent; else white. A1111's."""
    WHITE = "white"
    """White and opaque. Replicate's, and diffusers'."""
    HOLES = "holes"
    """Transparent alone: the mask of a picture that brings its own."""
    INVERTED_OPAQUE_OR_WHITE = "inverted opaque or white"
    """The other way round."""


PICTURE = "picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """RGB bytes, row by row, of a picture that was `given` in its own size, both upright. `has_holes`: some of what was
    given is rather transparent than opaque."""

    size: ImageSize
    given: ImageSize
    rgb: bytes
    has_holes: bool = False


class _Answer(msgspec.Struct, frozen=True):
    refused: str | None = None
    given: tuple[int, int] = (0, 0)
    kept: tuple[int, int] = (0, 0)
    has_holes: bool = False


class ImageDecoder:
    """Reads PNG, JPEG, WebP and AVIF files that come from anybody."""

    def __init__(self) -> None:
        self._slots = FairSlots(AT_ONCE)

    async def read(self, content: bytes, *, account: str = "") -> Pixels:
        """The first and only picture of the file, upright, in the colours that its numbers say, transparent parts white.

        What no painting can use is left out: the short side is at most the longest that we paint, the other at most
        `MAX_RATIO` times it. Accounts take turns where many pictures are to be read; strangers are one of them.

        Raises:
            ImageInvalid: another form, damage, several pictures, too many pixels, or bytes behind its end.
            DecoderStopped: not the picture's fault.
        """
        return await self._read(content, PICTURE, field="image", account=account)

    async def read_mask(self, content: bytes, rule: MaskRule, *, account: str = "") -> Pixels:
        """Likewise of a mask: grey, white where `rule` says that it lets be painted. Raises as `read`."""
        return await self._read(content, rule, field="mask", account=account)

    async def _read(self, content: bytes, read_as: str, *, field: str, account: str) -> Pixels:
        container = container_of(content, field=field)
        async with self._slots.slot(account):
            said = await _answer_of(content, read_as, container)
            if said is None:  # killed, and nobody knows whether for the picture or for memory that others needed
                said = await _answer_of(content, read_as, container)
        line, _, rgb = (said or b"").partition(b"\n")
        answer = msgspec.json.decode(line, type=_Answer) if line else _Answer(refused="could not be read")
        if answer.refused is not None:
            raise ImageInvalid(f"`{field}` {answer.refused}.", field=field)
        width, height = answer.kept
        return Pixels(
            size=ImageSize(width=width, height=height),
            given=ImageSize(width=answer.given[0], height=answer.given[1]),
            rgb=rgb,
            has_holes=answer.has_holes,
        )


async def _answer_of(content: bytes, read_as: str, container: str) -> bytes | None:
    """All that the child said; nothing when it died of the picture, None when it was killed.

    Raises:
        DecoderStopped.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(CHILD), read_as, container),
            *map(str, (MAX_INIT_PIXELS, MAX_SIDE, MAX_RATIO)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=ENVIRONMENT,
            start_new_session=True,  # Ctrl-C in a terminal is the parent's to handle
        )
    except OSError as wrong:
        raise DecoderStopped("There is no room to read a picture now; try again in a few seconds.") from wrong
    try:
        async with asyncio.timeout(PATIENCE_S):
            said, _ = await child.communicate(content)
    except TimeoutError:
        raise DecoderStopped("Reading the picture took too long; try again in a few seconds.") from None
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await unbroken(_gone(child))
    if child.returncode != 0:
        log.warning("a picture ended its decoder", status=child.returncode, form=container, size_bytes=len(content))
    if child.returncode == -signal.SIGKILL:
        return None
    return said if child.returncode == 0 else b""


async def _gone(child: asyncio.subprocess.Process) -> None:
    await child.wait()
