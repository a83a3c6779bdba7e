"""A generation in the shape of Replicate's prediction."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from pydantic import BaseModel

from gateway.generations import Page, PublicUrls, View
from gateway.generations.painting.notifying import PredictionBody
from gateway.http.dialects.members import words_of
from gateway.http.dialects.replicate.orders import INPUT, OWNER, WHERE
from gateway.http.dialects.warnings import warnings_of
from gateway.http.generations.presenting import warning_bodies
from gateway.wire import Moment, WarningBody
from models import GenerationRequest
from storage import Generation, State

INPUT_WORDS = words_of(INPUT, INPUT, place=WHERE)
PredictionStatus = Literal["starting", "processing", "succeeded", "failed", "canceled"]
STATUSES: Mapping[State, PredictionStatus] = {
    State.QUEUED: "starting",
    State.PROCESSING: "processing",
    State.COMPLETED: "succeeded",
    State.FAILED: "failed",
    State.CANCELED: "canceled",
}


class MetricsBody(BaseModel):
    """Seconds."""

    predict_time: float
    total_time: float


class PredictionUrls(BaseModel):
    get: str
    cancel: str


class PredictionAnswer(BaseModel):
    """`warnings` are ours. `output` holds the pictures' addresses; `version` is the model's name, for versions have no other here."""

    id: str
    model: str
    version: str
    input: dict[str, object]
    output: list[str] | None
    logs: str
    error: str | None
    status: PredictionStatus
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None
    urls: PredictionUrls
    metrics: MetricsBody | None
    warnings: list[WarningBody]
    source: Literal["api"] = "api"


class PredictionPage(BaseModel):
    """`next` is the address of what follows."""

    next: str | None
    previous: None = None
    results: list[PredictionAnswer]


def prediction_answer(view: View, urls: PublicUrls) -> PredictionAnswer:
    generation = view.generation
    here = prediction_url(generation.id, urls)
    return PredictionAnswer(
        id=generation.id,
        model=f"{OWNER}/{generation.model}",
        version=generation.model,
        input=_input_of(generation),
        output=[urls.image(picture.name) for picture in view.pictures] or None,
        logs=_logs_of(view),
        error=generation.error_message,
        status=STATUSES[generation.state],
        created_at=generation.created_at,
        started_at=generation.started_at,
        completed_at=generation.completed_at,
        urls=PredictionUrls(get=here, cancel=f"{here}/cancel"),
        metrics=_metrics_of(generation),
        warnings=warning_bodies(warnings_of(view, INPUT_WORDS)),
    )


def prediction_bodies(urls: PublicUrls) -> PredictionBody:
    """How webhooks write a generation."""
    return lambda view: prediction_answer(view, urls).model_dump_json().encode()


def prediction_page(page: Page, urls: PublicUrls) -> PredictionPage:
    following = f"{urls.root}/v1/predictions?cursor={page.cursor}" if page.cursor else None
    return PredictionPage(next=following, results=[prediction_answer(view, urls) for view in page.views])


def prediction_url(id: str, urls: PublicUrls) -> str:
    return f"{urls.root}/v1/predictions/{id}"


def _input_of(generation: Generation) -> dict[str, object]:
    """What was asked, in the words of the form; with the seed that was drawn for it."""
    asked = msgspec.json.decode(generation.request, type=GenerationRequest)
    return {
        "prompt": asked.prompt,
        "negative_prompt": asked.negative_prompt,
        "style": asked.style,
        "quality": generation.quality,
        "width": generation.width,
        "height": generation.height,
        "num_outputs": asked.n,
        "seed": generation.seed,
        "output_format": generation.format,
    }


def _logs_of(view: View) -> str:
    """A line as tqdm draws it: Replicate's clients read the progress out of that."""
    progress = view.progress
    if progress is None or not progress.steps:
        return ""
    percentage = 100 * progress.step // progress.steps
    return f"{percentage:3d}%|{'#' * (percentage // 10):10}| {progress.step}/{progress.steps}\n"


def _metrics_of(generation: Generation) -> MetricsBody | None:
    if generation.completed_at is None or generation.render_ms is None:
        return None
    total_s = (generation.completed_at - generation.created_at).total_seconds()
    return MetricsBody(predict_time=generation.render_ms / 1000, total_time=total_s)
