"""What is drawn over the pictures of a generation: over finished ones, and over the previews on the way."""

import asyncio
from collections.abc import Mapping

import msgspec

from models import GenerationRequest
from safety.provenance import Mark, marked_jpeg
from storage import Generation


def marks_of(generation: Generation) -> frozenset[Mark]:
    """What was asked for, and what a test key cannot do without."""
    request = msgspec.json.decode(generation.request, type=GenerationRequest)
    marks = {Mark.LABEL: request.label, Mark.TEST: not generation.livemode}
    return frozenset(mark for mark, is_due in marks.items() if is_due)


async def marked_previews(generation: Generation, previews: Mapping[int, bytes]) -> Mapping[int, bytes]:
    """Small JPEGs by the position of their picture, marked as the finished picture will be."""
    if not previews or not (marks := marks_of(generation)):
        return previews
    return {position: await asyncio.to_thread(marked_jpeg, jpeg, marks) for position, jpeg in previews.items()}
