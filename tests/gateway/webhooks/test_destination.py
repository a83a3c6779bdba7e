from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.webhooks import Destinations, WebhookUrlInvalid
from gateway.webhooks.addresses import METADATA, behind_nat64, is_public
from gateway.webhooks.destination import host_of
from models import RequestInvalid

WRITTEN = (Path(__file__).parent / "hostile_urls.txt").read_text(encoding="utf-8").split()
BLANKS = "\t\n\r\x00\x0b\x1f\x7f\x85\u00a0\u200b\u2028\ufeff\ud800 "
WITH_BLANKS = [url for blank in BLANKS for url in (f"https://example.com/{blank}x", f"{blank}https://example.com/")]
HOSTILE_URLS = [*WRITTEN, *WITH_BLANKS, "", "https://example.com/" + "x" * 2048]


def test_the_table_is_long_enough() -> None:
    assert len(set(HOSTILE_URLS)) >= 180


@pytest.mark.parametrize("url", sorted(set(HOSTILE_URLS)), ids=ascii)
def test_a_hostile_url_is_refused_at_once(url: str, public_only: Destinations) -> None:
    with pytest.raises(WebhookUrlInvalid) as refused:
        public_only.check_url(url)
    assert refused.value.field == "webhook_url"
    assert refused.value.code == "invalid_webhook_url"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/",
        "https://example.com./hook",
        "HTTPS://Example.COM/Hook?a=1&b=%20#part",
        "https://example.com:443/hook",
        "https://example.com:80/hook",
        "https://hooks-1.sub_domain.example.co.uk/ä/ö",
        "https://xn--bcher-kva.example/",
        "https://bücher.example/",
        "https://БÜCHER.例え.example:443/ä",
        "https://8.8.8.8/hook",
        "https://[2606:4700:4700::1111]/hook",
        "https://1e100.example/",
        "https://0x7f.example/",
        "https://123.example/",
    ],
)
def test_a_public_url_is_accepted(url: str, public_only: Destinations) -> None:
    public_only.check_url(url)


def test_the_refusal_is_an_invalid_request_and_names_the_operators_setting(public_only: Destinations) -> None:
    with pytest.raises(RequestInvalid, match="PINXIT_WEBHOOK_ALLOWED_NETWORKS"):
        public_only.check_url("https://192.168.1.5/hook")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/hook",
        "http://127.8.8.8/hook",
        "http://[::1]:9000/hook",
        "http://localhost:9000/hook",
        "https://localhost/",
        "http://example.com/",
    ],
)
def test_local_mode_allows_loopback_on_any_port_and_plain_http(url: str, local: Destinations) -> None:
    local.check_url(url)


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.1", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[fe80::1]", "[::]", "2130706433", "127.1"],
)  # fmt: skip
def test_local_mode_allows_nothing_else(host: str, local: Destinations) -> None:
    with pytest.raises(WebhookUrlInvalid):
        local.check_url(f"http://{host}/hook")


def test_an_allowed_network_is_reachable_and_its_neighbours_are_not(with_private_network: Destinations) -> None:
    with_private_network.check_url("https://10.1.2.3/hook")
    with_private_network.check_url("https://[fd00:1::5]/hook")
    for host in ("10.2.0.1", "[fd00:2::5]", "127.0.0.1"):
        with pytest.raises(WebhookUrlInvalid):
            with_private_network.check_url(f"https://{host}/hook")


def test_an_allowed_network_does_not_open_other_ports(with_private_network: Destinations) -> None:
    with pytest.raises(WebhookUrlInvalid, match="port 6379"):
        with_private_network.check_url("https://10.1.2.3:6379/hook")


def test_an_operators_port_is_allowed() -> None:
    Destinations(allowed_ports=frozenset({443, 8443})).check_url("https://example.com:8443/hook")


def test_metadata_addresses_stay_closed_whatever_the_operator_opens() -> None:
    wide = Destinations(allowed_networks=(ip_network("0.0.0.0/0"), ip_network("::/0")), allow_loopback=True)
    for network in METADATA:
        assert wide.refusal(network.network_address, 443) is not None


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_no_ipv4_address_that_python_calls_special_is_public(address: IPv4Address) -> None:
    special = address.is_private or address.is_multicast or address.is_reserved or address.is_unspecified
    assert not (is_public(address) and (special or not address.is_global))


