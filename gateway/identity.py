"""Identity as an input: public ids, unguessable and without look-alike punctuation."""

import secrets
from collections.abc import Callable

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_CHARACTERS = 16

NewId = Callable[[str], str]


def random_base62(length: int) -> str:
    """`length` characters of the operating system's randomness, 5.95 bits each."""
    return "".join(secrets.choice(BASE62) for _ in range(length))


def new_id(prefix: str) -> str:
    """Such as `gen_` and 16 characters (95 bits)."""
    return f"{prefix}_{random_base62(ID_CHARACTERS)}"
