"""Bodies of keys: what is asked for, and what is shown. A secret is in one of them, `NewKeyBody`, and nowhere else."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from gateway.access import DEFAULT_SCOPES, SCOPES, Mode, parse_scopes
from gateway.accounts import DEFAULT_OVERLAP_S, MOST_CREDITS, MOST_OVERLAP_S, KeyChange, KeyTerms, NewKey
from gateway.wire import Moment
from storage import ApiKey

STRICT = ConfigDict(strict=True, extra="forbid")
ScopeName = Annotated[str, WithJsonSchema({"type": "string", "enum": sorted({*SCOPES, "write"})})]

Rate = Annotated[int | None, Field(None, json_schema_extra={"minimum": 1})]


class KeyBoundsBody(BaseModel):
    """What a key may have of its own."""

    model_config = STRICT

    name: str | None = Field(None, description="For people.", json_schema_extra={"maxLength": 100})
    scopes: list[ScopeName] | None = Field(
        None, description=f"{', '.join(sorted(DEFAULT_SCOPES))} where there are none."
    )
    expires_at: AwareDatetime | None = Field(None, description="From then on it is refused.")
    rpm: Rate = Field(None, description="Requests a minute, instead of the plan's.")
    rpd: Rate = Field(None, description="Requests a day of this key, beside the account's.")
    max_open: Rate = Field(None, description="Generations queued and being painted at a time.")
    spend_cap: int | None = Field(
        None,
        description="Credits that it may spend in all. A maker with a cap gives it out of its own.",
        json_schema_extra={"minimum": 0, "maximum": MOST_CREDITS},
    )
    models: list[str] | None = Field(None, description="The only models it may use.")
    styles: list[str] | None = Field(None, description="The only styles it may use, by id.")
    networks: list[str] | None = Field(None, description="Where it may be used from, as CIDR.")

    def bounds(self, mode: Mode) -> KeyTerms:
        """Raises RequestInvalid."""
        return KeyTerms(
            name=self.name or "",
            mode=mode,
            scopes=DEFAULT_SCOPES if self.scopes is None else parse_scopes(self.scopes),
            expires_at=self.expires_at,
            rpm=self.rpm,
            rpd=self.rpd,
            max_open=self.max_open,
            spend_cap=self.spend_cap,
            models=None if self.models is None else frozenset(self.models),
            styles=None if self.styles is None else frozenset(self.styles),
            networks=None if self.networks is None else frozenset(self.networks),
        )


class KeyOrderBody(KeyBoundsBody):
    """A key to be made. Unknown members are refused; null means "not given": then the maker's bound holds, or none."""

    mode: Mode | None = Field(None, description="A test key pays nothing and marks its pictures; live if not given.")

    def terms(self) -> KeyTerms:
        """Raises RequestInvalid."""
        return self.bounds(self.mode or Mode.LIVE)


class ChangedKeyBody(KeyBoundsBody):
    """What changes of a key: what is not given stays, null lifts a bound. Its mode never changes."""

    def change(self) -> KeyChange:
        """Raises RequestInvalid."""
        return KeyChange(terms=self.bounds(Mode.LIVE), names=frozenset(self.model_fields_set))


class RotationBody(BaseModel):
    """How a key is rotated."""

    model_config = STRICT

    overlap_s: int | None = Field(
        None,
        description=f"How long the secret that it has stays good; {DEFAULT_OVERLAP_S} if not given.",
        json_schema_extra={"minimum": 0, "maximum": MOST_OVERLAP_S},
    )


class KeyBody(BaseModel):
    """A key without its secret. Null bounds are open, or the plan's.

    `credits_spent` are spent, held, or handed on to keys that it made; `last_used_at` is written about once a minute;
    until `previous_secret_until` the secret before the last rotation is good as well.
    """

    object: Literal["key"] = "key"
    id: str
    account_id: str
    name: str
    livemode: bool
    scopes: list[str]
    created_at: Moment
    made_by: str | None
    expires_at: Moment | None
    revoked_at: Moment | None
    last_used_at: Moment | None
    previous_secret_until: Moment | None
    rpm: int | None
    rpd: int | None
    max_open: int | None
    spend_cap: int | None
    credits_spent: int
    models: list[str] | None
    styles: list[str] | None
    networks: list[str] | None


class NewKeyBody(KeyBody):
    """A key with its secret in `key`, which is shown this once."""

    key: str


def key_body(key: ApiKey) -> KeyBody:
    return KeyBody.model_validate(_members(key))


def new_key_body(made: NewKey) -> NewKeyBody:
    return NewKeyBody.model_validate({"key": made.token.text, **_members(made.key)})


def _members(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "account_id": key.account_id,
        "name": key.name,
        "livemode": key.mode == Mode.LIVE,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "made_by": key.made_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "previous_secret_until": key.previous_until,
        "rpm": key.rpm,
        "rpd": key.rpd,
        "max_open": key.max_open,
        "spend_cap": key.spend_cap,
        "credits_spent": key.spent,
        "models": _listed(key.models),
        "styles": _listed(key.styles),
        "networks": _listed(key.networks),
    }


def _listed(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)
