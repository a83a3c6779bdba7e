import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.webhooks import new_secret, signed_headers
from models import SettingInvalid

BODY = '{"event":"generation.completed","prompt":"un café à Paris"}'.encode()
SECRET = new_secret(lambda count: bytes(range(count)))
OTHER = new_secret(lambda count: bytes(reversed(range(count))))


def now() -> datetime:
    return datetime.now(UTC)


def test_the_reference_verifier_accepts_our_signature() -> None:
    headers = signed_headers(BODY, event_id="evt_1", secrets=[SECRET], now=now())
    assert Webhook(SECRET).verify(BODY, headers)["event"] == "generation.completed"


def test_the_reference_verifier_refuses_a_changed_body_id_or_time() -> None:
    headers = signed_headers(BODY, event_id="evt_1", secrets=[SECRET], now=now())
    for changed in ({}, {"webhook-id": "evt_2"}, {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}):
        body = BODY if changed else BODY + b" "
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body, {**headers, **changed})


def test_both_secrets_verify_while_one_replaces_the_other() -> None:
    headers = signed_headers(BODY, event_id="evt_1", secrets=[OTHER, SECRET], now=now())
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret(secrets.token_bytes)).verify(BODY, headers)


def test_after_rotation_only_the_new_secret_verifies() -> None:
    headers = signed_headers(BODY, event_id="evt_1", secrets=[OTHER], now=now())
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers)


def test_the_plain_signature_is_keyed_with_the_secret_as_shown() -> None:
    headers = signed_headers(BODY, event_id="evt_1", secrets=[SECRET, OTHER], now=now())
    assert headers["X-Pinxit-Signature"] == hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()


def test_a_signature_is_the_published_one_for_a_known_message() -> None:
    """The example of the Standard Webhooks libraries' own tests."""
    headers = signed_headers(
        b'{"test": 2432232314}',
        event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        now=datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_same_instant_in_another_time_zone_signs_the_same() -> None:
    instant = datetime.fromisoformat("2026-11-21T12:00:00+00:00")
    elsewhere = datetime.fromisoformat("2026-11-21T17:30:00+05:30")
    assert signed_headers(BODY, event_id="e", secrets=[SECRET], now=instant) == signed_headers(
        BODY, event_id="e", secrets=[SECRET], now=elsewhere
    )


def test_an_old_timestamp_is_refused_by_the_verifier_so_each_attempt_is_signed_anew() -> None:
    headers = signed_headers(BODY, event_id="evt_1", secrets=[SECRET], now=now() - timedelta(minutes=6))
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(BODY, headers)


@given(st.text(st.characters(codec="utf-8"), max_size=300).map(str.encode), st.binary(min_size=24, max_size=64))
def test_any_text_and_any_key_of_the_standard_verifies(body: bytes, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    Webhook(secret).verify(body, signed_headers(body, event_id="evt_1", secrets=[secret], now=now()), json_parse=False)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_not base64", "whsec_c2hvcnQ=", "px_live_abc", base64.b64encode(b"k" * 32).decode()]
)
def test_a_secret_of_another_form_is_refused(secret: str) -> None:
    with pytest.raises(SettingInvalid):
        signed_headers(BODY, event_id="evt_1", secrets=[secret], now=now())


def test_signing_without_a_secret_is_refused() -> None:
    with pytest.raises(SettingInvalid):
        signed_headers(BODY, event_id="evt_1", secrets=[], now=now())


def test_new_secrets_have_32_bytes_and_differ() -> None:
    made = {new_secret(secrets.token_bytes) for _ in range(100)}
    assert len(made) == 100
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in made)
