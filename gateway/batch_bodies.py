"""Bodies of the batch endpoints, in and out. An item's own members are those of `gateway.orders.GenerateBody`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gateway.wire import GenerationBody, Moment
from models.request import MAX_METADATA_PAIRS

BatchStatus = Literal["processing", "canceling", "completed", "canceled"]
ItemStatus = Literal["queued", "processing", "completed", "failed", "canceled", "refused"]


class BatchOrder(BaseModel):
    """What `POST /v1/batches` takes as JSON. Items are judged one by one, so their form is not checked here."""

    model_config = ConfigDict(strict=True, extra="forbid")

    items: list[JsonValue] = Field(
        description="Bodies of `POST /v1/generate` without `webhook_url`, `async` and `dry_run`, with a `custom_id`."
    )
    defaults: dict[str, JsonValue] | None = Field(
        None, description="Members for every item that does not name them itself."
    )
    webhook_url: str | None = Field(None, description="Post here once, when every item has ended.")
    metadata: dict[str, str] | None = Field(
        None, description="Yours; it comes back.", json_schema_extra={"maxProperties": MAX_METADATA_PAIRS}
    )


class CountsBody(BaseModel):
    """How many items stand where; together `total`."""

    total: int
    queued: int
    processing: int
    completed: int
    failed: int
    canceled: int
    refused: int


class BatchBody(BaseModel):
    """A batch in any state. `completed`: every item has ended, whichever way; `counts` tells which."""

    id: str = Field(description="The same as `batch_id`, for clients that turn pages by it.")
    batch_id: str
    object: Literal["batch"] = "batch"
    status: BatchStatus
    counts: CountsBody
    items_url: str
    results_url: str
    metadata: dict[str, str]
    livemode: bool
    created_at: Moment
    canceled_at: Moment | None
    completed_at: Moment | None


class ItemFailureBody(BaseModel):
    """Why an item was refused, or failed: what a single call would have been answered."""

    code: str
    message: str
    param: str | None


class ItemBody(BaseModel):
    """One item, at its `position` as it was sent. `generation` is null before it has one, and after it was deleted."""

    position: int
    custom_id: str | None
    status: ItemStatus
    generation_id: str | None
    generation: GenerationBody | None
    error: ItemFailureBody | None


class ItemListBody(BaseModel):
    """One page, in the order in which the items were sent."""

    object: Literal["list"] = "list"
    data: list[ItemBody]
    has_more: bool
    next_cursor: str | None
