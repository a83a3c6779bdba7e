"""What each plan may do, read from `configs/plans.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec

from models import GenerationRequest, ImageSize, Refused, SettingInvalid


class PlanTooSmall(Refused):
    """What was asked for belongs to a larger plan."""

    code: ClassVar[str] = "plan_upgrade_required"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Limits of one plan; None means without limit.

    `max_side` bounds width and height of the picture before upscaling, `max_images` the pictures of one request.
    """

    id: str
    rank: int
    requests_per_minute: int | None = None
    requests_per_day: int | None = None
    requests_per_month: int | None = None
    max_side: int
    max_images: int
    upscale: bool
    counts_credits: bool = True


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

    def ids(self) -> tuple[str, ...]:
        return tuple(self._plans)


def load_plans(file: Path) -> Plans:
    """Raises SettingInvalid: the file is missing, not TOML, or breaks the form; the message names the member."""
    try:
        tables = tomllib.loads(file.read_text())
        return Plans(tuple(msgspec.convert({"id": id, **table}, Plan) for id, table in tables.items()))
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, TypeError) as wrong:
        raise SettingInvalid(f"{file.name}: {wrong}") from None


def check_plan(plan: Plan, request: GenerationRequest, *, target: ImageSize, least: Plan) -> None:
    """Refuse what the plan does not hold; `least` is the smallest plan that may ask for the style.

    Raises:
        PlanTooSmall: style, size, number of pictures or upscaling; `field` names the member at fault.
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
    if request.upscale and not plan.upscale:
        raise PlanTooSmall(f"Plan {plan.id!r} does not include `upscale`.", field="upscale")
