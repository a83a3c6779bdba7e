"""Whose turn it is, by what each has cost: deficit round-robin as a value."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar

Flow = TypeVar("Flow", bound=Hashable)


@dataclass(frozen=True)  # not slots: Python 3.11 cannot build a frozen generic with slots as Turns[str]()
class Turns(Generic[Flow]):
    """What each flow has been granted and not used, in the order of their last turns, the latest at
    the end.

    Everybody present is granted the same, until the first can pay for its next piece: that one
    goes. So flows that always have something to do get equal shares of cost, however different
    their pieces, and never differ by more than the dearest piece. Between two pieces of such a flow
    each other one gets at most twice the dearest. Nothing depends on the unit of cost.

    Source: Shreedhar and Varghese 1995, "Efficient Fair Queueing using Deficit Round Robin",
    section 3. Their quantum is as fine here as can be, just enough for the next piece: a coarse one
    makes a small piece wait for whole bursts of others, and one that follows the pieces' costs is
    not the same for all.
    """

    deficits: Mapping[Flow, float] = field(default_factory=dict[Flow, float])

    def next(self, demands: Mapping[Flow, float]) -> tuple[Flow, Self]:
        """Who goes now, and the turns after that. `demands` is the cost, above 0, of each flow's
        next piece.

        A flow that is missing loses what it was granted; one that is new has nothing yet. Equals go
        in the order of their last turns, new ones last.

        Raises:
            ValueError: nobody demands anything, or something that costs nothing.
        """
        if not demands or min(demands.values()) <= 0:
            raise ValueError("A turn needs at least one flow, and every piece must cost something.")
        saved = {flow: deficit for flow, deficit in self.deficits.items() if flow in demands}
        saved |= {flow: 0.0 for flow in demands if flow not in saved}
        flow = min(saved, key=lambda flow: demands[flow] - saved[flow])
        left = saved.pop(flow) - demands[flow]  # above 0 where its pieces have become cheaper
        granted = max(0.0, -left)
        deficits = {other: deficit + granted for other, deficit in saved.items()}
        return flow, type(self)({**deficits, flow: max(0.0, left)})
