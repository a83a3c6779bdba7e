"""What is not a key of ours is refused, whatever it is."""

import random

from gateway.access import KeyRejected, Mode, make_token
from gateway.access.tokens import checksum
from gateway.identity import BASE62

SEED = 20261125
COUNT = 10_000
COUNT_BY_HTTP = 300


def malformed(key: str, chance: random.Random) -> list[str]:
    """Texts that are near a good key, or far from one; none of them is one."""
    body = key[:-6]

    def again(changed: str) -> str:
        return changed + checksum(changed)

    def letters(length: int) -> str:
        return "".join(chance.choices(BASE62, k=length))

    place = chance.randrange(len(key))
    other = chance.choice(BASE62.replace(key[place], ""))
    return [
        key[:place],
        key + letters(chance.randrange(1, 40)),
        key[:place] + other + key[place + 1 :],
        again(body[:8] + letters(42)),  # well formed, and never made
        again(body[:20] + letters(30)),  # the id of a key, another secret
        again(body.replace("px_live", "px_test")),
        body + letters(6),
        "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(1, 60))),
        key[:place] + chance.choice("\0\r\n \t\u200b\u00e9\U0001f511") + key[place:],
        key * chance.randrange(2, 200),
    ]


async def test_none_of_ten_thousand_is_accepted(gateway):
    chance = random.Random(SEED)  # noqa: S311 - for a test
    gatekeeper = gateway.installation.access.gatekeeper
    texts = [text for _ in range(COUNT // 10) for text in malformed(gateway.key, chance)]
    texts += [make_token(Mode.LIVE, lambda length: "0" * length).text, "", "Bearer", "px_live_"]
    refused = 0
    for text in texts:
        try:
            await gatekeeper.caller(text, now=gateway.clock.now)
        except KeyRejected:
            refused += 1
    assert (refused, len(texts)) == (COUNT + 4, COUNT + 4)


async def test_none_of_hundreds_breaks_the_server(gateway):
    chance = random.Random(SEED + 1)  # noqa: S311 - likewise
    statuses = set()
    for text in (text for _ in range(COUNT_BY_HTTP // 10) for text in malformed(gateway.key, chance)):
        for header in ({"Authorization": b"Bearer " + sent(text)}, {"X-API-Key": sent(text)}):
            statuses.add((await gateway.http.get("/v1/account", headers=header)).status_code)
    assert statuses == {401}


def sent(text: str) -> bytes:
    """As bytes that a header can carry."""
    return text.encode("utf-8", "surrogatepass").replace(b"\r", b"?").replace(b"\n", b"?").replace(b"\0", b"?")
