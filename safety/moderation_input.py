"""Everything about a request that decides what its pictures show: what a verdict is made of."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Surface(StrEnum):
    """Where a request came in."""

    NATIVE = "native"
    OPENAI = "openai"
    A1111 = "a1111"
    HUGGING_FACE = "huggingface"
    REPLICATE = "replicate"
    BATCH = "batch"
    OPENAI_BATCH = "openai_batch"
    COMMAND_LINE = "command_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePicture:
    """The picture that a painting begins from.

    `strength` is above 0 (keep it) up to 1 (repaint it). `masked_share` is the part of it that the mask lets be
    repainted, 0 to 1; None where there is no mask, or nobody has looked into it yet.
    """

    strength: float
    has_mask: bool
    masked_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModerationInput:
    """What is judged. No member has a default: who asks for a verdict must say everything.

    `prompt` and `negative_prompt` are the caller's own; the final ones are what the text encoder reads, style,
    enhancement and trigger words included, each different one once. `adapters` are the ids of the LoRAs that act.
    """

    surface: Surface
    prompt: str
    negative_prompt: str
    final_prompts: tuple[str, ...]
    final_negative_prompts: tuple[str, ...]
    source: SourcePicture | None
    adapters: tuple[str, ...]
    model: str
    style: str
    is_replay: bool

    @property
    def sha256(self) -> str:
        """Of all of it: equal inputs under equal rules get equal verdicts."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        """As it is kept beside a decision."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, content: bytes) -> "ModerationInput | None":
        """None: another release wrote it, which knew other members."""
        try:
            return msgspec.json.decode(content, type=cls)
        except msgspec.ValidationError:
            return None
