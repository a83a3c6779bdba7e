"""How a size is reached: every pair of the contract, with a model that was trained on one area."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from models import UPSCALE_FACTOR, ImageSize, ModelCard, Resampling, SettingInvalid, SizePlan
from models.sampling import Refiner

MUCH = 1.5  # below it a filter loses nothing that an eye would miss, and costs a hundredth


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """What a model paints itself: up to so many `pixels`, sides that are multiples of `step`, the longer at most
    `max_ratio` times the shorter."""

    pixels: int
    step: int
    max_ratio: float

    def holds(self, size: ImageSize) -> bool:
        fits = size.pixels <= self.pixels and max(size.ratio, 1 / size.ratio) <= self.max_ratio
        return fits and size.width % self.step == 0 and size.height % self.step == 0


def plan_size(
    target: ImageSize, card: ModelCard, *, is_upscaled: bool, has_upscaler: bool = False, refiner: Refiner | None = None
) -> SizePlan:
    """Paint `target` itself where the model can, else the bucket that loses least; then enlarge, cover and crop.

    `has_upscaler`: there is a network for what enlarges much; what enlarges little stays a filter's. `refiner` goes over
    what is painted; larger than that only where much is enlarged.

    Raises:
        SettingInvalid: the card's `native_pixels` leave room for no size at all.
    """
    native = Native(pixels=card.native_pixels, step=card.size_multiple, max_ratio=card.max_ratio)
    painted = target if native.holds(target) else _best_bucket(target, native)
    if painted is None:
        raise SettingInvalid(f"{card.id}.toml: `native_pixels` is too small for `size_multiple` {card.size_multiple}.")
    best = Resampling.NETWORK if has_upscaler else Resampling.LANCZOS
    refined = _refined(painted, target, refiner) if refiner else None
    drawn = refined or painted
    enlarging = best if _is_much(drawn, target) else Resampling.LANCZOS
    return SizePlan(
        painted=painted,
        refined=refined,
        target=target,
        resampling=Resampling.NONE if drawn == target else enlarging,
        upscale=UPSCALE_FACTOR if is_upscaled else 1,
        upscale_resampling=best if is_upscaled else Resampling.NONE,
    )


def _refined(painted: ImageSize, target: ImageSize, refiner: Refiner) -> ImageSize | None:
    return painted.times(refiner.scale) if refiner.scale == 1 or _is_much(painted, target) else None


def _is_much(drawn: ImageSize, target: ImageSize) -> bool:
    return max(target.width / drawn.width, target.height / drawn.height) >= MUCH


@lru_cache(maxsize=1024)
def _best_bucket(target: ImageSize, native: Native) -> ImageSize | None:
    """The native size whose picture keeps the most pixels after the crop; of equals the one that crops least."""
    buckets = _buckets(target, native)
    return max(buckets, key=lambda bucket: (_kept_pixels(bucket, target), -bucket.pixels, bucket), default=None)


def _buckets(target: ImageSize, native: Native) -> Iterator[ImageSize]:
    """Every width with the heights that can win: just below and above the target's ratio, and the extremes allowed."""
    step = native.step
    for width in range(step, int((native.pixels * native.max_ratio) ** 0.5) + 1, step):
        below = int(width / target.ratio) // step * step
        tallest = min(native.pixels // width, int(width * native.max_ratio)) // step * step
        flattest = -(-int(width / native.max_ratio) // step) * step
        for height in {below, below + step, tallest, flattest}:
            if height >= step and native.holds(bucket := ImageSize(width=width, height=height)):
                yield bucket


def _kept_pixels(bucket: ImageSize, target: ImageSize) -> float:
    """How many of the bucket's pixels remain when it is cropped to the target's ratio."""
    return bucket.pixels * min(bucket.ratio / target.ratio, target.ratio / bucket.ratio)
