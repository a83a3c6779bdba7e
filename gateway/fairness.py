"""Which generation is claimed next: shares of work by turns between accounts, mostly interactive before batch. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models import Turns
from storage import LESS_URGENT_EVERY, Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """What each account has saved up, in each priority by itself, and how many claims have `passed` what is less urgent
    and waits. It lives as long as the worker: a restart forgets.

    Accounts that always have something queued get equal shares of work, whatever the sizes of their generations. One
    that comes with something new waits until each other account has had at most twice the dearest generation that is
    queued (both by `models.Turns`), however much they have queued. Within an account the oldest is first.

    What is more urgent goes first, but of any `LESS_URGENT_EVERY` claims made while something less urgent waits one is
    of that: however much interactive work comes, batch work makes an eighth of the claims and is never starved.
    """

    turns: Mapping[int, Turns[str]] = field(default_factory=dict[int, Turns[str]])
    passed: int = 0

    def choose(
        self, candidates: Sequence[Candidate], *, free: int, is_idle: bool
    ) -> "tuple[Candidate, Fairness] | None":
        """Who is claimed next, and what holds after that.

        `free` counts pictures. None when nobody is queued, or while whose turn it is needs more than is free: nobody
        passes it then, so that the large are not starved by the small. What will never fit runs alone, when `is_idle`.
        """
        if not candidates or (free <= 0 and not is_idle):
            return None
        priorities = {candidate.priority for candidate in candidates}
        least = max(priorities)
        priority = least if self.passed >= LESS_URGENT_EVERY - 1 else min(priorities)
        heads = _heads(candidates, priority)
        known = self.turns.get(priority, Turns[str]())
        account, turns = known.next({account: head.work for account, head in heads.items()})
        head = heads[account]
        if head.picture_count > free and not is_idle:
            return None
        passed = 0 if priority == least else self.passed + 1
        return head, Fairness(turns={**self.turns, priority: turns}, passed=passed)


def _heads(candidates: Sequence[Candidate], priority: int) -> Mapping[str, Candidate]:
    """The oldest of each account, in the order of their numbers: among equals the older goes first."""
    heads: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda candidate: candidate.number):
        if candidate.priority == priority:
            heads.setdefault(candidate.account_id, candidate)
    return heads
