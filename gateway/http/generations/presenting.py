"""From what the use cases know to what the contract shows."""

from collections.abc import Mapping

import msgspec

from gateway.generations import Accepted, PublicUrls, Quote, Replayed, View
from gateway.wire import (
    AcceptedBody,
    FailureBody,
    GenerationBody,
    ImageBody,
    ProgressBody,
    QuoteBody,
    RecipesBody,
    ReplayBody,
    ReplayedImageBody,
    SizePlanBody,
    WarningBody,
)
from models import (
    Failed,
    ModelUnavailable,
    OutOfMemory,
    PaintingBroken,
    PaintingCrashed,
    Progress,
    Recipe,
    WeightsRejected,
    notices,
)
from models.notices import Notices
from models.replay import Comparison
from storage import BlobDamaged, BlobGone, Generation, Picture, Priority, State

FAILURES: Mapping[str, type[Failed]] = {
    failure.code: failure
    for failure in (
        *(PaintingBroken, PaintingCrashed, OutOfMemory, ModelUnavailable, WeightsRejected),
        *(BlobGone, BlobDamaged),
    )
}


def generation_body(view: View, urls: PublicUrls) -> GenerationBody:
    generation, pictures = view.generation, view.pictures
    return GenerationBody(
        generation_id=generation.id,
        status=generation.state.value,
        image_url=urls.image(pictures[0].name) if pictures else None,
        width=generation.width,
        height=generation.height,
        style=generation.style,
        seed=generation.seed,
        created_at=generation.created_at,
        credits_used=generation.credits_used,
        images=[_image_body(picture, urls) for picture in pictures],
        cached=generation.is_sharer,
        render_ms=generation.render_ms,
        prompt=generation.prompt,
        revised_prompt=generation.revised_prompt,
        negative_prompt_used=generation.negative_prompt_used,
        style_resolved=generation.style_resolved,
        style_reason=generation.style_reason,
        model=generation.model,
        quality=generation.quality,
        livemode=generation.livemode,
        ai_generated=True,
        expires_at=generation.expires_at,
        started_at=generation.started_at,
        completed_at=generation.completed_at,
        progress=_progress_body(view.progress),
        queue_position=view.position,
        error=_failure_body(generation),
        replay_of=generation.replay_of,
        priority="batch" if generation.priority >= Priority.BATCH else "interactive",
        metadata=dict(generation.metadata),
        batch_id=generation.batch_id,
        warnings=warning_bodies(notices.read(generation.notices)),
    )


def failure_of(generation: Generation) -> Failed | None:
    """What to raise to somebody who waited for it; None for any other state than failed."""
    if generation.state is not State.FAILED:
        return None
    failure = FAILURES.get(generation.error_code or "", PaintingBroken)
    return failure(generation.error_message or "The picture could not be painted.")


def recipes_body(generation: Generation) -> RecipesBody:
    recipes = msgspec.json.decode(generation.recipes or b"[]", type=list[Recipe])
    return RecipesBody(generation_id=generation.id, recipes=recipes)


def replay_body(replayed: Replayed) -> ReplayBody:
    return ReplayBody(
        generation_id=replayed.generation_id,
        replay_of=replayed.replay_of,
        identical=replayed.is_identical,
        images=[_replayed_image_body(picture) for picture in replayed.pictures],
    )


def accepted_body(accepted: Accepted, urls: PublicUrls) -> AcceptedBody:
    return AcceptedBody(
        generation_id=accepted.generation_id,
        status=accepted.state.value,
        poll_url=urls.generation(accepted.generation_id),
        queue_position=accepted.position,
        estimated_ms=accepted.estimated_ms,
        created_at=accepted.created_at,
        warnings=warning_bodies(accepted.notices),
    )


def quote_body(quote: Quote) -> QuoteBody:
    route, plan = quote.route, quote.route.size_plan
    return QuoteBody(
        credits=quote.credits,
        credits_max=quote.credits_max,
        exact=not quote.is_painted,
        estimated_ms=quote.estimated_ms,
        style_resolved=route.style_resolved,
        style_reason=route.style_reason,
        width=plan.delivered.width,
        height=plan.delivered.height,
        size_plan=SizePlanBody(
            painted=str(plan.painted),
            refined=str(plan.refined) if plan.refined else None,
            target=str(plan.target),
            delivered=str(plan.delivered),
            resampling=plan.resampling,
            upscale=plan.upscale,
            upscale_resampling=plan.upscale_resampling,
        ),
        model=route.model,
        cached=quote.is_painted,
        warnings=warning_bodies(quote.notices),
    )


def warning_bodies(found: Notices) -> list[WarningBody]:
    return [
        WarningBody(code=one.code, message=one.message, param=one.param, words=list(one.words) or None) for one in found
    ]


def _replayed_image_body(picture: Comparison) -> ReplayedImageBody:
    return ReplayedImageBody(
        expected_pixel_sha256=picture.expected_pixel_sha256,
        pixel_sha256=picture.pixel_sha256,
        identical=picture.is_identical,
        differences=list(picture.differences),
    )


def _image_body(picture: Picture, urls: PublicUrls) -> ImageBody:
    return ImageBody(
        url=urls.image(picture.name),
        thumbnail_url=urls.thumbnail(picture.name),
        seed=picture.seed,
        width=picture.width,
        height=picture.height,
        format=picture.format,
        pixel_sha256=picture.pixel_sha256,
        delivered_sha256=picture.delivered_sha256,
        file_sha256=picture.file_sha256,
    )


def _progress_body(progress: Progress | None) -> ProgressBody | None:
    if progress is None:
        return None
    return ProgressBody(phase=progress.phase.value, step=progress.step, steps=progress.steps, eta_ms=progress.eta_ms)


def _failure_body(generation: Generation) -> FailureBody | None:
    if generation.state is not State.FAILED:
        return None
    return FailureBody(code=generation.error_code or "internal_error", message=generation.error_message or "")