@settings(deadline=None)
@given(st.ip_addresses(v=6))
def test_no_ipv6_address_that_python_calls_special_is_public(address: IPv6Address) -> None:
    special = address.is_private or address.is_multicast or address.is_link_local or address.is_site_local
    hides = address.ipv4_mapped or address.sixtofour or address.teredo
    assert not (is_public(address) and (special or hides or not address.is_global))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("9.255.255.255", True), ("11.0.0.0", True), ("100.63.255.255", True), ("100.128.0.0", True),
        ("126.255.255.255", True), ("128.0.0.0", True), ("169.253.255.255", True), ("169.255.0.0", True),
        ("172.15.255.255", True), ("172.32.0.0", True), ("192.167.255.255", True), ("192.169.0.0", True),
        ("198.17.255.255", True), ("198.20.0.0", True), ("223.255.255.255", True), ("224.0.0.0", False),
        ("168.63.129.15", True), ("168.63.129.16", False), ("168.63.129.17", True),
        ("1fff:ffff::1", False), ("2000::1", True), ("2001:1ff:ffff::1", False), ("2001:200::1", True),
        ("2001:db7:ffff::1", True), ("2001:db9::1", True), ("2001:ffff::1", True), ("2003::1", True),
        ("3ffe:ffff::1", True), ("3fff:1000::1", True), ("3fff:ffff::1", True), ("4000::", False),
    ],
)  # fmt: skip
def test_the_borders_of_the_table_are_exact(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_a_nat64_answer_counts_as_public_only_if_what_it_wraps_is(number: int) -> None:
    wrapped = IPv4Address(number)
    answer = behind_nat64(IPv6Address((0x64FF9B << 96) | number))
    assert answer == (wrapped if is_public(wrapped) else IPv6Address((0x64FF9B << 96) | number))
    assert is_public(answer) is is_public(wrapped)


@settings(deadline=None)
@given(st.text(max_size=30), st.sampled_from(["", "/", "?", "#", ":443/", "@", "\\", ".", "%"]), st.text(max_size=10))
def test_what_is_accepted_reads_the_same_to_the_client_that_sends_it(host: str, joint: str, rest: str) -> None:
    url = f"https://{host}{joint}{rest}"
    try:
        Destinations().check_url(url)
    except WebhookUrlInvalid:
        return
    read = httpx2.URL(url)
    assert read.userinfo == b""
    assert host_of(url).startswith(read.raw_host.decode())


@settings(deadline=None)
@given(st.from_regex(r"https://[a-z0-9.\[\]:@\\_-]{1,20}(:[0-9]{0,6})?/?", fullmatch=True))
def test_a_url_made_of_the_right_letters_is_refused_or_read_the_same(url: str) -> None:
    try:
        Destinations().check_url(url)
    except WebhookUrlInvalid:
        return
    read = httpx2.URL(url)
    assert read.host
    assert read.scheme == "https"
    assert read.port in {None, 80}


def test_names_outside_ascii_burden_the_host_that_they_are_sent_to() -> None:
    assert host_of("https://bücher.example:443/x") == host_of("https://XN--bcher-kva.example:443/y")


def test_plain_http_goes_to_networks_that_the_operator_has_opened_and_nowhere_else() -> None:
    opened = Destinations(allowed_networks=(ip_network("10.1.0.0/16"),))
    opened.check_url("http://10.1.2.3/hook")
    opened.check_url("http://hooks.internal/hook")  # where the name leads is judged when it is resolved
    for url in ("http://10.2.0.1/hook", "http://8.8.8.8/hook", "http://169.254.169.254/hook", "http://10.1.2.3:8080/"):
        with pytest.raises(WebhookUrlInvalid):
            opened.check_url(url)
    with pytest.raises(WebhookUrlInvalid, match="https://"):
        Destinations().check_url("http://hooks.internal/hook")
    assert opened.refusal(ip_address("8.8.8.8"), 80, is_plain=True)
    assert opened.refusal(ip_address("8.8.8.8"), 443) is None
