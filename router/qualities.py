"""What a style file says once for each quality."""

from typing import Annotated, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from models import Quality
from models.spec import MAX_CANDIDATES, MAX_ROUNDS

Value = TypeVar("Value")
Candidates: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_CANDIDATES)]
Rounds: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_ROUNDS)]
Credits: TypeAlias = Annotated[int, Meta(ge=0, le=1000)]


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every table of a style file: frozen, and a member it does not know is refused."""


class PerQuality(Form, Generic[Value], frozen=True, kw_only=True):
    standard: Value
    hd: Value
    ultra: Value

    def of(self, quality: Quality) -> Value:
        return {Quality.STANDARD: self.standard, Quality.HD: self.hd, Quality.ULTRA: self.ultra}[quality]


class CreditsPerQuality(PerQuality[Credits], frozen=True, kw_only=True):
    standard: Credits = 1
    hd: Credits = 1
    ultra: Credits = 2


class CandidatesPerQuality(PerQuality[Candidates], frozen=True, kw_only=True):
    standard: Candidates = 1
    hd: Candidates = 1
    ultra: Candidates = 1


class RefinePerQuality(PerQuality[Rounds], frozen=True, kw_only=True):
    standard: Rounds = 0
    hd: Rounds = 0
    ultra: Rounds = 0
