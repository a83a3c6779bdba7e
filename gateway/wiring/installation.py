"""What one machine's settings decide, for the server and for the command line beside it: built here, used anywhere."""

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import structlog

from gateway.access import Plans, load_plans
from gateway.accounts import Accounts
from gateway.clock import Clock, utc_now
from gateway.generations.showing.provenance import Provenance
from gateway.identity import new_id
from gateway.image_decoder import ImageDecoder
from gateway.settings import ROOT, Settings, child_environment
from gateway.webhooks import Destinations, Outbox
from gateway.wiring.access import Access
from gateway.wiring.starting import check_device, folder_errors, prepare_folder
from models import MAX_SEED, Catalogue, Engine, SettingInvalid, load_catalogue
from models.process.engine import EngineProcess
from models.process.protocol import Compute
from router import Router, Styles, load_styles
from safety import ModerationInput, PromptFilter
from storage import Database
from storage.blobs import open_blobs
from storage.recent_blobs import RecentBlobs
from storage.signing_keys import read_or_make_keys

log = structlog.get_logger()

SEEDS = MAX_SEED + 1


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Everything that one machine's settings decide, each part made when it is first asked for."""

    settings: Settings
    clock: Clock = utc_now

    @cached_property
    def catalogue(self) -> Catalogue:
        folders = (self.settings.config_dir, self.settings.data_dir)
        return load_catalogue(
            *(folder / "models" for folder in folders),
            root=ROOT,
            adapters=[folder / "loras" for folder in folders],
            vaes=[folder / "vaes" for folder in folders],
            upscalers=[folder / "upscalers" for folder in folders],
        )

    @cached_property
    def styles(self) -> Styles:
        return load_styles(self.settings.config_dir / "styles")

    @cached_property
    def plans(self) -> Plans:
        return load_plans(self.settings.config_dir / "plans.toml")

    @cached_property
    def router(self) -> Router:
        return Router(self.styles, self.catalogue)

    @cached_property
    def prompt_filter(self) -> PromptFilter:
        return PromptFilter.load(self.settings.config_dir / "safety")

    def check_policy(self, given: ModerationInput) -> None:
        """What somebody at this machine asks for, judged by the server's policy. Raises PromptBlocked."""
        self.prompt_filter.check(given, policy=self.settings.safety_policy)

    @cached_property
    def database(self) -> Database:
        return Database(self.settings.database)

    @cached_property
    def blobs(self) -> RecentBlobs:
        return RecentBlobs(open_blobs(self.settings.blobs))

    @cached_property
    def provenance(self) -> Provenance:
        return Provenance(database=self.database, decoder=ImageDecoder())

    @cached_property
    def signing_keys(self) -> tuple[bytes, ...]:
        """Of addresses; from the data folder where none are set."""
        given = self.settings.url_signing_keys
        if given:
            return tuple(key.get_secret_value().encode() for key in given)
        with folder_errors(self.settings.data_dir):
            return read_or_make_keys(self.settings.data_dir / "url-signing.keys", lambda: secrets.token_urlsafe(32))

    @cached_property
    def access(self) -> Access:
        return Access(
            database=self.database,
            blobs=self.blobs,
            plans=self.plans,
            pepper=self.settings.key_pepper_bytes,
            clock=self.clock,
        )

    async def check_plans(self) -> None:
        """Raises SettingInvalid: `plans.toml` lacks a plan that a style or an account needs, or a safety policy is not there."""
        self.prompt_filter.check_policy(self.settings.safety_policy, named_by="PINXIT_SAFETY_POLICY")
        for plan in self.plans.all():
            if plan.safety_policy is not None:
                self.prompt_filter.check_policy(plan.safety_policy, named_by=f"plans.toml: [{plan.id}] safety_policy")
        for style in self.styles.entries(self.catalogue):
            if style.min_plan not in self.plans.ids():
                raise SettingInvalid(f"plans.toml has no plan {style.min_plan!r}, which the style {style.id!r} needs.")
        await self.accounts.check_plans()

    @property
    def accounts(self) -> Accounts:
        return self.access.accounts

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(new_id=new_id)

    @cached_property
    def destinations(self) -> Destinations:
        settings = self.settings
        if settings.is_local:
            log.info("webhooks may go to this machine", networks="127.0.0.0/8, ::1", why="bound to loopback")
        return Destinations(
            allow_loopback=settings.is_local,
            allowed_networks=settings.webhook_allowed_networks,
            allowed_ports=settings.webhook_allowed_ports,
        )

    def store_failures(self) -> dict[str, int]:
        """How often each store did not answer this process."""
        return {"database": self.database.failures, "pictures": self.blobs.failures}

    def engine(self) -> Engine:
        """Raises SettingInvalid: the device is not there, or what is measured cannot be kept in the data folder."""
        check_device(self.settings)
        prepare_folder(self.settings)
        return EngineProcess(
            self.catalogue,
            device=self.settings.device,
            threads=self.settings.threads,
            slots=self.settings.slots,
            calibrations=self.settings.data_dir / "calibrations",
            compute=Compute(self.settings.compute),
            dtype=self.settings.dtype,
            environment=child_environment(),
        )

    @property
    def is_single(self) -> bool:
        """SQLite belongs to one server; on PostgreSQL others may be working, and only lapsed leases are taken."""
        return self.settings.database.startswith("sqlite")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the data folder: embedded mode is one server process.

        Raises:
            SettingInvalid: another server has it, or it cannot be written.
        """
        prepare_folder(self.settings)
        with folder_errors(self.settings.data_dir):
            held = (self.settings.data_dir / "server.lock").open("w")
        with held as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SettingInvalid(
                    f"PINXIT_DATA_DIR: another server is running on {self.settings.data_dir}."
                ) from None
            yield
