"""What answers look like, for the OpenAPI document: the members that matter, by the name of the body."""

from collections.abc import Mapping

from pydantic import JsonValue

EXAMPLES: Mapping[str, dict[str, JsonValue]] = {
    "GenerationBody": {
        "generation_id": "gen_Kz9mN4pQr2xTvW",
        "status": "completed",
        "image_url": "http://127.0.0.1:8000/img/9e95e2989033b0d4a8626bb73f11c31a.png",
        "width": 1024,
        "height": 1024,
        "style": "cinematic",
        "seed": 4829301,
        "created_at": "2026-06-01T10:32:44Z",
        "credits_used": 1,
        "cached": False,
        "render_ms": 812,
        "prompt": "a red lighthouse by the sea at sunset",
        "style_resolved": "cinematic",
        "style_reason": "requested",
        "model": "starter",
        "quality": "hd",
        "livemode": True,
        "ai_generated": True,
    },
    "AcceptedBody": {
        "generation_id": "gen_Kz9mN4pQr2xTvW",
        "status": "queued",
        "poll_url": "http://127.0.0.1:8000/v1/generations/gen_Kz9mN4pQr2xTvW",
        "queue_position": 0,
        "estimated_ms": 900,
        "created_at": "2026-06-01T10:32:44Z",
    },
    "QuoteBody": {
        "object": "quote",
        "credits": 1,
        "credits_max": 1,
        "exact": True,
        "estimated_ms": 900,
        "style_resolved": "cinematic",
        "style_reason": "requested",
        "width": 1024,
        "height": 1024,
        "model": "starter",
        "cached": False,
    },
}
