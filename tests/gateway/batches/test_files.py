"""Batches sent as files: CSV as spreadsheets write it, and JSON lines."""

import asyncio
import json
import tracemalloc

import pytest

from gateway.http.batches.forms import items_of_csv, items_of_lines
from gateway.http.edge.refusals import FileInvalid
from models import GenerationRequest, ParameterUnknown, Quality
from tests.gateway.batches.conftest import counts

CSV = """custom_id,prompt,style,width,quality,seed,upscale,enhance_prompt,loras,negative_prompt\r
a,"a boat, and a ""red"" castle\r
by the sea",watercolor,768,standard,7,TRUE,auto,,\r
b,a castle,,,,,,false,"[{""id"": ""ink"", ""weight"": 0.5}]",clouds\r
"""


def codes_of(items):
    return [getattr(item.wish, "code", None) for item in items]


def test_a_table_is_read_as_its_members_types() -> None:
    first, second = items_of_csv(CSV.encode(), {})
    assert (first.custom_id, second.custom_id) == ("a", "b")
    assert first.wish.request == GenerationRequest(
        prompt='a boat, and a "red" castle\r\nby the sea',
        style="watercolor",
        width=768,
        quality=Quality.STANDARD,
        seed=7,
        upscale=True,
    )
    assert second.wish.request.loras[0].weight == 0.5
    assert (second.wish.request.negative_prompt, second.wish.request.enhance_prompt) == ("clouds", False)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_may_come_from_any_spreadsheet(delimiter) -> None:
    table = f"prompt{delimiter}seed{delimiter}width\na boat{delimiter}7.0{delimiter}512\n"
    (item,) = items_of_csv(b"\xef\xbb\xbf" + table.encode(), {})
    assert item.wish.request == GenerationRequest(prompt="a boat", seed=7, width=512)


def test_text_that_looks_like_a_number_stays_text() -> None:
    (item,) = items_of_csv(b"custom_id,prompt\n007,1984\n", {})
    assert (item.custom_id, item.wish.request.prompt) == ("007", "1984")


def test_a_row_that_is_wrong_is_one_item_that_is_refused() -> None:
    table = "prompt,seed,width\na boat,7\na boat,7,512,9\na boat,seven,512\na boat,-1,512\na boat,1,512\n\n,1,512\n"
    items = list(items_of_csv(table.encode(), {}))
    assert codes_of(items) == [*["invalid_parameter"] * 4, None, "missing_parameter"]
    assert items[0].wish.message == "Row 2 has 2 cells, and the header 3."
    assert items[2].wish.field == "seed"


@pytest.mark.parametrize(
    ("table", "error"),
    [
        (b"", FileInvalid),
        (b"prompt,prompt\na,b\n", FileInvalid),
        (b"prompt,colour\na,b\n", ParameterUnknown),
        (b"prompt,webhook_url\na,http://127.0.0.1/\n", ParameterUnknown),
        (b'prompt\n"a boat\n', FileInvalid),
        (b'prompt\n"a "boat"\n', FileInvalid),
        (b"prompt\na bo\xe9t\n", FileInvalid),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_as_a_whole(table, error) -> None:
    with pytest.raises(error):
        list(items_of_csv(table, {}))


def test_lines_are_read_one_by_one() -> None:
    lines = [
        '\ufeff{"prompt": "a boat", "custom_id": "a"}',
        "",
        "{",
        '{"prompt": "a boat"} {"prompt": "a boat"}',
        '"a boat"',
        '{"prompt": "a boat", "seed": NaN}',
        '{"prompt": "\\ud800"}',
        '{"prompt": "line\\u2028separator"}',
        '{"prompt": "a boat", "dry_run": true}',
    ]
    items = list(items_of_lines("\r\n".join(lines).encode(), {"seed": 4}))
    codes = [None, *["invalid_json"] * 5, None, "unknown_parameter"]
    assert codes_of(items) == codes
    assert items[0].wish.request.seed == 4
    assert items[1].wish.message.startswith("Line 3 is not valid JSON")


def test_a_line_that_is_not_utf8_is_one_item_that_is_refused() -> None:
    assert codes_of(items_of_lines(b'{"prompt": "a bo\xe9t"}\n{"prompt": "a boat"}', {})) == ["invalid_json", None]


def test_a_file_with_too_many_lines_is_not_read_to_its_end() -> None:
    items = items_of_lines(b'{"prompt": "a boat"}\n' * 1_000_000, {})
    assert next(items).wish.request == GenerationRequest(prompt="a boat")


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("text/csv; charset=utf-8", "custom_id,prompt\na,a boat\nb,a castle\nc,\n"),
        ("application/jsonl", '{"custom_id":"a","prompt":"a boat"}\n{"custom_id":"b","prompt":"a castle"}\n{"custom_id":"c"}'),
        ("application/x-ndjson", '{"custom_id":"a","prompt":"a boat"}\n{"custom_id":"b","prompt":"a castle"}\n{"custom_id":"c"}'),
    ],
)  # fmt: skip
async def test_a_file_is_a_batch_like_any_other(batches, media_type, content):
    described = {"defaults": json.dumps({"style": "watercolor"}), "metadata": json.dumps({"order": "17"})}
    sent = await batches.send_file(content, media_type, **described)
    batch = await batches.ended(sent.json()["batch_id"])
    results = await batches.results(batch["batch_id"])
    assert (sent.status_code, batch["metadata"], batch["counts"]) == (
        202,
        {"order": "17"},
        counts(completed=2, refused=1),
    )
    assert [(one["custom_id"], one["status"]) for one in results] == [
        ("a", "completed"),
        ("b", "completed"),
        ("c", "refused"),
    ]
    assert {one["generation"]["style"] for one in results[:2]} == {"watercolor"}


