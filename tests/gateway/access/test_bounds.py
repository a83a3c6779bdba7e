"""What a key may give to another is at most what it has."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.access import ScopeMissing, within
from gateway.access.callers import is_within
from storage import ApiKey

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def key(**members: object) -> ApiKey:
    given = {
        "id": "key_1",
        "account_id": "acct_1",
        "mode": "live",
        "secret_hash": "f",
        "scopes": frozenset({"read"}),
        "created_at": NOW,
    }
    return ApiKey(**(given | members))


@pytest.mark.parametrize(
    ("maker", "asked", "field"),
    [
        ({}, {"scopes": frozenset({"read", "delete"})}, "scopes"),
        ({}, {"scopes": frozenset({"admin"})}, "scopes"),
        ({"mode": "test"}, {}, "mode"),
        ({"rpm": 10}, {"rpm": 11}, "rpm"),
        ({"rpd": 10}, {"rpd": 11}, "rpd"),
        ({"max_open": 1}, {"max_open": 2}, "max_open"),
        ({"expires_at": NOW}, {"expires_at": NOW + timedelta(seconds=1)}, "expires_at"),
        ({"models": frozenset({"a"})}, {"models": frozenset({"a", "b"})}, "models"),
        ({"styles": frozenset({"a"})}, {"styles": frozenset({"b"})}, "styles"),
        ({"networks": frozenset({"10.0.0.0/8"})}, {"networks": frozenset({"10.1.0.0/16", "11.0.0.0/8"})}, "networks"),
        ({"networks": frozenset({"10.0.0.0/8"})}, {"networks": frozenset({"0.0.0.0/0"})}, "networks"),
        ({"spend_cap": 10, "spent": 4}, {"spend_cap": 7}, "spend_cap"),
        ({"spend_cap": 10}, {}, "spend_cap"),
    ],
)
def test_more_than_its_own_is_refused(maker, asked, field):
    with pytest.raises(ScopeMissing) as refused:
        within(key(**maker), key(id="key_2", **asked))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("maker", "asked"),
    [
        ({}, {}),
        ({}, {"rpm": 100000, "spend_cap": 5}),
        ({"scopes": frozenset({"admin"})}, {"scopes": frozenset({"generate", "keys:write"})}),
        ({}, {"mode": "test"}),
        ({"rpm": 10}, {"rpm": 10}),
        ({"networks": frozenset({"10.0.0.0/8"})}, {"networks": frozenset({"10.1.0.0/16"})}),
        ({"spend_cap": 10, "spent": 4}, {"spend_cap": 6}),
    ],
)
def test_as_much_as_its_own_is_given(maker, asked):
    made = within(key(**maker), key(id="key_2", **asked))
    assert made.made_by == "key_1"
    assert {name: getattr(made, name) for name in asked} == asked


def test_what_is_not_asked_for_is_inherited():
    bounds = {
        "rpm": 3,
        "rpd": 4,
        "max_open": 5,
        "expires_at": NOW,
        "models": frozenset({"a"}),
        "styles": frozenset({"b"}),
        "networks": frozenset({"10.0.0.0/8"}),
    }
    made = within(key(**bounds), key(id="key_2"))
    assert {name: getattr(made, name) for name in bounds} == bounds


@pytest.mark.parametrize(
    ("address", "networks", "is_inside"),
    [
        ("10.1.2.3", {"10.0.0.0/8"}, True),
        ("::ffff:10.1.2.3", {"10.0.0.0/8"}, True),
        ("11.1.2.3", {"10.0.0.0/8", "192.168.0.0/16"}, False),
        ("fd00::1", {"fd00::/8"}, True),
        ("fd00::1", {"10.0.0.0/8"}, False),
        ("10.1.2.3", {"fd00::/8"}, False),
        ("nowhere", {"0.0.0.0/0"}, False),
        (None, {"0.0.0.0/0"}, False),
    ],
)
def test_where_an_address_lies(address, networks, is_inside):
    assert is_within(address, frozenset(networks)) is is_inside
