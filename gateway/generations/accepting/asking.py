"""What `Submit` is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from gateway.generations.accepting.moderating import source_picture
from gateway.generations.inputs.noticing import notices_of_files, notices_of_ratio
from gateway.generations.inputs.source_images import GivenImages
from gateway.generations.showing.fetch import View
from models import GenerationRequest, ImageSize
from models.notices import Notices
from router import Route
from safety import Decision, SourcePicture, Surface
from storage import Priority, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One call as the edge understood it, come in at `surface`.

    `body_sha256` tells equal bodies under one Idempotency-Key; `files` are those that `request.init_image` names, by their
    SHA-256; `source_size` is the picture's own, and `masked_share` the part of it that its mask lets be repainted. `prediction_events` are those that `webhook_url` hears of in Replicate's words; None: of the end, in ours.
    `ttl_s` is how long it is kept; None leaves that to the plan. `may_share` False asks for a painting of its own;
    `notices` are what the surface found by itself: members that
    it read and that change nothing. `is_retry` when the client says that it has sent the same before and heard nothing.
    """

    surface: Surface
    request: GenerationRequest
    webhook_url: str | None = None
    prediction_events: frozenset[str] | None = None
    idempotency_key: str | None = None
    body_sha256: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    masked_share: float | None = None
    source_size: ImageSize | None = None
    priority: Priority = Priority.INTERACTIVE
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    ttl_s: int | None = None
    may_share: bool = True
    is_retry: bool = False
    notices: Notices = ()

    @property
    def may_be_shared(self) -> bool:
        """Without a seed everybody expects a picture of their own."""
        return self.may_share and self.request.seed is not None

    @property
    def source(self) -> SourcePicture | None:
        """The picture that it begins from, as the content policy hears of it."""
        return source_picture(self.request.init_image, masked_share=self.masked_share)

    def beginning_from(self, images: GivenImages) -> Self:
        """The same, with the pictures read. A mask that leaves nothing out is named, and so is what was transparent."""
        request = replace(self.request, init_image=images.init_image)
        found = notices_of_files(has_lost_holes=images.has_lost_holes, masked_share=images.masked_share)
        return replace(
            self,
            request=request,
            files=images.files,
            masked_share=images.masked_share,
            source_size=images.size,
            notices=(*self.notices, *found),
        )

    def notices_with(self, route: Route) -> Notices:
        """Everything of the request that does not act as it was sent, once it is known what it becomes."""
        given, target = self.source_size, route.size_plan.target
        cropped = () if given is None else notices_of_ratio(given, target)
        return (*self.notices, *cropped, *route.notices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A generation that is written down. `is_replay` when an earlier call made it: with the same Idempotency-Key, or
    before its client sent it again. `view` is there where it was answered at once, `has_notifications` where somebody is to be
    told of that."""

    generation_id: str
    position: int
    estimated_ms: int
    created_at: datetime
    is_replay: bool
    state: State = State.QUEUED
    view: View | None = None
    has_notifications: bool = False
    notices: Notices = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a request would become, what the content policy says of it, and what it costs this caller. `is_painted`: it was painted before, and costs nothing as long
    as that is there, else `credits_max`."""

    route: Route
    decision: Decision
    credits: int
    credits_max: int
    estimated_ms: int
    is_painted: bool = False
    notices: Notices = ()
