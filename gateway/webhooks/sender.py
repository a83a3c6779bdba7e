"""The port to the outside: one attempt to hand one signed message to one receiver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The bytes and headers of one attempt."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of an attempt: a status, or why there is none, in words that callers may read. `detail` is what the log
    holds beside it: texts of other programs, and addresses. `retry_after` is the receiver's header as sent.

    `excerpt` is how the body began, for the log; empty where it may not be quoted.
    """

    status: int | None = None
    error: str | None = None
    detail: str | None = None
    retry_after: str | None = None
    excerpt: bytes = b""

    @property
    def is_success(self) -> bool:
        """Any 2xx; a redirect is a failure, for following it could lead anywhere."""
        return self.status is not None and 200 <= self.status < 300


class WebhookSender(Protocol):
    """Makes one attempt and reports it; a receiver's misbehaviour is an answer, never an exception."""

    async def send(self, message: Message) -> Answer: ...

    async def aclose(self) -> None: ...


@dataclass(slots=True)
class RecordingSender:
    """Keeps what it was given, for tests; answers with `answers` in turn, then with 204."""

    answers: list[Answer] = field(default_factory=list[Answer])
    sent: list[Message] = field(default_factory=list[Message])

    async def send(self, message: Message) -> Answer:
        self.sent.append(message)
        return self.answers.pop(0) if self.answers else Answer(status=204)

    async def aclose(self) -> None:
        """Nothing is held."""
