"""`stream: true` on OpenAI's image endpoints: pictures in the making, then the pictures, as server-sent events.

Nothing else is sent as an event: their clients take any for a partial image. What a call is refused for is answered
as to any other call, before the stream begins; what goes wrong later is `{"error": …}` inside it.
"""

import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from fastapi import Request, Response

from gateway.access import Caller
from gateway.generations import View
from gateway.generations.showing.watching import Ended, Progressed
from gateway.http.answering.event_stream import EventStream, KeepAlive, written_event
from gateway.http.dialects.openai.answers import QUALITIES, CompletedEvent, PartialImageEvent, base64_of, usage_of
from gateway.http.dialects.specs import specs_of
from gateway.http.dialects.warnings import warning_headers, warnings_of
from gateway.http.edge.problems import problem_body
from gateway.http.edge.refusals import GenerationCanceled, ServerStopping
from gateway.http.generations.presenting import failure_of, warning_bodies
from gateway.http.reading.dependencies import Services
from models import DomainError
from models.spec import steps_asked
from storage import Generation, Picture, State

Verb = Literal["image_generation", "image_edit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """One call that is answered by events. `partial_images` is the most of them that are wanted; `words` has the caller's
    members by ours."""

    request: Request
    given: Services
    caller: Caller
    verb: Verb
    partial_images: int
    words: Mapping[str, str]

    async def answer(self, generation_id: str) -> Response:
        """Raises GenerationUnknown: it has been deleted already."""
        view = await self.given.fetch.one(self.caller, generation_id)
        events = self._until_ended_or_left(view.generation)
        stopping = ServerStopping("The server is stopping; it paints the picture after its next start. Ask again then.")
        keep_alive = KeepAlive(
            heartbeat_s=self.given.settings.heartbeat_s,
            stopping=self.given.stopping,
            farewell=self._error_event(stopping),
        )
        answer = EventStream(events, keep_alive)
        answer.headers.update(warning_headers(warnings_of(view, self.words)))
        return answer

    async def _until_ended_or_left(self, generation: Generation) -> AsyncGenerator[bytes]:
        """Whoever leaves a stream gives the picture up, as one who leaves a waiting call does."""
        disconnects, has_ended = self.given.disconnects, False
        with disconnects.waiting(generation.id):
            try:
                async with aclosing(self._events(generation)) as events:
                    async for event in events:
                        yield event
                has_ended = True
            finally:
                is_left = not has_ended and not self.given.stopping.is_set()
                if is_left and "idempotency-key" not in self.request.headers:
                    disconnects.left(self.caller, generation.id)

    async def _events(self, generation: Generation) -> AsyncGenerator[bytes]:
        """The status has been sent; what goes wrong from here on can only be an event."""
        try:
            async with aclosing(self._pictures(generation)) as pictures:
                async for picture in pictures:
                    yield written_event(picture.model_dump_json(), name=picture.type)
        except DomainError as error:
            yield self._error_event(error)

    def _error_event(self, error: DomainError) -> bytes:
        body = problem_body(error, request_id=self.request.state.request_id, types=self.given.urls.errors)
        return written_event(body.model_dump_json(include={"error"}), name="error")

    async def _pictures(self, generation: Generation) -> AsyncGenerator[PartialImageEvent | CompletedEvent]:
        """Raises Failed; GenerationCanceled, GenerationUnknown: somebody did that meanwhile."""
        sent = 0
        every = preview_every(generation, self.partial_images)
        async with aclosing(self.given.watching(self.caller, generation.id, preview_every=every)) as watched:
            async for event in watched:
                match event:
                    case Progressed(preview=bytes(preview), position=0) if sent < self.partial_images:
                        yield self._partial(generation, preview, sent)
                        sent += 1
                    case Ended(view=view):
                        check_completed(view.generation)
                        for picture in view.pictures:
                            yield await self._completed(view, picture)
                    case _:
                        pass

    async def _completed(self, view: View, picture: Picture) -> CompletedEvent:
        generation = view.generation
        return CompletedEvent(
            type=f"{self.verb}.completed",
            b64_json=await base64_of(picture, self.given.files),
            created_at=int(generation.created_at.timestamp()),
            output_format=generation.format,
            quality=QUALITIES[generation.quality],
            size=f"{generation.width}x{generation.height}",
            usage=usage_of(generation),
            warnings=warning_bodies(warnings_of(view, self.words)),
        )

    def _partial(self, generation: Generation, preview: bytes, index: int) -> PartialImageEvent:
        return PartialImageEvent(
            type=f"{self.verb}.partial_image",
            b64_json=base64.b64encode(preview).decode(),
            partial_image_index=index,
            created_at=int(generation.created_at.timestamp()),
            quality=QUALITIES[generation.quality],
            size=f"{generation.width}x{generation.height}",
        )


def preview_every(generation: Generation, partial_images: int) -> int:
    """So many steps between two previews that `partial_images` of them lie evenly before the end; 0: none are wanted."""
    if not partial_images:
        return 0
    return max(1, steps_asked(specs_of(generation)[0]) // (partial_images + 1))


def check_completed(generation: Generation) -> None:
    """Raises Failed, GenerationCanceled: it has ended otherwise."""
    failure = failure_of(generation)
    if failure is not None:
        raise failure
    if generation.state is State.CANCELED:
        raise GenerationCanceled("The generation was canceled while this call waited for it.")
