"""Builds the way of a generation: accepted, painted, shown, ended; and batches of them."""

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from gateway.batches import Batches
from gateway.generations import (
    Cancel,
    Disconnects,
    Fetch,
    Pace,
    PictureFiles,
    ProgressBoard,
    PublicUrls,
    Remove,
    Replay,
    Runner,
    Settle,
    SourceImages,
    Submit,
    Sweeper,
    Variants,
    Watching,
)
from gateway.generations.accepting.deciding import Decide
from gateway.generations.accepting.entering import Enter
from gateway.generations.accepting.moderating import Moderation
from gateway.generations.accepting.recalling import Recall
from gateway.generations.accepting.sharing import Sharing
from gateway.generations.ending.remains import Remains
from gateway.generations.inputs.canonical import Revisions
from gateway.generations.painting.keeping import Keep
from gateway.generations.painting.notifying import PredictionBody
from gateway.identity import new_id
from gateway.image_decoder import ImageDecoder
from gateway.metrics import Metrics
from gateway.queue import EmbeddedQueue
from gateway.readiness import Readiness
from gateway.wiring.installation import SEEDS, Installation
from gateway.wiring.webhooks import WebhookParts
from gateway.worker import Worker
from models import Engine
from storage.links import Signer


@dataclass(frozen=True, kw_only=True)
class PaintingParts:
    """Each part made when it is first asked for. `base_url` is how callers reach this server."""

    installation: Installation
    engine: Engine
    base_url: str
    metrics: Metrics
    webhooks: WebhookParts
    prediction_bodies: Callable[[PublicUrls], PredictionBody]
    queue: EmbeddedQueue = field(default_factory=EmbeddedQueue)
    board: ProgressBoard = field(default_factory=ProgressBoard)
    pace: Pace = field(default_factory=lambda: Pace(time.monotonic))

    @cached_property
    def urls(self) -> PublicUrls:
        inst = self.installation
        lifetime_s = inst.settings.image_url_life_s if inst.settings.private_images else None
        return PublicUrls(root=self.base_url, signer=Signer(inst.signing_keys), clock=inst.clock, lifetime_s=lifetime_s)

    @cached_property
    def files(self) -> PictureFiles:
        inst = self.installation
        return PictureFiles(database=inst.database, blobs=inst.blobs, metrics=self.metrics)

    @cached_property
    def variants(self) -> Variants:
        inst = self.installation
        return Variants(
            database=inst.database,
            blobs=inst.blobs,
            files=self.files,
            widths=frozenset(inst.settings.variant_widths),
            qualities=frozenset(inst.settings.variant_qualities),
        )

    @cached_property
    def fetch(self) -> Fetch:
        return Fetch(database=self.installation.database, board=self.board)

    @cached_property
    def source_images(self) -> SourceImages:
        return SourceImages(fetch=self.fetch, files=self.files, blobs=self.installation.blobs, decoder=ImageDecoder())

    @cached_property
    def submit(self) -> Submit:
        return Submit(
            database=self.installation.database,
            decide=self.decide,
            enter=self.enter,
            source_images=self.source_images,
            queue=self.queue,
        )

    @cached_property
    def decide(self) -> Decide:
        inst = self.installation
        return Decide(
            database=inst.database,
            router=inst.router,
            moderation=self.moderation,
            plans=inst.plans,
            sharing=self.sharing,
            pace=self.pace,
            clock=inst.clock,
            new_id=new_id,
            new_seed=lambda: secrets.randbelow(SEEDS),
        )

    @cached_property
    def moderation(self) -> Moderation:
        inst = self.installation
        return Moderation(
            prompt_filter=inst.prompt_filter,
            policy=inst.settings.safety_policy,
            database=inst.database,
            metrics=self.metrics,
            clock=inst.clock,
            keeps_texts=timedelta(days=inst.settings.safety_text_days),
            keeps_rows=timedelta(days=inst.settings.safety_record_days),
        )

    @cached_property
    def enter(self) -> Enter:
        inst = self.installation
        retry_within = timedelta(seconds=inst.settings.retry_within_s)
        return Enter(
            recall=Recall(database=inst.database, clock=inst.clock, retry_within=retry_within),
            sharing=self.sharing,
            settle=self.settle,
            max_queued=inst.settings.max_queued,
        )

    @cached_property
    def sharing(self) -> Sharing:
        return Sharing(
            database=self.installation.database,
            files=self.files,
            revisions=Revisions(engine=self.engine, catalogue=self.installation.catalogue),
        )

    @cached_property
    def cancel(self) -> Cancel:
        return Cancel(fetch=self.fetch, settle=self.settle)

    @cached_property
    def disconnects(self) -> Disconnects:
        return Disconnects(self.cancel, grace_s=self.installation.settings.leave_grace_s)

    @cached_property
    def remove(self) -> Remove:
        inst = self.installation
        return Remove(
            database=inst.database, blobs=inst.blobs, fetch=self.fetch, settle=self.settle, let_go=self.worker.let_go
        )

    @cached_property
    def sweeper(self) -> Sweeper:
        inst = self.installation
        return Sweeper(
            database=inst.database,
            remove=self.remove,
            blobs=inst.blobs,
            forget_decisions=self.moderation.forget,
            clock=inst.clock,
        )

    @cached_property
    def workspace(self) -> Path:
        """Where pictures lie while they are painted; see `Remains`."""
        return self.installation.settings.data_dir / "work"

    @cached_property
    def readiness(self) -> Readiness:
        inst = self.installation
        return Readiness(database=inst.database, blobs=inst.blobs, workspace=self.workspace, seconds=time.monotonic)

    @cached_property
    def remains(self) -> Remains:
        inst = self.installation
        return Remains(workspace=self.workspace, blobs=inst.blobs, clock=inst.clock, is_single=inst.is_single)

    @cached_property
    def replay(self) -> Replay:
        inst = self.installation
        return Replay(
            submit=self.submit,
            fetch=self.fetch,
            source_images=self.source_images,
            styles=inst.styles,
            catalogue=inst.catalogue,
            clock=inst.clock,
            new_id=new_id,
        )

    @cached_property
    def batches(self) -> Batches:
        return Batches(
            gatekeeper=self.installation.access.gatekeeper,
            submit=self.submit,
            generations=self.fetch,
            settle=self.settle,
            blobs=self.installation.blobs,
            settings=self.installation.settings,
        )

    @cached_property
    def settle(self) -> Settle:
        return Settle(
            prediction=self.prediction_bodies(self.urls),
            metrics=self.metrics,
            database=self.installation.database,
            board=self.board,
            urls=self.urls,
            clock=self.installation.clock,
            outbox=self.installation.outbox,
            on_event=self.webhooks.deliveries.wake,
            halt=self._halt,
        )

    @cached_property
    def worker(self) -> Worker:
        settings = self.installation.settings
        return Worker(
            database=self.installation.database,
            queue=self.queue,
            run=self.runner,
            owner=new_id(f"server-{os.getpid()}"),
            slots=settings.slots,
            lease_s=settings.lease_s,
            poll_s=settings.poll_s,
        )

    @cached_property
    def runner(self) -> Runner:
        inst = self.installation
        return Runner(
            metrics=self.metrics,
            engine=self.engine,
            database=inst.database,
            blobs=inst.blobs,
            source_images=self.source_images,
            settle=self.settle,
            queue=self.queue,
            board=self.board,
            pace=self.pace,
            keep=Keep(blobs=inst.blobs),
            workspace=self.workspace,
            lease_s=inst.settings.lease_s,
        )

    def _halt(self, painting_id: str) -> None:
        """The worker is made of what calls this, so it is looked for when it is needed."""
        self.worker.halt(painting_id)

    @cached_property
    def watching(self) -> Watching:
        return Watching(fetch=self.fetch, board=self.board, pace=self.pace)
