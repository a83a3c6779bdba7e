"""What may be painted: every text that can reach the text encoder is judged before anything is spent on it.

texts -> views (disguises taken off) -> words -> rules over lexicons -> policy -> verdict. Owns the policies, the
lexicons and the record of a decision. Must never depend on a model being there, on a clock or on chance, and never tell
a caller which rule matched.
"""

from safety.policy import Policy, Ruling
from safety.prompt_filter import PromptFilter
from safety.verdict import Action, Finding, PromptBlocked, Stage, Verdict

__all__ = ["Action", "Finding", "Policy", "PromptBlocked", "PromptFilter", "Ruling", "Stage", "Verdict"]
