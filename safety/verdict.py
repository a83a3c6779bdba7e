"""What safety says about one request, as a record that can be replayed."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from models import Refused
from safety.moderation_input import ModerationInput


class Action(StrEnum):
    """What follows from a finding, mildest first: deliver, deliver and mark for review, refuse."""

    ALLOW = "allow"
    FLAG = "flag"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        return (Action.ALLOW, Action.FLAG, Action.BLOCK).index(self)


class Stage(StrEnum):
    """Which text a finding is from."""

    PROMPT = "prompt"
    NEGATIVE_PROMPT = "negative_prompt"
    FINAL_PROMPT = "final_prompt"
    ADAPTER = "adapter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that matched: in which view of which text, and at which words of it (first, past the last)."""

    rule: str
    category: str
    score: float
    stage: Stage
    view: str
    start: int
    end: int
    is_art: bool
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision and everything it rests on; equal inputs under equal hashes give equal verdicts.

    `category` is the gravest one at the severity of `action`, None where nothing was found. `input_sha256` is of the
    whole input.
    """

    action: Action
    category: str | None
    findings: tuple[Finding, ...]
    policy: str
    policy_hash: str
    lexicon_hash: str
    views_version: int
    input_sha256: str

    @property
    def is_blocked(self) -> bool:
        return self.action is Action.BLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was judged, and what came of it."""

    given: ModerationInput
    verdict: Verdict


class PromptBlocked(Refused):
    """The policy refuses this request; the caller learns the category, never the rule."""

    code: ClassVar[str] = "content_policy_violation"

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.category = str(decision.verdict.category)
        super().__init__(f"The request was refused by the content policy ({self.category}).")
