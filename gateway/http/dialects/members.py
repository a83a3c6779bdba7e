"""What each member of another contract acts on: one table a body, and the rules that hold for all of them.

A body is held against the request that it became. Whatever was sent acts, is refused, or is named in the answer.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, TypeAlias, cast

import msgspec

from gateway.http.reading.lenient import LenientBody
from models import GenerationRequest, ParameterUnsupported, RequestInvalid, notices
from models.notices import Notice, Notices

MAX_NAMED = 20
MAX_NAME_CHARACTERS = 64
# How base64 of PNG, JPEG, WebP and AVIF files begins, and a data URL of any picture.
PICTURES = ("iVBORw0KGgo", "/9j/", "UklGR", "AAAAIGZ0eX", "AAAAHGZ0eX", "data:image/")

Reading = Callable[[object], object]
Test = Callable[[object], bool]


def one_of(*values: object) -> Test:
    """Equal to one of them; what is empty, false or zero counts where an empty text does."""
    return lambda value: value in values or ("" in values and not value)


never = one_of()
empty = one_of("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """It goes into our request at `on`, or into where the painting begins (`image`, `mask`, `strength`). `read` makes of
    it what must stand there, else it was overridden and is named; None: it counts together with others, always.
    `only_with`: it counts beside that member alone, and is named without it unless `is_usual`."""

    on: str
    read: Reading | None = None
    only_with: str | None = None
    is_usual: Test = never


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """It decides how the call is answered or what comes back, not the picture; `only_with` as for `Acts`,
    and `only_without` the other way round."""

    only_with: str | None = None
    only_without: str | None = None
    is_usual: Test = never


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """It changes nothing here. It is named unless `is_usual`: what programs fill in by themselves, or what is so anyway."""

    is_usual: Test = never
    why: str = "there is nothing here that it could change."


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """It would change the picture in a way that cannot be followed here; refused unless `is_off`."""

    why: str
    is_off: Test = empty


Member: TypeAlias = Acts | Answers | Idle | Unsupported
STRANGER = Idle(why="it is not known here.")


def same(value: object) -> object:
    return value


class DialectBody(LenientBody):
    """A body of another contract. `MEMBERS` holds each of that contract's members; `PLACE` is what stands before their
    names where the body lies inside another one, such as `input.`."""

    MEMBERS: ClassVar[Mapping[str, Member]] = {}
    PLACE: ClassVar[str] = ""

    def sent(self) -> Mapping[str, object]:
        """What was sent, by its name."""
        declared = {name: cast("object", getattr(self, name)) for name in self.model_fields_set & set(self.MEMBERS)}
        return {**declared, **{name: value for name, value in (self.model_extra or {}).items() if value is not None}}

    def check_supported(self) -> None:
        """Raises ParameterUnsupported."""
        check_supported(self.sent(), self.MEMBERS, place=self.PLACE)

    def without_effect(self, request: GenerationRequest) -> Notices:
        """Which of the members that were sent do not stand in the request that they became."""
        return tuple(without_effect(self.sent(), self.MEMBERS, request, place=self.PLACE))

    def words(self) -> Mapping[str, str]:
        """Our members' names and what this caller calls them."""
        return {
            **words_of(self.MEMBERS, self.MEMBERS, place=self.PLACE),
            **words_of(self.sent(), self.MEMBERS, place=self.PLACE),
        }


def check_supported(sent: Mapping[str, object], members: Mapping[str, Member], *, place: str = "") -> None:
    """Raises ParameterUnsupported: a member that cannot be followed, or a picture under a name that is not known."""
    for name, value in sent.items():
        member = members.get(name)
        if isinstance(member, Unsupported) and not member.is_off(value):
            raise ParameterUnsupported(f"`{place}{name}` cannot be followed here: {member.why}", field=place + name)
        if member is None and is_picture(value):
            why = "a picture under this name is not taken."
            raise ParameterUnsupported(
                f"`{_short(place + name)}` cannot be followed here: {why}", field=_short(place + name)
            )


def without_effect(
    sent: Mapping[str, object], members: Mapping[str, Member], request: GenerationRequest, *, place: str = ""
) -> Iterator[Notice]:
    """A notice for each member that was sent and changed nothing; of many, the first ones."""
    found = [
        notices.ignored(_short(place + name), why)
        for name, value in sent.items()
        if (why := _why_without_effect(members.get(name, STRANGER), value, sent, request)) is not None
    ]
    yield from found[:MAX_NAMED]
    if len(found) > MAX_NAMED:
        message = f"{len(found) - MAX_NAMED} more members changed nothing."
        yield Notice(code="ignored_parameter", message=message)


def _why_without_effect(
    member: Member, value: object, sent: Mapping[str, object], request: GenerationRequest
) -> str | None:
    match member:
        case Unsupported():
            return None
        case Idle():
            return None if member.is_usual(value) else member.why
        case Acts() | Answers() if member.only_with is not None and not sent.get(member.only_with):
            return None if member.is_usual(value) else f"it counts beside `{member.only_with}` alone."
        case Answers() if member.only_without is not None and sent.get(member.only_without):
            return None if member.is_usual(value) else f"it does not count beside `{member.only_without}`."
        case Acts(read=Callable() as read) if read(value) != cast("object", getattr(request, member.on)):
            return "another member of the call decides it."
        case _:
            return None


def words_of(names: Iterable[str], members: Mapping[str, Member], *, place: str = "") -> Mapping[str, str]:
    """Our members' names and what those of `names` that stand in `members` are called."""
    acting = [(name, member.on) for name in names if isinstance(member := members.get(name), Acts)]
    return {ours: place + name for name, ours in reversed(acting)}


@contextmanager
def in_words(words: Mapping[str, str]) -> Iterator[None]:
    """Whatever is refused inside names the caller's own members: `words` has theirs by ours."""
    try:
        yield
    except RequestInvalid as refused:
        if refused.field is not None:
            theirs = words.get(refused.field.partition("[")[0], refused.field)
            refused.message, refused.field = _translated(refused.message, words), theirs
        raise


def in_their_words(found: Notices, words: Mapping[str, str]) -> Notices:
    """Notices that came from our own members, under the caller's names."""
    return tuple(
        msgspec.structs.replace(
            notice,
            message=_translated(notice.message, words),
            param=None if notice.param is None else words.get(notice.param.partition("[")[0], notice.param),
        )
        for notice in found
    )


def _translated(message: str, words: Mapping[str, str]) -> str:
    for ours, theirs in words.items():
        message = message.replace(f"`{ours}`", f"`{theirs}`")
    return message


def is_picture(value: object) -> bool:
    """It begins like a picture's base64 or data URL, or is a list with such a text."""
    match value:
        case str():
            return value.startswith(PICTURES) and len(value) > MAX_NAME_CHARACTERS
        case list():
            return any(is_picture(one) for one in cast("list[object]", value))
        case _:
            return False


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME_CHARACTERS else f"{name[: MAX_NAME_CHARACTERS - 1]}…"