@pytest.mark.parametrize("content", ["prompt\na boat\na castle\n", '\n{"prompt":"a boat"}\n{"prompt":"a castle"}\n'])
async def test_a_file_may_come_in_a_form(gateway, batches, content):
    sent = await gateway.http.post(
        "/v1/batches",
        files={"file": ("items", content.encode())},
        data={"defaults": json.dumps({"style": "watercolor"}), "metadata": json.dumps({"order": "17"})},
        headers=batches.headers,
    )
    batch = await batches.ended(sent.json()["batch_id"])
    results = await batches.results(batch["batch_id"])
    assert (batch["metadata"], [one["generation"]["style"] for one in results]) == ({"order": "17"}, ["watercolor"] * 2)
    for form in ({"data": {"file": "prompt"}}, {"files": {"table": b"prompt\na"}}):
        refused = await gateway.http.post("/v1/batches", headers=batches.headers, **form)
        assert refused.status_code in {400, 415}


async def test_what_is_wrong_with_a_file_or_its_query_is_said(open_gateway, batches_of):
    batches = batches_of(await open_gateway(max_batch_bytes=2_000))
    cases = [
        (b"prompt\na boat\n", "text/plain", {}, 415, "unsupported_media_type", None),
        (b"prompt\na boat\n", "text/csv", {"defaults": "{"}, 400, "invalid_parameter", "defaults"),
        (b"prompt\na boat\n", "text/csv", {"metadata": "[]"}, 400, "invalid_parameter", "metadata"),
        (b"prompt\na boat\n", "text/csv", {"webhook_url": "ftp://a"}, 400, "invalid_webhook_url", "webhook_url"),
        (b"prompt\n", "text/csv", {}, 400, "missing_parameter", "items"),
        (b"colour\nred\n", "text/csv", {}, 400, "unknown_parameter", "colour"),
        (b'prompt\n"a\n', "text/csv", {}, 400, "invalid_file", None),
        (b"\n", "application/jsonl", {}, 400, "missing_parameter", "items"),
        (b"x" * 2_001, "application/jsonl", {}, 413, "payload_too_large", None),
    ]  # fmt: skip
    for content, media_type, query, status, code, param in cases:
        answered = await batches.send_file(content, media_type, **query)
        error = answered.json()["error"]
        assert (answered.status_code, error["code"], error["param"]) == (status, code, param), content
    assert (await batches.get("/v1/batches")).json()["data"] == []


async def test_the_largest_batch_takes_bounded_memory_and_leaves_others_their_turns(gateway, batches):
    """10,000 items: what is held at a time is the file and its rows, never the answers."""
    lines = b"".join(b'{"custom_id":"%d","prompt":""}\n' % i for i in range(10_000))
    tracemalloc.start()
    sending = asyncio.create_task(batches.send_file(lines, "application/jsonl"))
    await asyncio.sleep(0)
    assert (await gateway.http.get("/healthz")).status_code == 200
    assert not sending.done()
    batch = (await sending).json()
    answered = await batches.get(f"/v1/batches/{batch['batch_id']}/results")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert batch["counts"] == counts(refused=10_000)
    assert [json.loads(line)["position"] for line in answered.text.splitlines()] == list(range(10_000))
    assert peak < 64_000_000
