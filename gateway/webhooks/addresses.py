"""Which IP addresses are public: the pure half of the guard.

`ipaddress.is_global` is not enough: its table moves with the Python version, and it says nothing of clouds' own
addresses. Source: IANA's special-purpose registries for IPv4 and IPv6, read 2026-11.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

# Where clouds hand out their machines' credentials: closed even to operators who open the network around them.
METADATA: tuple[Network, ...] = (
    IPv4Network("169.254.169.254"),
    IPv4Network("169.254.170.2"),
    IPv4Network("169.254.170.23"),
    IPv4Network("168.63.129.16"),
    IPv4Network("100.100.100.200"),
    IPv4Network("192.0.0.192"),
    IPv6Network("fd00:ec2::254"),
    IPv6Network("fd00:ec2::23"),
    IPv6Network("fd20:ce::254"),
)

_NOT_PUBLIC: tuple[Network, ...] = (
    IPv4Network("0.0.0.0/8"),  # this network
    IPv4Network("10.0.0.0/8"),  # private
    IPv4Network("100.64.0.0/10"),  # carrier-grade NAT
    IPv4Network("127.0.0.0/8"),  # loopback
    IPv4Network("169.254.0.0/16"),  # link-local
    IPv4Network("172.16.0.0/12"),  # private
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.0.2.0/24"),  # documentation
    IPv4Network("192.31.196.0/24"),  # AS112
    IPv4Network("192.52.193.0/24"),  # multicast tunnels
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("192.168.0.0/16"),  # private
    IPv4Network("192.175.48.0/24"),  # AS112
    IPv4Network("198.18.0.0/15"),  # benchmarks
    IPv4Network("198.51.100.0/24"),  # documentation
    IPv4Network("203.0.113.0/24"),  # documentation
    IPv4Network("224.0.0.0/4"),  # multicast
    IPv4Network("240.0.0.0/4"),  # reserved and broadcast
    IPv6Network("2001::/23"),  # protocol assignments: Teredo, ORCHID, benchmarks
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("2620:4f:8000::/48"),  # AS112
    IPv6Network("3fff::/20"),  # documentation
)
_PUBLIC_IPV6 = IPv6Network("2000::/3")  # the rest, with ::/8, mapped, NAT64, fc00::/7, fe80::/10 and ff00::/8, is not
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Anybody on the internet may be asked to listen there, and it is not a form that hides another address."""
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    return not is_within(address, (*METADATA, *_NOT_PUBLIC))


def is_within(address: Address, networks: tuple[Network, ...]) -> bool:
    """One of `networks` holds `address`; the other IP version never does."""
    return any(address in network for network in networks)


def behind_nat64(address: Address) -> Address:
    """The public IPv4 address that a DNS64 resolver wrapped, on a machine with IPv6 alone; else `address` itself."""
    if isinstance(address, IPv6Address) and address in _NAT64:
        wrapped = IPv4Address(int(address) & 0xFFFFFFFF)
        return wrapped if is_public(wrapped) else address
    return address
