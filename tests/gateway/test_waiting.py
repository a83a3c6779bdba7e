"""A call held open until its picture is there, on surfaces that know "not yet" and on those that do not."""

import asyncio

import pytest
from starlette.requests import Request

from gateway.generations import Ask
from gateway.http.edge.problems import problem_headers, problem_of
from gateway.http.edge.refusals import GenerationTimeout
from gateway.http.generations.waiting import picture_or_refusal, submit_and_wait
from models import GenerationRequest, WeightsRejected
from safety import Surface


async def never():
    await asyncio.Event().wait()


async def call(gateway):
    caller = await gateway.server.services.gatekeeper.caller(gateway.key, now=gateway.clock())
    request = Request({"type": "http", "state": {}, "headers": []}, never)
    return (
        request,
        gateway.server.services,
        caller,
        Ask(surface=Surface.NATIVE, request=GenerationRequest(prompt="a red lighthouse")),
    )


async def test_a_surface_without_later_is_given_the_picture(gateway):
    view = await picture_or_refusal(*await call(gateway), wait_s=30)
    assert view.generation.state == "completed"
    assert len(view.pictures) == 1


async def test_a_surface_without_later_is_told_of_an_exhausted_wait_and_the_painting_goes_on(gateway):
    gateway.engine.hold()
    with pytest.raises(GenerationTimeout) as refused:
        await picture_or_refusal(*await call(gateway), wait_s=0.05)
    assert problem_of(refused.value).status == 504
    assert refused.value.code == "generation_timeout"
    assert "Retry-After" in problem_headers(refused.value)
    listed = (await gateway.get("/v1/generations")).json()["data"]
    assert [one["status"] for one in listed] == ["processing"]


async def test_a_surface_with_later_is_told_what_was_accepted(gateway):
    gateway.engine.hold()
    waited = await submit_and_wait(*await call(gateway), wait_s=0.05)
    assert waited.ended is None
    assert waited.accepted.generation_id.startswith("gen_")


async def test_whoever_waits_for_a_painting_that_fails_is_told_why(gateway):
    gateway.engine.fail_next(WeightsRejected("The weights of this model cannot be read."))
    with pytest.raises(WeightsRejected):
        await picture_or_refusal(*await call(gateway), wait_s=30)
