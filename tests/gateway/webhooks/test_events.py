import json
from datetime import UTC, datetime, timedelta, timezone

from gateway.webhooks import Happening, event_body, written_moment
from gateway.webhooks.events import MAX_BODY_BYTES

CREATED = datetime(2026, 6, 1, 10, 32, 44, 123456, tzinfo=UTC)


def ended(**changed: object) -> Happening:
    members = {
        "account_id": "acct_1",
        "subject_id": "gen_Kz9mN4pQr2xTvW",
        "type": "generation.completed",
        "at": datetime(2026, 6, 1, 10, 32, 45, tzinfo=UTC),
        "members": {
            "generation_id": "gen_Kz9mN4pQr2xTvW",
            "status": "completed",
            "image_url": "https://img.example/img/a.png",
            "created_at": written_moment(CREATED),
        },
        "details": {"seed": 7, "style": "aquarelle é"},
    }
    return Happening(**{**members, **changed})


def test_the_body_has_genpicz_members_at_the_top_and_the_standards_beside_them() -> None:
    assert json.loads(event_body(ended(), sequence=12)) == {
        "event": "generation.completed",
        "generation_id": "gen_Kz9mN4pQr2xTvW",
        "status": "completed",
        "image_url": "https://img.example/img/a.png",
        "created_at": "2026-06-01T10:32:44Z",
        "type": "generation.completed",
        "timestamp": "2026-06-01T10:32:45Z",
        "sequence": 12,
        "data": {
            "seed": 7,
            "style": "aquarelle é",
            "generation_id": "gen_Kz9mN4pQr2xTvW",
            "status": "completed",
            "image_url": "https://img.example/img/a.png",
            "created_at": "2026-06-01T10:32:44Z",
        },
    }


def test_an_event_may_speak_of_anything() -> None:
    body = json.loads(event_body(ended(type="batch.completed", members={"batch_id": "b_1"}, details={}), sequence=1))
    assert (body["event"], body["type"], body["batch_id"], body["data"]) == (
        "batch.completed", "batch.completed", "b_1", {"batch_id": "b_1"}
    )  # fmt: skip


def test_moments_are_written_in_utc() -> None:
    there = datetime(2026, 6, 1, 12, 32, 44, tzinfo=timezone(timedelta(hours=2)))
    assert written_moment(there) == "2026-06-01T10:32:44Z"


def test_the_same_end_gives_the_same_bytes() -> None:
    assert event_body(ended(), sequence=1) == event_body(ended(), sequence=1)


def test_a_body_stays_thin_whatever_the_details_are() -> None:
    fat = event_body(ended(details={"metadata": {"note": "é" * MAX_BODY_BYTES}}), sequence=1)
    assert len(fat) < 1000
    assert json.loads(fat)["data"]["generation_id"] == "gen_Kz9mN4pQr2xTvW"
