"""A key may make and rotate keys that may do no more than itself. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from gateway.access.callers import is_within
from gateway.access.scopes import ScopeMissing
from gateway.access.tokens import Mode
from storage import ApiKey

AT_MOST = ("rpm", "rpd", "max_open", "expires_at")
CHOICES = ("models", "styles")


def within(maker: ApiKey, key: ApiKey) -> ApiKey:
    """The key with every bound of its maker that it has not set itself. What it may spend it must set itself, where
    its maker has a cap: that is handed on out of the maker's own.

    Raises:
        ScopeMissing: it asks for more than its maker has; `field` names the member at fault.
    """
    unset = [name for name in (*AT_MOST, *CHOICES, "networks") if getattr(key, name) is None]
    bounded = replace(key, made_by=maker.id, **{name: getattr(maker, name) for name in unset})
    check_within(maker, bounded)
    return bounded


def check_change(maker: ApiKey, key: ApiKey, names: Collection[str]) -> None:
    """Raises ScopeMissing: of what has changed of `key`, the members `names`, something is more than its changer has.

    What it may spend more is taken out of the changer's own where that has a cap; whether there is enough, is seen then.
    """
    is_own = maker.id == key.id
    for field in _exceeded(maker, key):
        is_handed_on = field == "spend_cap" and key.spend_cap is not None and not is_own
        if field in names and not is_handed_on:
            raise ScopeMissing(f"This key may not give more than it has itself: `{field}`.", field=field)


def check_within(maker: ApiKey, key: ApiKey) -> None:
    """Raises ScopeMissing: `key` may do what `maker` may not; `field` names the first such member."""
    for field in _exceeded(maker, key):
        raise ScopeMissing(f"This key may not give more than it has itself: `{field}`.", field=field)


def _exceeded(maker: ApiKey, key: ApiKey) -> Iterator[str]:
    if "admin" not in maker.scopes and not key.scopes <= maker.scopes:
        yield "scopes"
    if maker.mode == Mode.TEST and key.mode != Mode.TEST:
        yield "mode"
    if maker.spend_cap is not None and (key.spend_cap is None or _left(key) > _left(maker)):
        yield "spend_cap"
    for name in (*AT_MOST, *CHOICES, "networks"):
        bound, asked = getattr(maker, name), getattr(key, name)
        if bound is not None and (asked is None or not _lies_within(name, bound, asked)):
            yield name


def _lies_within(name: str, bound: Any, asked: Any) -> bool:
    """`bound` and `asked` are of the type of the member `name`: a number or moment, names, or networks."""
    if name == "networks":
        return all(is_within(network, bound) for network in asked)
    return bool(asked <= bound)  # at most, and a subset of


def _left(key: ApiKey) -> int:
    return (key.spend_cap or 0) - key.spent
