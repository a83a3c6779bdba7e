"""What may be painted: everything that decides a picture is judged before anything is spent on it.

input -> views of its texts (disguises taken off) -> words -> rules over lexicons -> policy -> verdict. Owns the policies,
the lexicons and the record of a decision. Must never depend on a model being there, on a clock or on chance, and never
show a caller which rule matched.
"""

from safety.moderation_input import ModerationInput, SourcePicture, Surface
from safety.policy import Policy, Ruling
from safety.prompt_filter import PromptFilter
from safety.verdict import Action, Decision, Finding, PromptBlocked, Stage, Verdict

__all__ = [
    "Action",
    "Decision",
    "Finding",
    "ModerationInput",
    "Policy",
    "PromptBlocked",
    "PromptFilter",
    "Ruling",
    "SourcePicture",
    "Stage",
    "Surface",
    "Verdict",
]
