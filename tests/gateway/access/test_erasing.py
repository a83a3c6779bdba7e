"""An account is forgotten: nothing of who it was or what it asked for is left, and the books still balance."""

import pytest
from sqlalchemy import text

from gateway.accounts import CLI, AccountUnknown
from storage.tables import metadata


async def everything(gateway):
    """Every row of every table, as text."""
    async with gateway.installation.database.reading() as connection:
        rows = [(await connection.execute(text(f"SELECT * FROM {name}"))).all() for name in metadata.tables]  # noqa: S608
    return str(rows)


async def erased(gateway, name):
    return await gateway.installation.access.accounts.erase(name, by=CLI)


async def test_nothing_is_left_of_who_it_was_and_what_it_asked_for(gateway):
    key = await gateway.new_key(account="anna", plan="pro", credits=9)
    body = (await gateway.paint(key=key, prompt="annas secret garden", metadata={"who": "anna"})).json()
    other = (await gateway.paint(prompt="somebody else's boat")).json()
    assert "annas secret garden" in await everything(gateway)

    assert await erased(gateway, "anna") == 1
    await gateway.server.painting.sweeper.sweep()

    assert "anna" not in await everything(gateway)
    for file in gateway.installation.settings.data_dir.glob("pinxit.db*"):
        assert b"annas secret garden" not in file.read_bytes(), f"{file.name} still holds it"
    assert (await gateway.http.get(body["image_url"])).status_code == 404
    assert (await gateway.paint(key=key)).status_code == 401
    assert (await gateway.http.get(other["image_url"])).status_code == 200
    folder = gateway.installation.settings.data_dir / "pictures" / "gen"
    assert [entry.name for entry in folder.iterdir()] == [other["generation_id"]]


async def test_the_books_still_balance(gateway):
    key = await gateway.new_key(account="anna", plan="pro", credits=9)
    await gateway.paint(key=key)
    await erased(gateway, "anna")
    await gateway.server.painting.sweeper.sweep()
    async with gateway.installation.database.reading() as connection:
        query = (
            "SELECT l.kind, l.credits FROM ledger l JOIN accounts a ON a.id = l.account_id WHERE a.name LIKE 'erased%'"
        )
        rows = (await connection.execute(text(query))).all()
    assert {kind: credits for kind, credits in rows if kind != "grant"} == {"hold": 1, "capture": 1}


async def test_what_is_being_painted_ends_and_goes_too(gateway):
    key = await gateway.new_key(account="anna", plan="pro", credits=9)
    gateway.engine.hold()
    await gateway.paint(key=key, prompt="annas boat", **{"async": True})
    assert await erased(gateway, "anna") == 1
    assert await gateway.server.painting.sweeper.sweep() == 1
    assert not list((gateway.installation.settings.data_dir / "work").iterdir())
    gateway.engine.release()
    assert "annas boat" not in await everything(gateway)


async def test_nobody_is_erased_by_a_name_that_nobody_has(gateway):
    with pytest.raises(AccountUnknown):
        await erased(gateway, "nobody")
