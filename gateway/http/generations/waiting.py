"""Hold a call open until its picture is there: submit, wait, answer. Every dialect that paints goes through here.

`submit_and_wait` says how far it came; `picture_or_refusal` is for dialects that know no "not yet".
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace

from fastapi import Request

from gateway.access import Caller
from gateway.generations import Accepted, Ask, View
from gateway.http.edge.refusals import GenerationCanceled, GenerationTimeout, ServerStopping
from gateway.http.generations.presenting import failure_of
from gateway.http.reading.dependencies import Services
from storage import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """A call's generation when its wait is over. `ended` is None while it has not ended."""

    accepted: Accepted
    ended: View | None


async def submit_and_wait(request: Request, given: Services, caller: Caller, ask: Ask, *, wait_s: float) -> Waited:
    """Accept `ask` and wait up to `wait_s` seconds for its end; 0 waits not at all.

    Raises:
        Refused: as `Submit`.
        Failed: the painting failed, and whoever waited for it is told so by the status.
    """
    return await wait_for(request, given, caller, await accepted_from(request, given, caller, ask), wait_s=wait_s)


async def accepted_from(request: Request, given: Services, caller: Caller, ask: Ask) -> Accepted:
    """Accept `ask` and wait for nothing.

    OpenAI's clients count in a header how often they have sent a request before; see `Ask.is_retry`.

    Raises:
        Refused: as `Submit`.
    """
    retries = request.headers.get("x-stainless-retry-count", "")
    accepted = await given.submit(caller, replace(ask, is_retry=retries.isdecimal() and int(retries) > 0))
    request.state.is_replay = accepted.is_replay  # for the answer's headers, of an error too
    return accepted


async def picture_or_refusal(request: Request, given: Services, caller: Caller, ask: Ask, *, wait_s: float) -> View:
    """Accept `ask` and wait for its pictures, or raise: for dialects that have no answer for "later".

    Raises:
        Refused, Failed: as `submit_and_wait`.
        GenerationTimeout: the wait ran out; the painting goes on.
        ServerStopping: the server stops; the painting goes on after its next start.
        GenerationCanceled: somebody cancelled it meanwhile.
    """
    waited = await submit_and_wait(request, given, caller, ask, wait_s=wait_s)
    if waited.ended is None and given.stopping.is_set():
        raise ServerStopping("The server is stopping; it paints the picture after its next start. Ask again then.")
    if waited.ended is None:
        raise GenerationTimeout(f"The picture was not there after {wait_s:g} seconds; it is still being painted.")
    if waited.ended.generation.state is State.CANCELED:
        raise GenerationCanceled("The generation was canceled while this call waited for it.")
    return waited.ended


async def wait_for(request: Request, given: Services, caller: Caller, accepted: Accepted, *, wait_s: float) -> Waited:
    """Wait for what has been accepted already; see `submit_and_wait`.

    Whoever leaves meanwhile gives it up, after a grace: unless an `Idempotency-Key` says that they will ask again.

    Raises:
        Failed: the painting failed.
    """
    request.state.is_replay = accepted.is_replay  # for the answer's headers, of an error too
    if wait_s <= 0 or accepted.view is not None:
        return Waited(accepted=accepted, ended=accepted.view if wait_s > 0 else None)
    with given.disconnects.waiting(accepted.generation_id):
        view = await _ended_unless_left(request, ended(given, caller, accepted.generation_id, wait_s=wait_s))
    if view is None and "idempotency-key" not in request.headers:
        given.disconnects.left(caller, accepted.generation_id)
    if view is None or not view.generation.state.is_final:
        return Waited(accepted=accepted, ended=None)
    failure = failure_of(view.generation)
    if failure is not None:
        raise failure
    return Waited(accepted=accepted, ended=view)


async def ended(given: Services, caller: Caller, generation_id: str, *, wait_s: float) -> View:
    """As `Fetch.ended`, but when the server stops, the generation as it stands then."""
    ending = asyncio.ensure_future(given.fetch.ended(caller, generation_id, wait_s=wait_s))
    stopping = asyncio.ensure_future(given.stopping.wait())
    try:
        await asyncio.wait((ending, stopping), return_when=asyncio.FIRST_COMPLETED)
        return ending.result() if ending.done() else await given.fetch.one(caller, generation_id)
    finally:
        ending.cancel()
        stopping.cancel()
        await asyncio.gather(ending, stopping, return_exceptions=True)


async def _ended_unless_left(request: Request, ending: Coroutine[None, None, View]) -> View | None:
    """What `ending` returns; None when the caller is gone before. Whatever is answered then, nobody hears."""
    waiting, leaving = asyncio.ensure_future(ending), asyncio.ensure_future(_departure(request))
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        leaving.result()  # a body that nobody wanted may have been too large
        return None
    finally:
        waiting.cancel()
        leaving.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)


async def _departure(request: Request) -> None:
    """Returns when the connection is gone. What still comes of a body means nothing."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
