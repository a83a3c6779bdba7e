"""Who may get how much at a time, and who is left alone for a while: a table of values, time a number."""

import pytest

from gateway.webhooks import Answer
from gateway.webhooks.circuits import COOL_OFF_S, FAILURES_TO_OPEN, MAX_AT_ONCE, MAX_PROBES, MOST_HOSTS, Circuits
from storage import DueDelivery

UNREACHED = Answer(error="no complete answer within 15 s")


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def circuits(seconds) -> Circuits:
    return Circuits(seconds=seconds)


def of(*words: str) -> list[DueDelivery]:
    """Each word is a delivery's id and its host in one letter."""
    return [DueDelivery(id=word, host=word[-1]) for word in words]


def trip(circuits: Circuits, *hosts: str) -> None:
    for host in hosts:
        for _ in range(FAILURES_TO_OPEN):
            circuits.heard(host, UNREACHED)


@pytest.mark.parametrize(
    ("found", "running", "chosen"),
    [
        ([], {}, []),
        (["1a", "2b"], {}, ["1a", "2b"]),
        (["1a", "2a", "3a"], {}, ["1a", "2a"]),
        (["1a", "2a", "3b"], {"0a": "a"}, ["1a", "3b"]),
        (["1a", "2b"], {"1a": "a"}, ["2b"]),
        (["1a", "2b"], {"8a": "a", "9a": "a"}, ["2b"]),
        (["1a"], {f"{n}x": str(n) for n in range(MAX_AT_ONCE)}, []),
        (["1a", "2b"], {f"{n}x": str(n) for n in range(MAX_AT_ONCE - 1)}, ["1a"]),
    ],
)
def test_what_may_start_beside_what_runs(found, running, chosen, circuits) -> None:
    assert [one.id for one in circuits.startable(of(*found), running)] == chosen


def test_a_host_at_its_bound_is_not_even_asked_for(circuits) -> None:
    assert circuits.full_hosts({"1a": "a", "2a": "a", "3b": "b"}) == {"a"}


@pytest.mark.parametrize("answer", [UNREACHED, *(Answer(status=status) for status in (429, 502, 503, 504))])
def test_after_five_failures_in_a_row_a_host_rests_then_gets_one_at_a_time(answer, circuits, seconds) -> None:
    for _ in range(FAILURES_TO_OPEN - 1):
        circuits.heard("a", answer)
    assert circuits.full_hosts({}) == set()
    circuits.heard("a", answer)
    assert circuits.full_hosts({}) == {"a"}
    seconds.now = COOL_OFF_S
    assert [one.id for one in circuits.startable(of("1a", "2a", "3b"), {})] == ["1a", "3b"]
    circuits.heard("a", answer)
    assert circuits.full_hosts({}) == {"a"}, "the probe failed: it rests again"


@pytest.mark.parametrize("status", [200, 301, 404, 410, 500])
def test_whoever_answers_is_there(status, circuits) -> None:
    trip(circuits, "a")
    circuits.heard("a", Answer(status=status))
    assert [one.id for one in circuits.startable(of("1a", "2a"), {})] == ["1a", "2a"]


def test_many_dead_hosts_together_get_a_quarter_of_the_places(circuits, seconds) -> None:
    dead = "abcdefgh"
    trip(circuits, *dead)
    seconds.now = COOL_OFF_S
    found = of(*(f"1{host}" for host in dead), "1z", "2z")
    assert [one.host for one in circuits.startable(found, {})] == [*dead[:MAX_PROBES], "z", "z"]
    assert circuits.full_hosts({f"1{host}": host for host in dead[:MAX_PROBES]}) == set(dead)


def test_what_is_remembered_of_dead_hosts_is_bounded(circuits) -> None:
    for number in range(MOST_HOSTS + 10):
        circuits.heard(f"{number}.example", UNREACHED)
    assert len(circuits._troubled) == MOST_HOSTS
