"""What values of settings look like: each form reads one kind of text, or says what is wrong with it."""

import re
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

POSTGRESQL_WORDS = frozenset({"host", "passfile", "port", "prepared_statement_cache_size", "ssl", "sslmode"})


def _url_of(*schemes: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        raise ValueError(f"must begin with one of {', '.join(f'{scheme}://' for scheme in schemes)}")
    return url


def _redis_url(url: str) -> str:
    """Better a refusal than a setting without effect."""
    _url_of("redis", "rediss", "unix", url=url)
    raise ValueError("workers on other machines are not built yet; leave it unset")


def _public_url(url: str) -> str:
    parts = urlsplit(_url_of("http", "https", url=url))
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must name a host and have neither query nor fragment")
    return url.rstrip("/")


def _database_url(url: str) -> str:
    """People write `postgresql://` or `postgres://`, and `sslmode`; SQLAlchemy wants the driver named, and `ssl`."""
    scheme, _, rest = url.partition("://")
    parts = urlsplit(f"//{rest}")
    words = {word for word, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if scheme in {"postgresql", "postgres", "postgresql+asyncpg"} and parts.path.strip("/") and parts.port != 0:
        if foreign := words - POSTGRESQL_WORDS:
            raise ValueError(f"{min(foreign)!r} is not one of {', '.join(sorted(POSTGRESQL_WORDS))}")
        return f"postgresql+asyncpg://{rest.replace('sslmode=', 'ssl=')}"
    if scheme != "sqlite" or not rest.startswith("/") or words:
        raise ValueError("must look like postgresql://user:password@host/name or sqlite:////folder/file.db")
    return url


def split_pairs(listing: object) -> object:
    """`gpt-image-*=default, sdxl=my-model` as a variable; a table in the file."""
    if not isinstance(listing, str):
        return listing
    pairs = [part.partition("=") for part in listing.split(",") if part.strip()]
    if any(not equals or not name.strip() or not model.strip() for name, equals, model in pairs):
        raise ValueError("must be a list of name=model, with commas between")
    return {name.strip(): model.strip() for name, _, model in pairs}


def split_list(listing: object) -> object:
    return [part.strip() for part in listing.split(",") if part.strip()] if isinstance(listing, str) else listing


def _host_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", name):
        raise ValueError("must be names such as pinxit.example.com, without scheme, port or path")
    return name.lower()


def _origin(text: str) -> str:
    """As a browser writes it, for it is compared letter by letter."""
    parts = urlsplit(text)
    is_bare = parts.scheme in {"http", "https"} and text == f"{parts.scheme}://{parts.netloc}" == text.lower()
    if text != "*" and not (is_bare and parts.hostname and "@" not in text):
        raise ValueError("must be origins such as https://app.example.com, in small letters and without a path, or *")
    return text


HostName = Annotated[str, AfterValidator(_host_name)]
Origin = Annotated[str, AfterValidator(_origin)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
BlobUrl = Annotated[str, AfterValidator(lambda url: _url_of("file", "s3", "gs", "az", "memory", url=url))]
Port = Annotated[int, Field(ge=1, le=65535)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]


def without_password(url: str) -> str:
    """The URL as it may be shown: neither a password nor a query, which may hold one."""
    scheme, colon, rest = url.partition("://")
    authority, slash, path = rest.partition("?")[0].partition("/")
    user, at, host = authority.rpartition("@")
    name, has_password, _ = user.partition(":")
    return f"{scheme}{colon}{name}{':***' if has_password else ''}{at}{host}{slash}{path}"
