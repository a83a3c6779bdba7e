"""A rate window as headers: GenPicz's three, and the IETF draft's two (draft-ietf-httpapi-ratelimit-headers-11)."""

from datetime import datetime

from gateway.access import Window


def rate_headers(window: Window | None, *, now: datetime) -> tuple[tuple[str, str], ...]:
    """`X-RateLimit-Reset` is in seconds since the epoch, `t` in `RateLimit` in seconds from now. None: no limit."""
    if window is None:
        return ()
    left_s = max(0, window.resets_at - int(now.timestamp()))
    return (
        ("X-RateLimit-Limit", str(window.limit)),
        ("X-RateLimit-Remaining", str(window.remaining)),
        ("X-RateLimit-Reset", str(window.resets_at)),
        ("RateLimit-Policy", f'"{window.name}";q={window.limit};w={window.length_s}'),
        ("RateLimit", f'"{window.name}";r={window.remaining};t={left_s}'),
    )
