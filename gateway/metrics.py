"""What is counted for Prometheus, each server process its own. No label takes a value that callers choose."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.registry import Collector

from models import EngineState

ENDS = ("completed", "failed", "canceled")
OUTCOMES = ("delivered", "failed", "given_up")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
LONG_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)

__all__ = ["CONTENT_TYPE", "Metrics"]


class Metrics:
    """The counters and gauges of one server; made once and handed to whoever has something to count."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "pinxit_http_requests", "Answers by route and status.", ("method", "route", "status"), registry=registry
        )
        self._durations = Histogram(
            "pinxit_http_request_seconds",
            "From a request's first byte to its answer's last, waiting for a picture included.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self._by_answer: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # finding them takes half the time
        ended = Counter("pinxit_generations_ended", "Generations by end state.", ("state",), registry=registry)
        self._ended = {state: ended.labels(state) for state in ENDS}
        self._refusals = Counter("pinxit_refusals", "Error answers by code.", ("code",), registry=registry)
        self._waits = self._of_paintings("pinxit_queue_wait_seconds", "From accepted to begun.")
        self._paintings = self._of_paintings("pinxit_painting_seconds", "From begun to painted.")
        self._steps = Counter("pinxit_steps", "Denoising steps done; its rate is steps a second.", registry=registry)
        attempts = Counter("pinxit_webhook_attempts", "Webhook attempts by outcome.", ("outcome",), registry=registry)
        self._attempts = {outcome: attempts.labels(outcome) for outcome in OUTCOMES}
        self._decisions = Counter(
            "pinxit_safety_decisions",
            "Requests that the content policy flagged or refused.",
            ("action", "category"),
            registry=registry,
        )
        self._lost = Counter(
            "pinxit_pictures_lost", "Stored pictures found gone or damaged.", ("code",), registry=registry
        )
        self._dropped = Counter(
            "pinxit_connections_dropped", "Connections that we closed, by reason.", ("reason",), registry=registry
        )
        self._open = Gauge("pinxit_generations_open", "Generations by open state.", ("state",), registry=registry)

    def _of_paintings(self, name: str, description: str) -> Histogram:
        return Histogram(name, description, ("model", "quality"), buckets=LONG_SECONDS, registry=self._registry)

    def count_request(self, method: str, route: str, status: int, *, seconds: float) -> None:
        """`route` is the template of a path, never a path."""
        key = (method if method in METHODS else "other", route, status)
        if (kept := self._by_answer.get(key)) is None:
            kept = self._by_answer[key] = self._requests.labels(*key), self._durations.labels(route)
        requests, durations = kept
        requests.inc()
        durations.observe(seconds)

    def count_end(self, state: str) -> None:
        self._ended[state].inc()

    def count_refusal(self, code: str) -> None:
        """`code` is one of the contract's."""
        self._refusals.labels(code).inc()

    def observe_painting(self, model: str, quality: str, *, waited_s: float, painted_s: float) -> None:
        """`model` is one of the catalogue's."""
        self._waits.labels(model, quality).observe(waited_s)
        self._paintings.labels(model, quality).observe(painted_s)

    def count_steps(self, steps: int) -> None:
        self._steps.inc(max(0, steps))

    def count_lost_picture(self, code: str) -> None:
        """`code` is image_gone or image_damaged."""
        self._lost.labels(code).inc()

    def count_attempt(self, outcome: str) -> None:
        self._attempts[outcome].inc()

    def count_decision(self, action: str, category: str) -> None:
        """Both are words of `policies.toml`."""
        self._decisions.labels(action, category).inc()

    def count_dropped(self, reason: str) -> None:
        """`reason` is a word of `gateway/http/edge/connections.py`."""
        self._dropped.labels(reason).inc()

    def watch_connections(self, count: Callable[[], int], *, most: int) -> None:
        self._gauge("pinxit_connections", "Open connections.").set_function(count)
        self._gauge("pinxit_connections_most", "Connections that are held at a time.").set(most)

    def set_open(self, counts: Mapping[str, int]) -> None:
        for state, count in counts.items():
            self._open.labels(state).set(count)

    def watch_engine(self, state: Callable[[], EngineState], *, busy_slots: Callable[[], int]) -> None:
        """Gauges that are asked for their values whenever somebody reads."""
        name = "pinxit_engine_slots"
        self._gauge(name, "Pictures the engine holds at a time.").set_function(lambda: state().slots)
        self._gauge(f"{name}_busy", "Those taken by generations that run here.").set_function(busy_slots)
        self._gauge("pinxit_engine_ready", "1 while it can paint.").set_function(lambda: state().is_ready)

    def watch_stores(self, failures: Callable[[], Mapping[str, int]]) -> None:
        """How often each of them did not answer, by its name; asked for whenever somebody reads."""
        self._registry.register(_StoreErrors(failures))

    def _gauge(self, name: str, description: str) -> Gauge:
        return Gauge(name, description, registry=self._registry)

    def written(self) -> bytes:
        return generate_latest(self._registry)


class _StoreErrors(Collector):
    """A counter that others count."""

    def __init__(self, failures: Callable[[], Mapping[str, int]]) -> None:
        self._failures = failures

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(
            "pinxit_store_errors", "Calls that the database or the store of pictures failed.", labels=("store",)
        )
        for store, count in self._failures().items():
            family.add_metric((store,), count)
        yield family
