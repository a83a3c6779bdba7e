"""What an operator is left of each generation that has ended: one line of the log, and numbers. Never a prompt."""

from datetime import timedelta

import msgspec
import structlog

from gateway.metrics import Metrics
from models import GenerationSpec
from models.spec import steps_asked
from storage import Generation

log = structlog.get_logger()


def note_end(generation: Generation, metrics: Metrics) -> None:
    """`generation` as its last row stands. Who shared a painting or was canceled in the queue waited to the end."""
    metrics.count_end(generation.state.value)
    begun_at = None if generation.is_sharer else generation.started_at
    waited_until = begun_at or generation.completed_at or generation.created_at
    waited_ms = (waited_until - generation.created_at) // timedelta(milliseconds=1)
    if begun_at is not None and generation.render_ms is not None:
        metrics.observe_painting(
            generation.model, generation.quality.value, waited_s=waited_ms / 1000, painted_s=generation.render_ms / 1000
        )
    specs = msgspec.json.decode(generation.specs, type=tuple[GenerationSpec, ...])
    log.info(
        "generation ended",
        generation=generation.id,
        state=generation.state.value,
        code=generation.error_code,
        account=generation.account_id,
        key=generation.key_id,
        model=generation.model,
        style=generation.style_resolved,
        quality=generation.quality.value,
        size=f"{generation.width}x{generation.height}",
        pictures=generation.picture_count,
        steps=steps_asked(specs[0]),
        waited_ms=waited_ms,
        painted_ms=generation.render_ms,
        painting=generation.painting_id,
        batch=generation.batch_id,
    )
