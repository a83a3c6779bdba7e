"""The grammar of prompts in A1111's web UI, and what it means in ours. Pure.

    <lora:name:0.8>  ->  taken out of the text        (word)  ((word))  [word]  (word:1.2)  \\(  ->  weights
    BREAK  ->  left out, and named                    AND  [a:b:0.5]  [a|b]  <other:...>  ->  refused

What a prompt there does not mean as words is never painted as words.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from models import Adapter, ParameterUnsupported, RequestInvalid
from models.notices import Notices, changed, ignored

EMPHASIS = 1.1
MAX_WEIGHT = 2.0
NETWORKS = frozenset({"lora", "lyco"})

_NETWORK = re.compile(r"<(\w+):([^<>]+)>")
_COMPOSED = re.compile(r"\bAND\b")
_BREAK = re.compile(r"\s*\bBREAK\b\s*")
_SCHEDULED = re.compile(r"\||:\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)\s*$")
# An escaped sign, a weight that closes a parenthesis, a bracket, or text up to the next of these.
_PIECE = re.compile(
    r"\\(?P<escaped>[()\[\]\\]?)|:\s*(?P<weight>[+-]?[.\d]+)\s*\)|(?P<bracket>[()\[\]])|[^\\()\[\]:]+|:"
)
_READ_AS_WEIGHT = re.compile(r"(\([^()]+:)([0-9]+(?:\.[0-9]+)?\))")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPrompt:
    """The text in our own grammar, the LoRAs that it calls, and what of it did not act as it was written."""

    text: str
    loras: tuple[Adapter, ...] = ()
    notices: Notices = ()


@dataclass(slots=True)
class _Weighing:
    """Pieces of text with their weights, and the brackets that are open, each with the place of its first piece."""

    texts: list[str] = field(default_factory=list[str])
    weights: list[float] = field(default_factory=list[float])
    round: list[int] = field(default_factory=list[int])
    square: list[int] = field(default_factory=list[int])

    def add(self, text: str) -> None:
        self.texts.append(text)
        self.weights.append(1.0)

    def weigh(self, start: int, factor: float) -> None:
        self.weights[start:] = [weight * factor for weight in self.weights[start:]]


def read_prompt(prompt: str) -> ReadPrompt:
    """Raises:
    ParameterUnsupported: it asks for what cannot be done here.
    RequestInvalid: a LoRA's weight is no number.
    """
    loras: dict[str, float] = {}
    for name, weight in map(_lora, _NETWORK.finditer(prompt)):
        loras[name] = loras.get(name, 0.0) + weight
    text = " ".join(_NETWORK.sub(" ", prompt).split()) if loras else prompt
    if _COMPOSED.search(text):
        raise _unsupported("prompt", "`AND` composes several prompts; write one, without the word in capitals.")
    adapters = tuple(Adapter(id=name, weight=weight) for name, weight in loras.items())
    found, remarks = _weighed(text, member="prompt")
    return ReadPrompt(text=found, loras=adapters, notices=remarks)


def read_negative_prompt(prompt: str) -> ReadPrompt:
    """Raises ParameterUnsupported, as `read_prompt`; networks are called in the prompt alone."""
    if _NETWORK.search(prompt):
        raise _unsupported("negative_prompt", "networks in angle brackets are called in `prompt`.")
    text, remarks = _weighed(prompt, member="negative_prompt")
    return ReadPrompt(text=text, notices=remarks)


def escaped(text: str) -> str:
    """A text of ours so that it means the same there; `(word:1.2)` means the same in both."""
    parts = re.split(r"(\([^()]+:[0-9]+(?:\.[0-9]+)?\))", text)
    return "".join(part if at % 2 else re.sub(r"([()\[\]\\])", r"\\\1", part) for at, part in enumerate(parts))


def _lora(found: re.Match[str]) -> tuple[str, float]:
    """Name and weight of one. The first number is the text encoder's, the second the network's, by default the first."""
    kind, (name, *arguments) = found[1], found[2].split(":")
    if kind not in NETWORKS:
        raise _unsupported("prompt", f"`<{kind}:…>` calls a kind of network that is not here; there are `<lora:…>`.")
    named = dict(pair.split("=", 1) for pair in arguments if "=" in pair)
    positional = [argument for argument in arguments if "=" not in argument]
    if len(positional) > 2 or set(named) - {"te", "unet"}:
        raise _unsupported("prompt", f"{found[0]!r} says more than a name and its weights.")
    encoder = _weight(named.get("te", positional[0] if positional else "1"), found[0])
    network = (
        _weight(named["unet"] if "unet" in named else positional[1], found[0])
        if ("unet" in named or len(positional) > 1)
        else encoder
    )
    if encoder != network:
        raise _unsupported("prompt", f"{found[0]!r} has two weights; here a LoRA acts with one in both networks.")
    return name.strip(), encoder


def _weight(text: str, tag: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise RequestInvalid(f"`prompt`: {text!r} in {tag!r} is no weight.", field="prompt")
    return weight


def _weighed(text: str, *, member: str) -> tuple[str, Notices]:
    """In our own grammar. Raises ParameterUnsupported."""
    remarks: Notices = ()
    if _BREAK.search(text):
        text = _BREAK.sub(" ", text).strip()
        remarks += (ignored(f"{member}.BREAK", "here a long prompt is cut where its pieces are full."),)
    if not re.search(r"[()\[\]\\]", text):
        return text, remarks
    _check_unscheduled(text, member)
    weighing = _weighing(text)
    if any(not 0 <= weight <= MAX_WEIGHT for weight in weighing.weights):
        remarks += (changed(member, f"weights go from 0 to {MAX_WEIGHT:g} here; what is beyond counts as that."),)
    return "".join(_written(weighing)), remarks


def _check_unscheduled(text: str, member: str) -> None:
    """Raises ParameterUnsupported: something in square brackets changes from step to step."""
    opened: list[int] = []
    for found in re.finditer(r"\\.|[\[\]]", text):
        if found[0] == "[":
            opened.append(found.end())
        elif found[0] == "]" and opened and _SCHEDULED.search(text, opened.pop(), found.start()):
            raise _unsupported(member, "words in square brackets that change from step to step (`[a:b:0.5]`, `[a|b]`).")


def _weighing(text: str) -> _Weighing:
    """Source: the rules that A1111's wiki gives under "Attention/emphasis". What is never closed weighs to the end."""
    found = _Weighing()
    for piece in _PIECE.finditer(text):
        _take(found, piece)
    for start in found.round:
        found.weigh(start, EMPHASIS)
    for start in found.square:
        found.weigh(start, 1 / EMPHASIS)
    return found


