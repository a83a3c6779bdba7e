"""Where the parts of a model are held, and how large a picture goes through the VAE at once: a pure
function of sizes.

Decided from all the memory that the device has, never from what happens to be free: decoding in
tiles changes pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

from models.catalogue import Placing

VAE = "vae"
# Bytes that decoding needs for each pixel and each channel of the decoder's last block, in float32.
# Measured on a CPU with the usual 128 channels: 3,100 bytes a pixel, 24 a channel. On CUDA the
# convolutions want room to work in.
DECODING_COST = {"cpu": 32, "cuda": 48}
# The share of the memory for models that decoding may take beside them.
DECODING_SHARE = {"cpu": 2, "cuda": 3}
SMALLEST_TILE = 256
LARGEST_TILE = 1024
TILE_STEP = 64  # a multiple of what one latent covers, in every family


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`placing` says how the model is held, `grouped` which components come onto the device a layer
    at a time, and `device_bytes` what it takes there at most. Pictures of more than `whole_pixels`
    are encoded and decoded in tiles of `tile` pixels a side."""

    placing: Placing
    grouped: tuple[str, ...]
    device_bytes: int
    whole_pixels: int
    tile: int

    @property
    def manner(self) -> str:
        """How the model is held, as the recipe says it."""
        return f"{self.placing}: {', '.join(self.grouped)}" if self.grouped else str(self.placing)


def plan_placement(
    sizes: Mapping[str, int], *, kind: str, room: int, channels: int, wanted: Placing | None = None
) -> Placement:
    """Choose the quickest way that fits.

    Args:
        sizes: bytes of each component as it is held.
        kind: of the device, cpu or cuda. A CPU's own memory is where models are anyway.
        room: bytes that models may fill on the device.
        channels: of the decoder's last block.
        wanted: the operator's choice, taken unseen.
    """
    placing = wanted or (Placing.WHOLE if kind == "cpu" else _placing(sizes, room))
    others = {name: size for name, size in sizes.items() if name != VAE}
    free = room - sizes.get(VAE, 0)
    grouped: tuple[str, ...] = ()
    if placing is Placing.GROUPS:
        grouped = tuple(name for name, size in others.items() if size > free) or (max(others, key=others.__getitem__),)
    single = max((size for name, size in others.items() if name not in grouped), default=0)
    held = sum(sizes.values()) if placing is Placing.WHOLE else sizes.get(VAE, 0) + single
    whole_pixels = room // DECODING_SHARE[kind] // (DECODING_COST[kind] * channels)
    return Placement(
        placing=placing,
        grouped=grouped,
        device_bytes=held,
        whole_pixels=max(whole_pixels, SMALLEST_TILE**2),
        tile=_tile(whole_pixels),
    )


def notes_on(placement: Placement, *, largest_pixels: int) -> tuple[str, ...]:
    """What people should know, for models that paint up to `largest_pixels`; nothing where all is
    plain."""
    notes: list[str] = []
    if placement.placing is Placing.OFFLOAD:
        notes.append("held in the machine's memory, one component at a time on the device")
    if placement.grouped:
        notes.append(f"{', '.join(placement.grouped)}: held in the machine's memory, a layer at a time on the device")
    if placement.whole_pixels < largest_pixels:
        notes.append(
            f"pictures above {placement.whole_pixels} pixels are encoded and decoded in tiles of {placement.tile} pixels a side"
        )
    return tuple(notes)


def _placing(sizes: Mapping[str, int], room: int) -> Placing:
    """The autoencoder stays on the device always: it is small and wanted at both ends of a
    painting."""
    vae = sizes.get(VAE, 0)
    largest = max((size for name, size in sizes.items() if name != VAE), default=0)
    if sum(sizes.values()) <= room:
        return Placing.WHOLE
    return Placing.OFFLOAD if vae + largest <= room else Placing.GROUPS


def _tile(whole_pixels: int) -> int:
    side = isqrt(whole_pixels) // TILE_STEP * TILE_STEP
    return min(max(side, SMALLEST_TILE), LARGEST_TILE)
