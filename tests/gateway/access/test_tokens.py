"""The text of a key, and the hashes that are kept of it."""

import itertools

import pytest

from gateway.access import KeyRejected, Mode, TokenHashes, make_token, parse_token
from gateway.identity import BASE62, random_base62

PEPPER = b"0123456789abcdef"


def test_a_token_is_read_back():
    token = make_token(Mode.TEST, random_base62)
    assert parse_token(token.text) == token
    assert token.text.startswith(f"px_test_{token.id.removeprefix('key_')}")


def test_a_rotated_token_keeps_its_public_id():
    first = make_token(Mode.LIVE, random_base62)
    second = make_token(Mode.LIVE, random_base62, id=first.id)
    assert (second.id, second.mode) == (first.id, first.mode)
    assert second.text != first.text


def test_any_one_wrong_character_is_found_before_a_look_up():
    text = make_token(Mode.LIVE, random_base62).text
    for place, character in itertools.product(range(8, len(text)), "0aZ"):
        if text[place] != character:
            with pytest.raises(KeyRejected):
                parse_token(text[:place] + character + text[place + 1 :])


def test_two_characters_that_changed_places_are_found():
    text = make_token(Mode.LIVE, lambda length: BASE62[:length]).text
    for place in range(8, len(text) - 1):
        swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        if swapped != text:
            with pytest.raises(KeyRejected):
                parse_token(swapped)


@pytest.mark.parametrize("pepper", [None, PEPPER])
def test_a_hash_fits_its_token_and_no_other(pepper):
    hashes = TokenHashes(pepper=pepper)
    token, other = make_token(Mode.LIVE, random_base62), make_token(Mode.LIVE, random_base62)
    assert hashes.match(token, [hashes.of(token)])
    assert hashes.match(token, [hashes.of(other), hashes.of(token)])
    assert not hashes.match(token, [hashes.of(other)])
    assert not hashes.match(token, ["", "hmac:"])
    assert token.text not in hashes.of(token)


def test_keys_made_before_there_was_a_pepper_stay_good():
    token = make_token(Mode.LIVE, random_base62)
    kept = TokenHashes().of(token)
    assert TokenHashes(pepper=PEPPER).match(token, [kept])


def test_keys_made_with_a_pepper_end_with_it():
    token = make_token(Mode.LIVE, random_base62)
    kept = TokenHashes(pepper=PEPPER).of(token)
    assert not TokenHashes(pepper=b"another pepper 0").match(token, [kept])
    assert not TokenHashes().match(token, [kept])
