"""An account with a key, and generations of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from models import ImageFormat, Quality
from storage import Account, ApiKey, Database, Generation, Picture, State
from storage.accounts import add_account
from storage.keys import add_key

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
async def account(database: Database, now: datetime) -> Account:
    """Without credits, with the key `key_1`."""
    async with database.writing() as transaction:
        account = await add_account(transaction, id="acct_1", name="ada", plan="pro", webhook_secret="whsec_1", now=now)
        await add_key(transaction, key_of(account.id))
    return account


def key_of(account_id: str, **others: Any) -> ApiKey:
    given: dict[str, Any] = {
        "id": "key_1",
        "account_id": account_id,
        "mode": "live",
        "secret_hash": "f" * 64,
        "scopes": frozenset({"generate", "read"}),
        "created_at": NOW,
    }
    return ApiKey(**(given | others))


def generation_of(id: str, **others: Any) -> Generation:
    """Queued, of `acct_1`, as it is before it is accepted."""
    given: dict[str, Any] = {
        "id": id,
        "painting_id": id,
        "account_id": "acct_1",
        "key_id": "key_1",
        "livemode": True,
        "state": State.QUEUED,
        "price": 2,
        "cost": 2,
        "prompt": "un phare à minuit 🌊",
        "style": "auto",
        "request": b'{"prompt":"x"}',
        "specs": b"[]",
        "format": ImageFormat.PNG,
        "created_at": NOW,
        "model": "starter",
        "revised_prompt": "a lighthouse",
        "negative_prompt_used": "",
        "style_resolved": "cinematic",
        "style_reason": "words",
        "quality": Quality.HD,
        "width": 1024,
        "height": 768,
        "seed": 2**32 - 1,
        "work": 1024 * 768 * 30,
        "picture_count": 1,
    }
    return Generation(**(given | others))


def picture_of(generation_id: str, position: int = 0, *, attempt: int = 1) -> Picture:
    return Picture(
        generation_id=generation_id,
        position=position,
        name=f"{generation_id}-{position}.png",
        blob_key=f"gen/{generation_id}/a{attempt}/{position}.png",
        width=1024,
        height=768,
        format=ImageFormat.PNG,
        seed=7 + position,
        pixel_sha256="a" * 64,
        delivered_sha256="b" * 64,
        file_sha256="c" * 64,
        byte_count=2**33,
    )