def _take(found: _Weighing, piece: re.Match[str]) -> None:
    match piece["bracket"]:
        case "(":
            found.round.append(len(found.texts))
        case "[":
            found.square.append(len(found.texts))
        case ")" if found.round:
            found.weigh(found.round.pop(), EMPHASIS)
        case "]" if found.square:
            found.weigh(found.square.pop(), 1 / EMPHASIS)
        case None if piece["weight"] is not None and found.round and (weight := _number(piece["weight"])) is not None:
            found.weigh(found.round.pop(), weight)
        case _:
            found.add(piece[0] if piece["escaped"] is None else piece["escaped"])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _written(found: _Weighing) -> Iterator[str]:
    """Pieces of equal weight together, each in our own grammar."""
    text, weight = "", 1.0
    for piece, its in [*zip(found.texts, found.weights, strict=True), ("", -1.0)]:
        if its != weight:
            yield _in_our_grammar(text, weight)
            text, weight = "", its
        text += piece


def _in_our_grammar(text: str, weight: float) -> str:
    """Our weights hold no parentheses: those inside stand beside it, without a weight."""
    written = f"{min(max(weight, 0.0), MAX_WEIGHT):.4f}".rstrip("0").rstrip(".")
    if written == "1":
        return _READ_AS_WEIGHT.sub(r"\1 \2", text)
    return "".join(
        part if part in {"(", ")"} or not part.strip() else f"({part}:{written})" for part in re.split(r"([()])", text)
    )


def _unsupported(member: str, why: str) -> ParameterUnsupported:
    return ParameterUnsupported(f"`{member}`: {why}", field=member)
