"""What each plan may do, read from `configs/plans.toml`."""

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from models import GenerationRequest, ImageSize, Refused, SettingInvalid


class PlanTooSmall(Refused):
    """What was asked for belongs to a larger plan."""

    code: ClassVar[str] = "plan_upgrade_required"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Positive = Annotated[int, Meta(ge=1, le=2**31 - 1)]
ALWAYS_NEEDED = ("free", "owner")  # a new account's plan, and the first account's


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Limits of one plan; None means without limit.

    `max_side` bounds width and height of the picture before upscaling, `max_images` the pictures of one request,
    `max_inference_steps` the steps that a request may name,
    `max_batch_items` the requests of one batch, `max_open` an account's generations that are queued or being painted
    at a time, batches not counted, and `max_keys` its keys that are not revoked. A picture lives for `default_ttl_s`
    unless its request says otherwise, and never longer than `max_ttl_s`; None keeps it until somebody deletes it.
    `safety_policy` is one of `policies.toml`; None takes the server's.
    """

    id: str
    rank: Count
    requests_per_minute: Positive | None = None
    requests_per_day: Positive | None = None
    requests_per_month: Positive | None = None
    max_side: Positive
    max_images: Positive
    max_inference_steps: Positive | None = None
    max_batch_items: Positive | None = None
    max_open: Positive | None = None
    max_keys: Positive | None = None
    default_ttl_s: Positive | None = None
    max_ttl_s: Positive | None = None
    upscale: bool
    counts_credits: bool = True
    safety_policy: str | None = None


class Plans:
    """Every plan of the installation by id."""

    def __init__(self, plans: tuple[Plan, ...]) -> None:
        self._plans = {plan.id: plan for plan in plans}

    def get(self, plan: str) -> Plan:
        """Raises SettingInvalid: an account names a plan that `plans.toml` no longer has."""
        try:
            return self._plans[plan]
        except KeyError:
            raise SettingInvalid(f"plans.toml has no plan {plan!r}; it has {', '.join(self._plans)}.") from None

    def all(self) -> tuple[Plan, ...]:
        return tuple(self._plans.values())

    def ids(self) -> tuple[str, ...]:
        return tuple(self._plans)


def load_plans(file: Path) -> Plans:
    """Raises SettingInvalid: the file is missing, not TOML, or breaks the form; the message names plan and member."""
    try:
        tables = tomllib.loads(file.read_text())
    except (OSError, tomllib.TOMLDecodeError) as wrong:
        raise SettingInvalid(f"{file.name}: {wrong}") from None
    stray = [id for id, table in tables.items() if not isinstance(table, dict)]
    if stray:
        raise SettingInvalid(f"{file.name}: {stray[0]!r} stands outside of a plan.")
    plans = tuple(_plan(file.name, id, table) for id, table in tables.items())
    missing = [id for id in ALWAYS_NEEDED if id not in tables]
    if missing:
        raise SettingInvalid(f"{file.name}: the plan [{missing[0]}] is needed and not there.")
    ranks = [plan.rank for plan in plans]
    if len(set(ranks)) < len(ranks):
        raise SettingInvalid(f"{file.name}: two plans have the same rank.")
    return Plans(plans)


def _plan(file: str, id: str, table: Mapping[str, object]) -> Plan:
    """Raises SettingInvalid."""
    _refuse_unknown(file, id, table)
    try:
        plan = msgspec.convert({"id": id, **table}, Plan)
    except msgspec.ValidationError as wrong:
        reason, _, place = str(wrong).partition(" - at ")
        member = re.sub(r"[`$]\.?", "", place)
        raise SettingInvalid(f"{file}: [{id}] {member}{': ' if member else ''}{reason}.") from None
    if plan.max_ttl_s is not None and (plan.default_ttl_s is None or plan.default_ttl_s > plan.max_ttl_s):
        raise SettingInvalid(f"{file}: [{id}] default_ttl_s is needed, and at most max_ttl_s ({plan.max_ttl_s}).")
    return plan


def _refuse_unknown(file: str, id: str, members: Collection[str]) -> None:
    """A misspelt limit must not become none."""
    known = [field.name for field in fields(Plan) if field.name != "id"]
    for member in members:
        if member not in known:
            near = difflib.get_close_matches(member, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise SettingInvalid(f"{file}: [{id}] {member} is no member of a plan{hint}")


def check_plan(plan: Plan, request: GenerationRequest, *, target: ImageSize, least: Plan) -> None:
    """Refuse what the plan does not hold; `least` is the smallest plan that may ask for the style.

    Raises:
        PlanTooSmall: style, size, number of pictures, steps or upscaling; `field` names the member at fault.
    """
    if plan.rank < least.rank:
        raise PlanTooSmall(f"The style {request.style!r} needs plan {least.id!r} or a larger one.", field="style")
    for field, side in (("width", target.width), ("height", target.height)):
        if side > plan.max_side:
            raise PlanTooSmall(
                f"Plan {plan.id!r} paints up to {plan.max_side} pixels a side; `{field}` is {side}.", field=field
            )
    if request.n > plan.max_images:
        raise PlanTooSmall(
            f"Plan {plan.id!r} paints up to {plan.max_images} pictures a request, not {request.n}.", field="n"
        )
    steps, most = request.num_inference_steps, plan.max_inference_steps
    if steps is not None and most is not None and steps > most:
        raise PlanTooSmall(
            f"Plan {plan.id!r} paints in up to {most} steps, not in {steps}.", field="num_inference_steps"
        )
    if request.upscale and not plan.upscale:
        raise PlanTooSmall(f"Plan {plan.id!r} does not include `upscale`.", field="upscale")


def expiry(plan: Plan, ttl_s: int | None, *, now: datetime) -> datetime | None:
    """When what is accepted now goes; None: when somebody deletes it. `ttl_s` is the request's own wish.

    Raises:
        PlanTooSmall: the plan keeps nothing so long.
    """
    if ttl_s is not None and plan.max_ttl_s is not None and ttl_s > plan.max_ttl_s:
        raise PlanTooSmall(f"Plan {plan.id!r} keeps pictures up to {plan.max_ttl_s} seconds, not {ttl_s}.", field="ttl")
    life_s = plan.default_ttl_s if ttl_s is None else ttl_s
    return None if life_s is None else now + timedelta(seconds=life_s)
