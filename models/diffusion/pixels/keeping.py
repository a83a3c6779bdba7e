"""What of a given picture stays as it is: put back at every size on the way to the delivered one,
byte for byte."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image

from models.diffusion.pixels.framing import Box, delivered_box, drawn_box, framed, rows_of
from models.diffusion.pixels.inputs import read_mask, read_picture
from models.request import KEPT_STRENGTH, ImageSize, InitImage
from models.spec import SizePlan

PAINTED = 128  # the darkest level of a mask that means "paint here"
WEIGHTS = [max(0, round((level - PAINTED + 1) * 255 / PAINTED)) for level in range(256)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """A given picture (RGB) and its mask (L), as large as they were sent, and the plan of the
    painting."""

    picture: Image.Image
    mask: Image.Image
    plan: SizePlan

    @classmethod
    def of(cls, init: InitImage | None, plan: SizePlan, workspace: Path) -> Self | None:
        """None: nothing is to be kept. Raises PaintingBroken: a file is not what it was."""
        if init is None or (init.mask_sha256 is None and init.strength >= KEPT_STRENGTH):
            return None
        picture = read_picture(init, workspace)
        mask = read_mask(init, workspace) if init.strength >= KEPT_STRENGTH else None
        return cls(picture=picture, mask=mask or Image.new("L", picture.size, 0), plan=plan)

    def in_drawn(self, image: Image.Image) -> Image.Image:
        """Put back at the size at which denoising ends."""
        boxes = drawn_box(self.picture, self.plan), drawn_box(self.mask, self.plan)
        return self._restored(image, *boxes, size=self.plan.drawn)

    def in_target(self, image: Image.Image) -> Image.Image:
        """Put back after enlarging, where the given picture is as large as the target: a smaller
        one has nothing more to give, and was enlarged with the painting."""
        boxes = delivered_box(self.picture, self.plan), delivered_box(self.mask, self.plan)
        return self._restored(image, *boxes, size=self.plan.target) if self._reaches(self.plan.target) else image

    def in_rows(self, rows: np.ndarray, top: int) -> np.ndarray:
        """Likewise in rows of the delivered picture, (height, width, 3), from `top` on."""
        delivered, bottom = self.plan.delivered, top + len(rows)
        if not self._reaches(delivered):
            return rows
        boxes = [
            rows_of(delivered_box(given, self.plan), top, bottom, of=delivered.height)
            for given in (self.picture, self.mask)
        ]
        size = ImageSize(width=delivered.width, height=len(rows))
        return np.asarray(self._restored(Image.fromarray(rows), *boxes, size=size))

    def _reaches(self, size: ImageSize) -> bool:
        left, top, right, bottom = delivered_box(self.picture, self.plan)
        return right - left >= size.width and bottom - top >= size.height

    def _restored(self, painted: Image.Image, seen: Box, masked: Box, *, size: ImageSize) -> Image.Image:
        mask = framed(self.mask, masked, size)
        return mixed(painted, framed(self.picture, seen, size), mask)


def mixed(painted: Image.Image, picture: Image.Image, mask: Image.Image) -> Image.Image:
    """`painted` inside the mask, the picture itself, byte for byte, wherever nothing was to be
    painted.

    Grey levels above the middle mix both, so a mask with a soft border gives a soft border, on the
    painted side.
    """
    return Image.composite(painted, picture, mask.point(WEIGHTS))
