"""From what is known of batches to what the contract shows."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict

from gateway.batch_bodies import BatchBody, CountsBody, ItemBody, ItemFailureBody, ItemStatus
from gateway.batches import BatchView, ItemView
from gateway.generations import PublicUrls
from gateway.http.generations.presenting import generation_body
from storage import ItemState, State

COLUMNS = (
    "position", "custom_id", "status", "generation_id", "image_url", "seed", "width", "height", "style_resolved",
    "credits_used", "error_code", "error_message", "warnings",
)  # fmt: skip

ENDS: Mapping[ItemState, ItemStatus] = {
    ItemState.COMPLETED: "completed",
    ItemState.FAILED: "failed",
    ItemState.CANCELED: "canceled",
    ItemState.REFUSED: "refused",
}


def batch_body(view: BatchView, urls: PublicUrls) -> BatchBody:
    batch, url = view.batch, urls.batch(view.batch.id)
    return BatchBody(
        id=batch.id,
        batch_id=batch.id,
        status=batch.state.value,
        counts=CountsBody(**asdict(view.counts)),
        items_url=f"{url}/items",
        results_url=f"{url}/results",
        metadata=dict(batch.metadata),
        livemode=batch.livemode,
        created_at=batch.created_at,
        canceled_at=batch.canceled_at,
        completed_at=batch.completed_at,
    )


def item_body(view: ItemView, urls: PublicUrls) -> ItemBody:
    item = view.item
    return ItemBody(
        position=item.position,
        custom_id=item.custom_id,
        status=_status(view),
        generation_id=item.generation_id,
        generation=None if view.generation is None else generation_body(view.generation, urls),
        error=_failure(view),
    )


async def json_lines(views: AsyncIterator[ItemView], urls: PublicUrls) -> AsyncIterator[bytes]:
    async for view in views:
        yield item_body(view, urls).model_dump_json(by_alias=True).encode() + b"\n"


async def csv_rows(views: AsyncIterator[ItemView], urls: PublicUrls) -> AsyncIterator[bytes]:
    """A picture a cell: of several pictures the first; the others stand in the JSON lines."""
    yield _row(COLUMNS)
    async for view in views:
        body = item_body(view, urls)
        known = {**({} if body.generation is None else body.generation.model_dump()), **body.model_dump()}
        if body.error is not None:
            known |= {"error_code": body.error.code, "error_message": body.error.message}
        if body.generation is not None:
            known["warnings"] = " ".join(warning.code for warning in body.generation.warnings)
        yield _row([known.get(name) for name in COLUMNS])


def _row(cells: Sequence[object]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _status(view: ItemView) -> ItemStatus:
    if view.item.state in ENDS:
        return ENDS[view.item.state]
    is_painted = view.generation is not None and view.generation.generation.state is State.PROCESSING
    return "processing" if is_painted else "queued"


def _failure(view: ItemView) -> ItemFailureBody | None:
    item = view.item
    if item.error_code is not None:
        return ItemFailureBody(code=item.error_code, message=item.error_message or "", param=item.error_field)
    if item.state is not ItemState.FAILED or view.generation is None:
        return None
    failed = view.generation.generation
    return ItemFailureBody(code=failed.error_code or "internal_error", message=failed.error_message or "", param=None)
