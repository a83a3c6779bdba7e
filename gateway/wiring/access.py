"""Builds what decides who may ask, and what changes that: the part of the wiring around accounts and keys."""

import secrets
import time
from dataclasses import dataclass
from functools import cached_property

from gateway.access import Gatekeeper, KnownKeys, LastUses, Plans, TokenHashes
from gateway.accounts import Accounts, Credits, Keys
from gateway.clock import Clock
from gateway.identity import new_id, random_base62
from storage import Blobs, Database


@dataclass(frozen=True, kw_only=True)
class Access:
    """Each part made when it is first asked for. All share one memory of keys, which whatever changes a key empties."""

    database: Database
    blobs: Blobs
    plans: Plans
    pepper: bytes | None
    clock: Clock

    @cached_property
    def gatekeeper(self) -> Gatekeeper:
        return Gatekeeper(known=self.known_keys, plans=self.plans, hashes=self.hashes, uses=self.last_uses)

    @cached_property
    def known_keys(self) -> KnownKeys:
        return KnownKeys(self.database, time.monotonic)

    @cached_property
    def last_uses(self) -> LastUses:
        return LastUses(self.database)

    @cached_property
    def hashes(self) -> TokenHashes:
        return TokenHashes(pepper=self.pepper)

    @cached_property
    def keys(self) -> Keys:
        return Keys(
            database=self.database,
            plans=self.plans,
            known=self.known_keys,
            hashes=self.hashes,
            clock=self.clock,
            random_base62=random_base62,
        )

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(
            database=self.database,
            blobs=self.blobs,
            plans=self.plans,
            keys=self.keys,
            known=self.known_keys,
            clock=self.clock,
            new_id=new_id,
            random_bytes=secrets.token_bytes,
        )

    @cached_property
    def credits(self) -> Credits:
        return Credits(accounts=self.accounts)
