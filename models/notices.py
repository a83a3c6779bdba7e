"""What a caller should know of an answer that is not an error: the `warnings` of the contract."""

from collections.abc import Sequence
from typing import Literal

import msgspec

MAX_WORDS = 50
Code = Literal["unknown_words", "ignored_parameter", "value_changed"]


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`code` is a stable public word, `message` is for people. `param` names the member of the
    request that it is about, `words` the words, where it is about some."""

    code: Code
    message: str
    param: str | None = None
    words: tuple[str, ...] = ()


Notices = tuple[Notice, ...]


def unknown_words(words: Sequence[str], *, model: str, param: str) -> Notice:
    """The model was never taught these words of `param`, the prompt or the negative one; the first
    `MAX_WORDS` are listed."""
    listed = tuple(words[:MAX_WORDS])
    more = f" and {len(words) - MAX_WORDS} more" if len(words) > MAX_WORDS else ""
    message = f"The model {model!r} does not know these words, and paints as if they were not there: "
    return Notice(code="unknown_words", message=f"{message}{', '.join(listed)}{more}.", param=param, words=listed)


def ignored(param: str, why: str) -> Notice:
    """A member that was sent and changed nothing."""
    return Notice(code="ignored_parameter", message=f"`{param}` changed nothing: {why}", param=param)


def changed(param: str, how: str) -> Notice:
    """A member that acts otherwise than it was sent."""
    return Notice(code="value_changed", message=f"`{param}`: {how}", param=param)


def written(notices: Notices) -> bytes:
    """As JSON, as they are kept."""
    return msgspec.json.encode(notices)


def read(kept: bytes) -> Notices:
    """What `written` wrote."""
    return msgspec.json.decode(kept, type=Notices)
