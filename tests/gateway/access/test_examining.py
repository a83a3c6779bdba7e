"""What a text is that looks like a key."""

from datetime import timedelta

from gateway.accounts import CLI


async def state_of(gateway, text):
    examined = await gateway.installation.access.keys.examine(text)
    return examined.state.value, examined.key is not None


async def test_a_found_token_is_told_apart(gateway):
    key = await gateway.new_key(account="anna", expires_at=gateway.clock.now + timedelta(hours=1))
    access, id = gateway.installation.access, f"key_{key[8:20]}"
    assert await state_of(gateway, key) == ("valid", True)
    assert await state_of(gateway, key[:-1]) == ("malformed", False)

    newer = (await access.keys.rotate(id, by=CLI, overlap_s=0)).token.text
    assert await state_of(gateway, key) == ("unknown", False)
    await access.accounts.suspend("anna", by=CLI)
    assert await state_of(gateway, newer) == ("suspended", True)
    gateway.clock.move(hours=1)
    assert await state_of(gateway, newer) == ("expired", True)
    await access.keys.revoke(id, by=CLI)
    assert await state_of(gateway, newer) == ("revoked", True)
