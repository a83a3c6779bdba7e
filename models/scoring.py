"""Does a picture show what a prompt says? One small network looks at latents, linear heads read the
prompt's state.

A model may bring such a scorer in a folder. The engine then drafts a picture from several noises
and goes on with the best of them (`models/diffusion/painting/candidates.py`). `Looker` alone also
serves training, as critic and as judge.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from models.errors import WeightsRejected

WIDTHS = (32, 64, 128, 192, 256)
COARSE = 4
"""Places a side of what the last layer sees."""
CONFIG, WEIGHTS = SCORER_FILES = ("config.json", "scorer.safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class LookerForm:
    """Of what is looked at: `channels`, and the stride of each layer, which together leave COARSE
    places a side.

    `fields` are the questions about the whole, by name how many answers each has; `places` likewise
    about each place; `subjects` counts what may be shown or not.
    """

    channels: int
    strides: tuple[int, ...]
    fields: Mapping[str, int]
    places: Mapping[str, int]
    subjects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerForm:
    """As `config.json` says it: square latents of `side`, and the prompt's state of `width` at the
    token `place`.

    `unsaid` is the answer, where a field has one, that means "the prompt says nothing of this". The
    first `subjects` answers of the field `subject` are the subjects.
    """

    looker: LookerForm
    side: int
    width: int
    place: int
    unsaid: Mapping[str, int]
    subject: str

    def __post_init__(self) -> None:
        """Raises ValueError: the members do not fit each other."""
        fields = self.looker.fields
        if self.side != COARSE * math.prod(self.looker.strides):
            raise ValueError(f"`strides` must leave {COARSE} places a side, not those of {self.side}")
        if not 0 < self.looker.subjects <= fields.get(self.subject, 0):
            raise ValueError("`subject` must be a field that has all `subjects` among its answers")
        if any(not 0 <= answer < fields.get(name, 0) for name, answer in self.unsaid.items()):
            raise ValueError("`unsaid` must name answers of fields")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`log_likelihood`: that the picture shows all that the prompt says. `shows_all`: each part of
    that is what it shows most likely."""

    log_likelihood: float
    shows_all: bool


class Looker(nn.Module):
    """Strided convolutions; one linear head per field, and one that says of each subject whether it
    is shown.

    On the way it says what stands at each place of a grid; the heads see that, too.
    """

    def __init__(self, form: LookerForm) -> None:
        super().__init__()
        self.form = form
        layers: list[nn.Module] = []
        for (before, after), stride in zip(pairwise((form.channels, *WIDTHS)), form.strides, strict=True):
            layers += [nn.Conv2d(before, after, 3, stride=stride, padding=1), nn.GroupNorm(8, after), nn.SiLU()]
            if after >= 128:
                layers += [nn.Conv2d(after, after, 3, padding=1), nn.GroupNorm(8, after), nn.SiLU()]
        self.near, self.far = nn.Sequential(*layers[:-6]), nn.Sequential(*layers[-6:])
        self.places = nn.ModuleDict({name: nn.Conv2d(WIDTHS[-2], count, 1) for name, count in form.places.items()})
        features = WIDTHS[-1] * (COARSE**2 + 1) + sum(form.places.values())
        self.heads = nn.ModuleDict({name: nn.Linear(features, count) for name, count in form.fields.items()})
        self.shows = nn.Linear(features, form.subjects)

    def forward(self, seen: torch.Tensor) -> dict[str, torch.Tensor]:
        """(batch, channels, side, side) to (batch, answers) scores per field, of each place (batch,
        answers, places a side, places a side); `shows` are logits."""
        near = self.near(seen)
        local = {name: head(near) for name, head in self.places.items()}
        far = self.far(near)
        found = [part.amax(dim=(2, 3)) for part in (far, *local.values())]
        features = torch.cat([far.flatten(1), *found], dim=1)
        return {name: head(features) for name, head in self.heads.items()} | {"shows": self.shows(features)} | local


class Scorer(nn.Module):
    """Looks at latents and reads a prompt."""

    def __init__(self, form: ScorerForm) -> None:
        super().__init__()
        self.form = form
        self.looker = Looker(form.looker)
        self.listeners = nn.ModuleDict(
            {name: nn.Linear(form.width, count) for name, count in form.looker.fields.items()}
        )

    @torch.inference_mode()
    def score(self, latents: torch.Tensor, said: torch.Tensor, unwanted: torch.Tensor | None = None) -> Score:
        """Of one picture: (1, channels, height, width), and the states (width,) of prompt and
        negative prompt."""
        side = (self.form.side, self.form.side)
        squared = functional.interpolate(latents.float(), size=side, mode="bilinear", antialias=True)
        seen = {name: scores[0] for name, scores in self.looker(squared).items()}
        parts = [self._part(name, seen[name], said.float()) for name in self.form.looker.fields]
        if unwanted is not None:
            parts.append(self._absent(seen["shows"], unwanted.float()))
        return Score(
            log_likelihood=sum(part.log_likelihood for part in parts), shows_all=all(part.shows_all for part in parts)
        )

    def _part(self, name: str, seen: torch.Tensor, said: torch.Tensor) -> Score:
        """What is said in one field; nothing may be."""
        asked = self.listeners[name](said).softmax(dim=0)
        unsaid = self.form.unsaid.get(name)
        most = int(asked.argmax())
        if unsaid is not None:
            asked[unsaid] = 0.0
        log_likelihood = float((asked * seen.log_softmax(dim=0)).sum())
        return Score(log_likelihood=log_likelihood, shows_all=most in (unsaid, int(seen.argmax())))

    def _absent(self, shows: torch.Tensor, unwanted: torch.Tensor) -> Score:
        """The subject that the negative prompt names, if it names one, is not to be seen."""
        named = int(self.listeners[self.form.subject](unwanted).argmax())
        if named >= self.form.looker.subjects:
            return Score(log_likelihood=0.0, shows_all=True)
        return Score(log_likelihood=float(functional.logsigmoid(-shows[named])), shows_all=bool(shows[named] < 0.0))


def best_of(scores: Sequence[Score]) -> int:
    """The likeliest; the earlier of equals."""
    return max(range(len(scores)), key=lambda number: (scores[number].log_likelihood, -number))


def read_scorer(folder: Path) -> Scorer:
    """In float32 on the processor. Raises WeightsRejected: a file is missing, or does not fit the
    other."""
    try:
        scorer = Scorer(msgspec.json.decode((folder / CONFIG).read_bytes(), type=ScorerForm))
        weights = load_file(folder / WEIGHTS)
        scorer.load_state_dict({name: weight.float() for name, weight in weights.items()})
    except (OSError, msgspec.MsgspecError, SafetensorError, RuntimeError, ValueError) as wrong:
        raise WeightsRejected(f"The scorer in {folder.name} cannot be read: {wrong}") from wrong
    return scorer.eval().requires_grad_(requires_grad=False)
