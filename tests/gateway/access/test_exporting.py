"""`pinxit accounts export`: everything about an account in one archive, and nothing that only we may know."""

import hashlib
import json
import zipfile

import msgspec
import pytest
from sqlalchemy import select, text

from gateway.accounts import CLI
from gateway.cli.exporting import AccountExport
from models import Recipe
from storage import BlobGone
from storage.export import KINDS, SECRETS
from storage.tables import accounts, generations, metadata, pictures
from storage.webhook_tables import endpoints


async def exported(gateway, account, file, **others):
    installation = gateway.installation
    found = await installation.access.accounts.hand_over(account, by=CLI)
    with zipfile.ZipFile(file, "w") as archive:
        parts = {"database": installation.database, "blobs": installation.blobs}
        return await AccountExport(account=found, archive=archive, **parts, **others).write()


def lines(archive, kind):
    return [json.loads(line) for line in archive.read(f"{kind}.jsonl").splitlines()]


@pytest.fixture
async def anna(gateway):
    """An account with something of nearly every kind; and beside her somebody else."""
    scopes = frozenset({"generate", "read", "webhooks:write", "keys:write"})
    key = await gateway.new_key(account="anna", plan="studio", credits=9, scopes=scopes)
    sign = {"Authorization": f"Bearer {key}"}
    await gateway.http.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/"}, headers=sign)
    first = await gateway.paint(key=key, prompt="annas secret garden", metadata={"who": "anna"}, n=2)
    again = await gateway.paint(key=key, prompt="and by night", image=first.json()["generation_id"])
    assert again.status_code == 200
    begun = await gateway.http.post("/v1/batches", json={"items": [{"prompt": "annas boat"}]}, headers=sign)
    assert begun.status_code in {200, 202}
    sent = {"data": {"purpose": "batch"}, "files": {"file": ("requests.jsonl", b'{"a": 1}\n')}}
    assert (await gateway.http.post("/v1/files", headers=sign, **sent)).status_code == 200
    await gateway.paint(prompt="somebody else's castle")
    return key


async def test_the_archive_holds_the_rows_and_files_of_the_account_alone(gateway, anna, tmp_path):
    counts = await exported(gateway, "anna", tmp_path / "anna.zip")
    archive = zipfile.ZipFile(tmp_path / "anna.zip")
    assert archive.testzip() is None
    async with gateway.installation.database.reading() as connection:
        id = await connection.scalar(select(accounts.c.id).where(accounts.c.name == "anna"))
        own = (await connection.execute(select(generations).where(generations.c.account_id == id))).mappings().all()
        shown = (await connection.execute(select(pictures))).mappings().all()

    painted = {row["id"]: row for row in lines(archive, "generations")}
    assert {row["id"]: row["prompt"] for row in own} == {id: row["prompt"] for id, row in painted.items()}
    for row in own:
        kept = painted[row["id"]]
        assert kept["request"] == json.loads(row["request"])
        assert kept["specs"] == json.loads(row["specs"])
        if row["recipes"] is not None:
            recipes = msgspec.json.decode(archive.read(f"recipes/{row['id']}.json"), type=tuple[Recipe, ...])
            assert msgspec.json.encode(recipes) == row["recipes"]
    files = [archive.read(name) for name in archive.namelist() if name.startswith("pictures/")]
    assert {hashlib.sha256(file).hexdigest() for file in files} == {
        row["file_sha256"] for row in shown if row["generation_id"] in painted
    }
    assert len(files) >= 3
    (beginning,) = [name for name in archive.namelist() if name.startswith("beginnings/")]
    assert hashlib.sha256(archive.read(beginning)).hexdigest() in beginning
    assert archive.read(f"files/{lines(archive, 'files')[0]['id']}.jsonl") == b'{"a": 1}\n'
    assert {row["action"] for row in lines(archive, "audit")} >= {"account.created", "account.exported"}
    assert all(counts[kind] for kind in ("keys", "ledger", "usage", "batch_items", "events", "deliveries"))
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"annas secret garden" in everything
    assert b"somebody else" not in everything


async def test_no_secret_is_in_it(gateway, anna, tmp_path):
    await gateway.http.post(f"/v1/keys/{anna_id(anna)}/rotate", headers={"Authorization": f"Bearer {anna}"})
    await exported(gateway, "anna", tmp_path / "anna.zip")
    archive = zipfile.ZipFile(tmp_path / "anna.zip")
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode(errors="replace")
    async with gateway.installation.database.reading() as connection:
        hashes = (await connection.execute(text("SELECT secret_hash, previous_hash FROM keys"))).all()
        signing = (await connection.execute(select(accounts.c.webhook_secret))).all()
        signing += (await connection.execute(select(endpoints.c.secret))).all()
    secrets = [secret for row in (*hashes, *signing) for secret in row if secret]
    assert len(secrets) >= 5  # two keys, one of them rotated, two accounts, one endpoint
    assert not any(secret in everything for secret in secrets)
    assert anna[20:] not in everything


def anna_id(key):
    return f"key_{key.removeprefix('px_live_')[:12]}"


def test_every_table_and_everything_secret_is_thought_of():
    """A new table must say whose its rows are; a column that sounds secret is left out, or it is named here."""
    assert set(KINDS) == set(metadata.tables)
    harmless = {
        "canonical_sha256",
        "policy_hash",
        "lexicon_hash",
        "pixel_sha256",
        "delivered_sha256",
        "file_sha256",
        "body_sha256",
        "previous_webhook_secret_until",
    }
    for table in metadata.tables.values():
        for column in table.columns:
            sounds_secret = any(word in column.name for word in ("secret", "hash", "token", "password"))
            assert not sounds_secret or column.name in SECRETS | harmless


async def test_many_rows_are_read_page_by_page(gateway, anna, tmp_path):
    counts = await exported(gateway, "anna", tmp_path / "anna.zip", rows_at_once=1)
    archive = zipfile.ZipFile(tmp_path / "anna.zip")
    assert counts["pictures"] >= 2
    for kind in KINDS:
        found = archive.read(f"{kind}.jsonl").splitlines()
        assert len(found) == len(set(found)) == counts[kind]


async def test_a_picture_that_cannot_be_read_stops_it_and_one_just_deleted_does_not(gateway, anna, tmp_path):
    async with gateway.installation.database.reading() as connection:
        keys = (await connection.execute(select(pictures.c.blob_key))).scalars().all()
    for key in keys:
        await gateway.installation.blobs.delete(key)
    with pytest.raises(BlobGone):
        await exported(gateway, "anna", tmp_path / "anna.zip")
    async with gateway.installation.database.writing() as transaction:
        await transaction.execute(pictures.delete())
    assert (await exported(gateway, "anna", tmp_path / "again.zip"))["pictures"] == 0
