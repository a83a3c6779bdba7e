"""A breaker for each host: who does not answer is left alone for a while, and holds up nobody else."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.webhooks.sender import Answer
from storage import DueDelivery

MAX_AT_ONCE = 16
MAX_AT_ONCE_PER_HOST = 2
MAX_PROBES = 4
FAILURES_TO_OPEN = 5
COOL_OFF_S = 60.0
MOST_HOSTS = 4096
# "Come later" and a gateway before a dead server; any other status shows that somebody is there.
OVERLOADED = frozenset({429, 502, 503, 504})


@dataclass(slots=True)
class _Trouble:
    failures: int = 0
    opens_at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuits:
    """How many deliveries each host may have under way. Kept in memory, by each server for itself.

    After five failures in a row a host gets none for a minute, which uses up no attempt; then one at a time until
    it answers. `seconds` is a clock that never jumps.
    """

    seconds: Callable[[], float]
    _troubled: dict[str, _Trouble] = field(default_factory=dict[str, _Trouble])

    def heard(self, host: str, answer: Answer) -> None:
        """Learn from an attempt."""
        if answer.status is not None and answer.status not in OVERLOADED:
            self._troubled.pop(host, None)
            return
        if host not in self._troubled and len(self._troubled) >= MOST_HOSTS:
            del self._troubled[next(iter(self._troubled))]
        trouble = self._troubled.setdefault(host, _Trouble())
        trouble.failures += 1
        if trouble.failures >= FAILURES_TO_OPEN:
            trouble.opens_at_s = self.seconds() + COOL_OFF_S

    def is_tripped(self, host: str) -> bool:
        """It failed too often in a row and has not answered since."""
        trouble = self._troubled.get(host)
        return trouble is not None and trouble.failures >= FAILURES_TO_OPEN

    def full_hosts(self, running: Mapping[str, str]) -> set[str]:
        """Those that may get nothing beside the `running` (delivery id -> host)."""
        hosts = Counter(running.values())
        return {host for host in {*hosts, *self._troubled} if self._room(host, hosts) <= 0}

    def startable(self, found: Sequence[DueDelivery], running: Mapping[str, str]) -> list[DueDelivery]:
        """Those of `found`, in order, that may start beside the `running`, within the bounds."""
        hosts = Counter(running.values())
        chosen: list[DueDelivery] = []
        for delivery in found:
            if hosts.total() >= MAX_AT_ONCE:
                break
            if delivery.id not in running and self._room(delivery.host, hosts) > 0:
                hosts[delivery.host] += 1
                chosen.append(delivery)
        return chosen

    def _room(self, host: str, hosts: Counter[str]) -> int:
        if not self.is_tripped(host):
            return MAX_AT_ONCE_PER_HOST - hosts[host]
        probes = sum(count for other, count in hosts.items() if self.is_tripped(other))
        is_resting = self._troubled[host].opens_at_s > self.seconds()
        return 0 if is_resting or probes >= MAX_PROBES else 1 - hosts[host]
