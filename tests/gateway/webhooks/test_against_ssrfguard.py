"""A second opinion on which addresses and URLs are safe: `ssrfguard`, another's table of the same registries.

Random addresses, the edges of every block that either side knows, and IPv4 addresses in every wrapper. Where the two
differ, a row says why; a row that explains nothing is an error too.
"""

import random
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from ssrfguard import DEFAULT_DENIED, Policy, SSRFGuardError

from gateway.webhooks import Destinations, WebhookUrlInvalid
from gateway.webhooks.addresses import _NOT_PUBLIC, METADATA, Address, behind_nat64

SEED = 20261125
RANDOM_OF_EACH_VERSION = 9_000
URLS = 5_000

# network, do we permit it, why we differ
DIFFERENCES = [
    ("168.63.129.16/32", False, "Azure's platform address; public on paper, a credential service in fact"),
    ("192.0.0.9/32", False, "anycast of port control: global on paper, nobody's webhook receiver"),
    ("192.0.0.10/32", False, "anycast of TURN: likewise"),
    ("192.31.196.0/24", False, "AS112 answers reverse DNS, not webhooks"),
    ("192.175.48.0/24", False, "AS112: likewise"),
    ("192.52.193.0/24", False, "tunnels of multicast: likewise"),
    ("::ffff:0:0/96", False, "we refuse the wrapper as a whole: no resolver needs to hand it out, and it hides IPv4"),
    ("::/96", False, "the deprecated wrapper: likewise"),
    ("2002::/16", False, "6to4 is dead: we refuse it as a whole, they read the address inside"),
    ("2001::/32", False, "Teredo is dead: likewise"),
    ("2001:1::1/128", False, "anycast of port control"),
    ("2001:1::2/128", False, "anycast of TURN"),
    ("2001:1::3/128", False, "anycast of DNS-SD"),
    ("2001:3::/32", False, "tunnels of multicast"),
    ("2001:4:112::/48", False, "AS112"),
    ("2001:20::/28", False, "ORCHIDv2 are names, not places"),
    ("2001:30::/28", False, "identifiers of drones, not places"),
    ("2620:4f:8000::/48", False, "AS112"),
    ("::/3", False, "outside 2000::/3 nothing is handed out to anybody; they refuse only what a registry names"),
    ("4000::/2", False, "likewise"),
    ("8000::/1", False, "likewise"),
]


