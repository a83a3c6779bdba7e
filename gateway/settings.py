"""One frozen tree of settings, from `configs/gateway.toml` and `PINXIT_*` variables (a variable wins over the file)."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveInt, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gateway.setting_values import (
    BlobUrl,
    DatabaseUrl,
    HostName,
    Origin,
    Port,
    PublicUrl,
    RedisUrl,
    split_list,
    split_pairs,
    without_password,
)
from models import SettingInvalid

PREFIX = "PINXIT_"
CLIENT_VARIABLES = frozenset({"PINXIT_API_KEY", "PINXIT_BASE_URL", "PINXIT_PROFILE", "PINXIT_KEY"})
"""What clients read. Whoever runs a server often has them set too: no settings, and they stop no command."""
ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What the operator decides. Each member may be set as `PINXIT_<NAME>` or in `gateway.toml`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(ROOT / "data", description="Folder for the database, the pictures and added models.")
    config_dir: Path = Field(ROOT / "configs", description="Folder of models, styles, safety rules and plans.")
    database_url: DatabaseUrl | None = Field(None, description="SQLAlchemy URL; none means SQLite in the data folder.")
    redis_url: RedisUrl | None = Field(
        None, description="Redis that wakes workers elsewhere; not built yet, must stay unset."
    )
    blob_url: BlobUrl | None = Field(None, description="Where pictures are kept; none means the data folder.")
    public_url: PublicUrl | None = Field(None, description="How callers reach us; none means http://host:port.")
    allowed_hosts: Annotated[frozenset[HostName], NoDecode, BeforeValidator(split_list)] = Field(
        frozenset(),
        description="Names that callers may reach us by where no public address is set, with commas between;"
        " IP addresses and localhost always may.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="What paints; auto prefers CUDA.")
    threads: int | None = Field(None, ge=1, le=256, description="CPU threads of the engine; none means all cores.")
    slots: int = Field(8, ge=1, le=256, description="Pictures the engine holds at a time; others wait in the queue.")
    compute: Literal["exact", "fast"] = Field(
        "exact",
        description="exact: other pictures in a batch never change a picture's bits; fast: it may change the last ones.",
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="How numbers are held; auto takes what is best on the device."
    )
    log_format: Literal["console", "json"] = Field("console", description="How log lines look on stderr.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    log_requests: bool = Field(False, description="One log line for each request: method, path, status, account.")
    sync_wait_s: float = Field(60, gt=0, le=3600, description="Longest wait of a synchronous call, seconds.")
    heartbeat_s: float = Field(
        15, gt=0, le=300, description="A stream of events says this often that it lives, seconds."
    )
    leave_grace_s: float = Field(
        30, ge=0, le=3600, description="A caller who leaves a synchronous call may come back this long."
    )
    retry_within_s: float = Field(
        600, ge=0, le=86400, description="A request that a client sends again this soon joins its first one, seconds."
    )
    lease_s: float = Field(30, gt=0, le=3600, description="A worker that shows no progress this long loses its work.")
    poll_s: float = Field(1, gt=0, le=60, description="How often a worker looks into the database unasked, seconds.")
    max_queued: int = Field(1000, ge=1, description="Open generations before new ones are refused with queue_full.")
    model_aliases: Annotated[Mapping[str, str], NoDecode, BeforeValidator(split_pairs)] = Field(
        {"gpt-image-*": "default", "chatgpt-image-*": "default", "dall-e-*": "default"},
        description="Model names that other people's clients send and the model that each means, as name=model with"
        " commas between; `*` fits anything, `default` lets the style decide.",
    )
    safety_policy: str = Field(
        "standard",
        description="Policy of configs/safety/policies.toml that requests are judged by (strict, standard, permissive);"
        " a plan may name another.",
    )
    safety_text_days: int = Field(
        30, ge=0, le=3650, description="How long the texts of flagged and refused requests are kept for review, days."
    )
    safety_record_days: int = Field(
        365, ge=1, le=3650, description="How long it is kept that a request was flagged or refused, days."
    )
    key_pepper: Annotated[SecretStr, Field(min_length=16)] | None = Field(
        None, description="Secret mixed into the hashes of new keys; those keys are good only while it stays the same."
    )
    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = Field(
        None, description="Bearer token for /metrics; none means that only an unpublished loopback server shows it."
    )
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(split_list)] = Field(
        (), description="Web origins whose pages may call /v1, with commas between; * means all."
    )
    private_images: bool = Field(
        False, description="Addresses of pictures are signed and end; otherwise their names are enough, for ever."
    )
    image_url_life_s: int = Field(
        86_400,
        ge=60,
        description="Longest time an address of a private picture is good, seconds; up to a quarter, or five minutes, less.",
    )
    url_signing_keys: Annotated[
        tuple[Annotated[SecretStr, Field(min_length=16)], ...], NoDecode, BeforeValidator(split_list)
    ] = Field(
        (),
        description="Secrets that sign addresses of pictures, with commas between: the first signs, all are believed;"
        " none means those in the data folder.",
    )
    variant_widths: Annotated[tuple[PositiveInt, ...], NoDecode, BeforeValidator(split_list)] = Field(
        (256, 512, 1024), description="Widths that pictures may be asked for in, with commas between."
    )
    variant_qualities: Annotated[
        tuple[Annotated[int, Field(ge=1, le=100)], ...], NoDecode, BeforeValidator(split_list)
    ] = Field((50, 80, 90), description="Qualities that pictures may be asked for in, with commas between.")
    max_batch_queued: int = Field(
        10_000, ge=1, description="Generations of batches in the queue; what is more waits in its batch."
    )
    max_batch_items: int = Field(
        200_000, ge=1, description="Items of unfinished batches before new batches are refused with queue_full."
    )
    max_picture_json_bytes: int = Field(
        28_000_000,
        ge=1_000_000,
        description="Largest JSON body of A1111's, Hugging Face's and Replicate's paths that take a picture, bytes.",
    )
    max_batch_bytes: int = Field(20_000_000, ge=1, description="Largest CSV or JSONL file of a batch, bytes.")
    max_connections: int = Field(
        2000, ge=1, description="Connections held at a time; fewer where the machine's limit of open files is low."
    )
    max_files: int = Field(100, ge=1, description="Most files an account may keep for batches (`/v1/files`).")
    webhook_allowed_networks: Annotated[
        tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(split_list)
    ] = Field((), description="Private networks that webhooks may reach, as CIDR, with commas between.")
    webhook_allowed_ports: Annotated[frozenset[Port], NoDecode, BeforeValidator(split_list)] = Field(
        frozenset({80, 443}), min_length=1, description="Ports that webhooks may go to, with commas between."
    )
    webhook_endpoints: int = Field(20, ge=1, le=1000, description="Most webhook endpoints an account may have.")
    webhook_overlap_s: float = Field(
        86400, ge=0, le=30 * 86400, description="How long a replaced webhook secret goes on signing, seconds."
    )
    webhook_retry_s: Annotated[tuple[float, ...] | None, NoDecode, BeforeValidator(split_list)] = Field(
        None, description="Waits between webhook attempts in seconds, with commas between; none means 5 s to 10 h."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Constructor arguments first, then variables, then the file."""
        folder = os.environ.get(f"{PREFIX}CONFIG_DIR") or ROOT / "configs"
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(folder) / "gateway.toml")

    @property
    def is_loopback(self) -> bool:
        """Nobody but this machine can reach us."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_local(self) -> bool:
        """Bound to loopback and without a public address: plain http and loopback webhooks are fine."""
        return self.is_loopback and self.public_url is None

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'pinxit.db'}"

    @property
    def key_pepper_bytes(self) -> bytes | None:
        return None if self.key_pepper is None else self.key_pepper.get_secret_value().encode()

    @property
    def blobs(self) -> str:
        return self.blob_url or (self.data_dir / "pictures").resolve().as_uri()


def load_settings(**overrides: object) -> Settings:
    """Read file and variables; None among `overrides` means "not given".

    Raises:
        SettingInvalid: one line that names the setting, what it was given (no secrets), and what is wrong with it.
    """
    _refuse_unknown_variables(os.environ)
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as wrong:
        raise SettingInvalid(_sentence(wrong)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise SettingInvalid(f"gateway.toml is not valid TOML: {wrong}.") from None
    except OSError as wrong:
        raise SettingInvalid(f"gateway.toml cannot be read ({wrong.strerror}).") from None
    except ValueError as wrong:
        raise SettingInvalid(f"{PREFIX}*: {wrong}.") from None
    _check_folder("CONFIG_DIR", settings.config_dir, may_be_missing=False)
    _check_folder("DATA_DIR", settings.data_dir, may_be_missing=True)
    return settings


def _check_folder(name: str, folder: Path, *, may_be_missing: bool) -> None:
    """A folder that cannot be listed would look like an empty one."""
    try:
        os.scandir(folder).close()
    except OSError as wrong:
        if not (may_be_missing and isinstance(wrong, FileNotFoundError)):
            raise SettingInvalid(f"{PREFIX}{name}: the folder {folder} cannot be read ({wrong.strerror}).") from None


def _sentence(invalid: ValidationError) -> str:
    """Which setting, what is wrong with it, and what it was given."""
    wrong = invalid.errors(include_url=False)[0]
    name = str(wrong["loc"][0]) if wrong["loc"] else "settings"
    if wrong["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, Settings.model_fields, n=1)
        return f"gateway.toml: {name!r} is not a setting" + (f"; did you mean {near[0]!r}?" if near else ".")
    reason = wrong["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{name.upper()}: {reason}{_given(name, wrong['input'])}."


def _given(name: str, given: object) -> str:
    if name.endswith(("_pepper", "_keys", "_token")):
        return ""
    shown = without_password(given) if name.endswith("_url") and isinstance(given, str) else given
    return f" (got {shown!r})"


def child_environment() -> dict[str, str]:
    """What a child process inherits: our own environment, handed on by value."""
    return dict(os.environ)


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """A misspelt variable must not be ignored in silence."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in environment:
        if name.startswith(PREFIX) and name not in known and name not in CLIENT_VARIABLES:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise SettingInvalid(f"{name} is not a setting{hint}")
