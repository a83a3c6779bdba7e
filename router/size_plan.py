"""How a size is reached: every pair of the contract, with a model that was trained on one area."""

from collections.abc import Iterator

from models import UPSCALE_FACTOR, ImageSize, ModelCard, Resampling, SettingInvalid, SizePlan


def plan_size(target: ImageSize, card: ModelCard, *, is_upscaled: bool) -> SizePlan:
    """Paint `target` itself where the model can, else the bucket that loses least; then enlarge, cover and crop.

    Raises:
        SettingInvalid: the card's `native_pixels` leave room for no size at all.
    """
    painted = target if _is_native(target, card) else _best_bucket(target, card)
    return SizePlan(
        painted=painted,
        target=target,
        resampling=Resampling.NONE if painted == target else Resampling.LANCZOS,
        upscale=UPSCALE_FACTOR if is_upscaled else 1,
        upscale_resampling=Resampling.LANCZOS if is_upscaled else Resampling.NONE,
    )


def _best_bucket(target: ImageSize, card: ModelCard) -> ImageSize:
    """The native size whose picture keeps the most pixels after the crop; of equals the one that crops least."""
    buckets = list(_buckets(target, card))
    if not buckets:
        raise SettingInvalid(f"{card.id}.toml: `native_pixels` is too small for `size_multiple` {card.size_multiple}.")
    return max(buckets, key=lambda bucket: (_kept_pixels(bucket, target), -bucket.pixels, bucket))


def _buckets(target: ImageSize, card: ModelCard) -> Iterator[ImageSize]:
    """Every width with the heights that can win: just below and above the target's ratio, and the extremes allowed."""
    step = card.size_multiple
    for width in range(step, int((card.native_pixels * card.max_ratio) ** 0.5) + 1, step):
        below = int(width / target.ratio) // step * step
        tallest = min(card.native_pixels // width, int(width * card.max_ratio)) // step * step
        flattest = -(-int(width / card.max_ratio) // step) * step
        for height in {below, below + step, tallest, flattest}:
            if height >= step and _is_native(ImageSize(width=width, height=height), card):
                yield ImageSize(width=width, height=height)


def _is_native(size: ImageSize, card: ModelCard) -> bool:
    fits = size.pixels <= card.native_pixels and max(size.ratio, 1 / size.ratio) <= card.max_ratio
    return fits and size.width % card.size_multiple == 0 and size.height % card.size_multiple == 0


def _kept_pixels(bucket: ImageSize, target: ImageSize) -> float:
    """How many of the bucket's pixels remain when it is cropped to the target's ratio."""
    return bucket.pixels * min(bucket.ratio / target.ratio, target.ratio / bucket.ratio)
