"""Was it painted again? Two recipes of one picture held side by side, and the bounds within which
one is believed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec

from models.errors import RequestInvalid
from models.manifest import Recipe
from models.request import MAX_SEED, MAX_SIDE, UPSCALE_FACTOR
from models.spec import MAX_CANDIDATES, MAX_ROUNDS, GenerationSpec

PIXELS = "pixel_sha256"
NOTHING = "none"
BATCH_CLASS = "fingerprint.batch_class"
UNPROVEN = "0"
PROMISES_NOTHING = "0 promises nothing"
# Members that older versions did not write down; what stands in their place then is empty.
LATER = (
    "timesteps",
    "fingerprint.peft",
    "fingerprint.pillow",
    "fingerprint.cudnn",
    "fingerprint.compute_capability",
    "fingerprint.multiprocessors",
    "fingerprint.cublas",
    "fingerprint.kernels",
    "fingerprint.host_cpu",
)
MAX_STEPS = 1000  # every family was trained on so many noise levels
MAX_GUIDANCE_SCALE = 100
MAX_CLIP_SKIP = 24
LEAST_STRENGTH = 0.001
MAX_ADAPTERS = 16
MAX_WEIGHT = 100
MAX_TEXT_CHARACTERS = 20_000  # the caller's 1,500, a style's and an enhancement's words around them
MAX_COVER = 4  # a 1920 x 512 picture cut from a square one throws most of it away; nothing throws more


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One member of two recipes that is not the same, by its dotted name, both values as text for
    people.

    Equal values are there for what they say: a batch class that promises nothing explains other
    pixels by itself.
    """

    member: str
    expected: str
    found: str

    def __str__(self) -> str:
        if self.expected == self.found:
            return f"{self.member}: {self.expected}"
        return f"{self.member}: {self.expected} -> {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One picture painted again. The pixels alone decide; what else differs explains, or does no
    harm."""

    expected_pixel_sha256: str
    pixel_sha256: str
    differences: tuple[Difference, ...]

    @property
    def is_identical(self) -> bool:
        return self.expected_pixel_sha256 == self.pixel_sha256


def compare(recipe: Recipe, again: Recipe) -> Comparison:
    """Hold what was painted `again` against the `recipe` that it followed."""
    return Comparison(
        expected_pixel_sha256=recipe.pixel_sha256,
        pixel_sha256=again.pixel_sha256,
        differences=differences(recipe, again),
    )


def differences(recipe: Recipe, again: Recipe) -> tuple[Difference, ...]:
    """Every member that differs, the pixels first; with other pixels also the batch class where it
    promises nothing.

    What an older version did not write down is not held against it.
    """
    expected, found = dict(_leaves(recipe)), dict(_leaves(again))
    for name in LATER:
        if expected[name] == NOTHING:
            del expected[name], found[name]
    if expected[PIXELS] != found[PIXELS]:
        for side in (expected, found):
            side[BATCH_CLASS] = PROMISES_NOTHING if side[BATCH_CLASS] == UNPROVEN else side[BATCH_CLASS]
    names = sorted(dict.fromkeys([*expected, *found]), key=lambda name: name != PIXELS)
    pairs = {name: (expected.get(name, NOTHING), found.get(name, NOTHING)) for name in names}
    return tuple(
        Difference(member=name, expected=one, found=other)
        for name, (one, other) in pairs.items()
        if one != other or one == PROMISES_NOTHING
    )


def check_bounds(spec: GenerationSpec) -> None:
    """Refuse what no recipe of ours says: it came from somewhere else, and following it could fill
    the machine.

    Raises:
        RequestInvalid: a number or a text is out of bounds, or half of what belongs together is missing; `field` names it.
    """
    _check_refining(spec)
    if (count := len(spec.all_adapters)) > MAX_ADAPTERS:
        raise RequestInvalid(f"`adapters` names {count}; at most {MAX_ADAPTERS} act.", field="adapters")
    for field, value, low, high in _ranges(spec):
        if not low <= value <= high:
            raise RequestInvalid(f"`{field}` must be between {low} and {high}.", field=field)


def _check_refining(spec: GenerationSpec) -> None:
    """Raises RequestInvalid."""
    painted, refined = spec.size.painted, spec.size.refined
    if (spec.refining is None) != (refined is None):
        raise RequestInvalid("`refining` and `size.refined` stand together or not at all.", field="refining")
    if refined is not None and refined not in (painted, painted.times(2)):
        raise RequestInvalid("`size.refined` must be the painted size or twice its sides.", field="refined")
    if spec.refining is not None and spec.init_image is not None:
        raise RequestInvalid("What starts from a picture is not refined.", field="refining")


def _ranges(spec: GenerationSpec) -> Iterator[tuple[str, float, float, float]]:
    """Name, value and bounds; in an order that never computes with a size before it was checked."""
    painted, target = spec.size.painted, spec.size.target
    yield "painted.width", painted.width, 1, MAX_SIDE * 2
    yield "painted.height", painted.height, 1, MAX_SIDE * 2
    yield "target.width", target.width, 1, MAX_SIDE
    yield "target.height", target.height, 1, MAX_SIDE
    yield "painted", painted.pixels, 1, MAX_SIDE**2
    yield "refined.width", spec.size.drawn.width, 1, MAX_SIDE * 2
    yield "refined.height", spec.size.drawn.height, 1, MAX_SIDE * 2
    yield "refined", spec.size.drawn.pixels, 1, MAX_SIDE**2 * 2
    yield "size", spec.size.covering.pixels, 1, target.pixels * MAX_COVER
    yield "upscale", spec.size.upscale, 1, UPSCALE_FACTOR
    yield "prompt", len(spec.prompt), 0, MAX_TEXT_CHARACTERS
    yield "negative_prompt", len(spec.negative_prompt), 0, MAX_TEXT_CHARACTERS
    yield "seed", spec.seed, 0, MAX_SEED
    yield "num_inference_steps", spec.num_inference_steps, 1, MAX_STEPS
    yield "guidance_scale", spec.guidance_scale, 0, MAX_GUIDANCE_SCALE
    yield "candidate", spec.candidate, 0, MAX_CANDIDATES
    yield "candidates", spec.candidates, 1, MAX_CANDIDATES
    yield "clip_skip", spec.clip_skip, 0, MAX_CLIP_SKIP
    for position, adapter in enumerate(spec.all_adapters):
        yield f"adapters[{position}].weight", adapter.weight, -MAX_WEIGHT, MAX_WEIGHT
    if spec.init_image is not None:
        yield "strength", spec.init_image.strength, 0, 1
    if spec.refining is not None:
        yield "refining.rounds", spec.refining.rounds, 1, MAX_ROUNDS
        yield "refining.strength", spec.refining.strength, LEAST_STRENGTH, 1
        yield "refining.num_inference_steps", spec.refining.num_inference_steps, 1, MAX_STEPS
        yield "refining.guidance_scale", spec.refining.guidance_scale, 0, MAX_GUIDANCE_SCALE


def _leaves(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Every value under its dotted name; a list is one value."""
    members: Mapping[str, object] = msgspec.to_builtins(recipe)
    return _under("", members)


def _under(prefix: str, members: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, Mapping):
            yield from _under(f"{prefix}{name}.", cast("Mapping[str, object]", value))
        else:
            yield f"{prefix}{name}", _shown(value)


def _shown(value: object) -> str:
    """As a person reads it: texts as they are, lists with commas, nothing as `none`."""
    if value in (None, "", (), []):
        return NOTHING
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        entries = cast("Sequence[object]", value)
        return ", ".join(msgspec.json.encode(entry).decode().strip('"') for entry in entries)
    return msgspec.json.encode(value).decode()