def addresses() -> Iterator[Address]:
    chance = random.Random(SEED)  # noqa: S311 - the same addresses each time
    inside = [chance.getrandbits(32) for _ in range(RANDOM_OF_EACH_VERSION)]
    yield from map(IPv4Address, inside)
    yield from (IPv6Address(chance.getrandbits(128)) for _ in range(RANDOM_OF_EACH_VERSION // 2))
    yield from (IPv6Address((1 << 125) | chance.getrandbits(125)) for _ in range(RANDOM_OF_EACH_VERSION // 2))
    for number in inside[:500]:
        yield from wrapped(number)
    blocks = [block.network for block in DEFAULT_DENIED.blocks]
    for network in {*blocks, *_NOT_PUBLIC, *METADATA, *(ip_network(text) for text, _, _ in DIFFERENCES)}:
        kind = type(network[0])
        for edge in (int(network[0]) - 1, int(network[0]), int(network[-1]), int(network[-1]) + 1):
            if 0 <= edge < 1 << network.max_prefixlen:
                yield kind(edge)
                if kind is IPv4Address:
                    yield from wrapped(edge)


def wrapped(number: int) -> Iterator[IPv6Address]:
    """An IPv4 address as it hides in IPv6: mapped, compatible, NAT64, local NAT64, 6to4, Teredo."""
    yield IPv6Address((0xFFFF << 32) | number)
    yield IPv6Address(number)
    yield IPv6Address((0x64FF9B << 96) | number)
    yield IPv6Address((0x64FF9B0001 << 80) | number)
    yield IPv6Address((0x2002 << 112) | (number << 80) | 1)
    yield IPv6Address((0x20010000 << 96) | (0x08080808 << 64) | (number ^ 0xFFFFFFFF))


def test_every_difference_about_addresses_is_explained() -> None:
    ours, explained = Destinations(), {ip_network(text): we_permit for text, we_permit, _ in DIFFERENCES}
    used, unexplained, seen = set(), [], 0
    for address in addresses():
        seen += 1
        we_permit = ours.refusal(behind_nat64(address), 443) is None
        if we_permit is not DEFAULT_DENIED.classify(address).blocked:
            continue
        inner = behind_nat64(address)
        why = [network for network, verdict in explained.items() if inner in network and verdict is we_permit]
        if not why and isinstance(inner, IPv6Address) and inner in ip_network("64:ff9b::/96"):
            inside = ip_address(int(inner) & 0xFFFFFFFF)
            why = [network for network, verdict in explained.items() if inside in network and verdict is we_permit]
        used.update(why)
        unexplained.extend([] if why else [str(address)])
    assert unexplained == []
    assert seen > 20_000
    assert {str(network) for network in explained} - {str(network) for network in used} == set()


def test_where_clouds_keep_credentials_is_refused_by_both_but_for_azures() -> None:
    passed = [str(network) for network in METADATA if not DEFAULT_DENIED.classify(network[0]).blocked]
    assert passed == ["168.63.129.16/32"]
    assert all(Destinations().refusal(network[0], 443) for network in METADATA)


PARTS = {
    "scheme": [*["https://"] * 20, "https://", "HTTPS://", "http://", "https:", "https:/", "ftp://", "file://", "https://https://", "//", ""],
    "user": [*[""] * 12, "user@", "user:secret@", "hooks.example@", "@", "%40"],
    "host": [
        "hooks.example", "HOOKS.example.", "xn--bcher-kva.example", "a_b.example", "localhost", "app.localhost",
        "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "8.8.8.8", "8.8.8.8.", "169.254.169.254", "10.0.0.1",
        "[::1]", "[::ffff:127.0.0.1]", "[2606:4700::1111]", "[64:ff9b::7f00:1]", "[fe80::1%25eth0]", "[::1", "::1",
        "hooks..example", ".example", "-a.example", "h\u00f6ks.example", "\uff11\uff12\uff17.0.0.1", "hooks%2eexample",
        "hooks.example\\", "hooks.example\t", "hooks.example\n", "", "x" * 64 + ".example", "1.2.3", "a.1", "0",
    ],
    "port": [*[""] * 12, ":443", ":80", ":8080", ":0", ":65536", ":", ":44 3", ":+443", ":0443"],
    "rest": [*["/"] * 8, "", "/hook?a=b#c", "?a", "#a", "/\\@evil.example", "/a b", "/%00", "@10.0.0.1/", "/\u00e9"],
}  # fmt: skip

# What we take and they do not, and why that is safe: whatever the text says, each address is judged at the socket.
TAKEN_BY_US_ALONE = {
    "8.8.8.8.": "an address with the root's dot is judged as that address",
    "x" * 64: "a label that long resolves nowhere",
    "a_b": "underscores stand in real names",
    "-a.": "resolves nowhere or to an address that is judged",
}


def urls() -> Iterator[str]:
    chance = random.Random(SEED)  # noqa: S311 - the same addresses each time
    for _ in range(URLS):
        yield "".join(chance.choice(choices) for choices in PARTS.values())


def test_no_url_that_they_refuse_is_taken_by_us_unless_it_is_explained() -> None:
    theirs = Policy(allowed_schemes=("https",), allowed_ports=(80, 443))
    counted, used = {True: 0, False: 0}, set[str]()
    for url in urls():
        we_take = taken_by_us(url)
        counted[we_take] += 1
        if we_take and not taken_by(theirs, url):
            why = {mark for mark in TAKEN_BY_US_ALONE if mark in url}
            assert why, url
            used |= why
    assert used == set(TAKEN_BY_US_ALONE)
    assert min(counted.values()) > 200


def taken_by_us(url: str) -> bool:
    try:
        Destinations().check_url(url)
    except WebhookUrlInvalid:
        return False
    return True


def taken_by(policy: Policy, url: str) -> bool:
    try:
        policy.check_url(url)
    except SSRFGuardError:
        return False
    return True


@pytest.mark.parametrize("host", ["10.1.2.3", "fd00:1::9"])
def test_what_the_operators_own_networks_answer_is_quoted_to_nobody(host, with_private_network) -> None:
    assert with_private_network.refusal(ip_address(host), 443) is None
    assert not with_private_network.may_quote(ip_address(host))
