"""Identity as an input: public ids, unguessable and without look-alike punctuation."""

import secrets
from collections.abc import Callable

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_CHARACTERS = 16

NewId = Callable[[str], str]


def random_base62(length: int) -> str:
    """`length` characters of the operating system's randomness, 5.95 bits each: one number, written in base 62."""
    number = secrets.randbelow(62**length)
    return "".join(BASE62[number // 62**place % 62] for place in range(length))


def new_id(prefix: str) -> str:
    """Such as `gen_` and 16 characters (95 bits)."""
    return f"{prefix}_{random_base62(ID_CHARACTERS)}"
