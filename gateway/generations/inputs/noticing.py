"""What of a given picture or its mask does not act as it was sent."""

from models import ImageSize
from models.notices import Notices, changed, ignored


def notices_of_files(*, has_lost_holes: bool, masked_share: float | None) -> Notices:
    """`has_lost_holes`: the picture has transparent parts that are no mask. `masked_share` is the part of it, 0 to 1, that
    its mask lets be painted; None without a mask."""
    holes = (changed("image", "its transparent parts are taken as white."),) if has_lost_holes else ()
    full = (ignored("mask", "it lets everything be painted."),) if masked_share == 1 else ()
    return (*holes, *full)


def notices_of_ratio(given: ImageSize, target: ImageSize) -> Notices:
    """Of a picture in another ratio than the target the centre is used, as much as covers the target. A crop of less than
    a pixel of the target does not count."""
    scale = max(target.width / given.width, target.height / given.height)
    covering = (given.width * scale, given.height * scale)
    across, down = covering[0] - target.width, covering[1] - target.height
    if max(across, down) < 1:
        return ()
    side, share = ("width", across / covering[0]) if across > down else ("height", down / covering[1])
    how = f"it is {given}, another ratio than {target}: {share:.1%} of its {side} is cropped, half at each edge."
    return (changed("image", how),)
