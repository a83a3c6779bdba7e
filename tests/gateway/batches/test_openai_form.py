"""OpenAI's form of a batch: a file goes up, a batch is made of it, two files come back."""

import asyncio
import json

import pytest

from gateway.accounts import CLI

URL = "/v1/images/generations"


def line(custom_id, **body) -> str:
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": URL, "body": body})


@pytest.fixture
def send(gateway, batches):
    async def send(content, *, purpose="batch", name="requests.jsonl"):
        files = {"file": (name, content.encode())}
        return await gateway.http.post("/v1/files", data={"purpose": purpose}, files=files, headers=batches.headers)

    return send


@pytest.fixture
def make(gateway, batches):
    async def make(file_id, headers=None, **changed):
        order = {"input_file_id": file_id, "endpoint": URL, "completion_window": "24h", **changed}
        return await gateway.http.post("/v1/batches", json=order, headers=headers or batches.headers)

    return make


async def lines_of(batches, file_id) -> list[dict]:
    return [json.loads(one) for one in (await batches.get(f"/v1/files/{file_id}/content")).text.splitlines()]


async def test_a_file_becomes_a_batch_that_ends_in_two_files(batches, send, make):
    wrong = json.dumps({"custom_id": "c", "method": "POST", "url": "/v1/chat/completions", "body": {}})
    content = "\n".join([line("a", prompt="a boat", n=2), line("b", prompt="a boat", size="10x10"), wrong, "{"])
    sent = (await send(content)).json()
    made = await make(sent["id"], metadata={"order": "7"})
    assert (made.status_code, made.json()["input_file_id"]) == (202, sent["id"])

    ended = await batches.until(made.json()["id"], lambda batch: batch["status"] == "completed")
    assert (ended["object"], ended["endpoint"], ended["metadata"]) == ("batch", URL, {"order": "7"})
    assert ended["request_counts"] == {"total": 4, "completed": 1, "failed": 3}
    (output,) = await lines_of(batches, ended["output_file_id"])
    assert (output["custom_id"], output["response"]["status_code"], output["error"]) == ("a", 200, None)
    pictures = output["response"]["body"]["data"]
    assert [(await batches.gateway.http.get(picture["url"])).status_code for picture in pictures] == [200, 200]
    errors = await lines_of(batches, ended["error_file_id"])
    assert [(one["custom_id"], one["response"], one["error"]["code"]) for one in errors] == [
        ("b", None, "invalid_size"),
        ("c", None, "invalid_parameter"),
        (None, None, "invalid_json"),
    ]
    about = (await batches.get(f"/v1/files/{ended['output_file_id']}")).json()
    whole = await batches.get(f"/v1/files/{ended['output_file_id']}/content")
    assert (about["purpose"], about["bytes"]) == ("batch_output", len(whole.content))


async def test_a_batch_is_cancelled_and_listed_in_openais_words(gateway, batches, send, make):
    gateway.engine.hold()
    own = (await batches.send([{"prompt": "a boat"}])).json()["batch_id"]
    made = (await make((await send(line("a", prompt="a castle"))).json()["id"])).json()
    assert (made["status"], made["output_file_id"], made["error_file_id"]) == ("in_progress", None, None)
    assert (await batches.get(f"/v1/files/file_output_{made['id'].removeprefix('batch_')}")).status_code == 404
    assert (await batches.cancel(made["id"])).json()["status"] in {"cancelling", "cancelled"}
    gateway.engine.release()
    ended = await batches.until(made["id"], lambda batch: batch["status"] == "cancelled")
    (error,) = await lines_of(batches, ended["error_file_id"])
    assert error["error"]["code"] == "generation_canceled"
    page = (await batches.get("/v1/batches", limit=1)).json()
    assert (page["data"], page["has_more"]) == ([ended], True)
    following = (await batches.get("/v1/batches", limit=1, after=made["id"])).json()
    assert [batch["batch_id"] for batch in following["data"]] == [own]


async def test_files_are_kept_listed_and_deleted(gateway, batches, send, make):
    first, second = [(await send(line("a", prompt="a boat"), name=name)).json() for name in ("a.jsonl", "b.jsonl")]
    page = (await batches.get("/v1/files", limit=1)).json()
    assert (len(page["data"]), page["has_more"]) == (1, True)
    rest = (await batches.get("/v1/files", after=page["last_id"])).json()
    assert {page["first_id"], rest["first_id"]} == {first["id"], second["id"]}
    assert (await batches.get(f"/v1/files/{first['id']}")).json() == first
    assert (await batches.get(f"/v1/files/{first['id']}/content")).text == line("a", prompt="a boat")
    deleted = await gateway.http.delete(f"/v1/files/{first['id']}", headers=batches.headers)
    assert deleted.json() == {"id": first["id"], "object": "file", "deleted": True}
    assert (await batches.get(f"/v1/files/{first['id']}/content")).status_code == 404
    assert (await make(first["id"])).json()["error"]["code"] == "not_found"
    assert len(list((gateway.installation.settings.data_dir / "pictures" / "files").rglob("*.jsonl"))) == 1


async def test_another_accounts_files_and_batches_are_none(gateway, batches, batches_of, send, make):
    stranger = batches_of(gateway, await gateway.new_key(account="ben", plan="owner"))
    file_id = (await send(line("a", prompt="a boat"))).json()["id"]
    assert (await make(file_id, headers=stranger.headers)).json()["error"]["code"] == "not_found"
    batch_id = (await make(file_id)).json()["id"]
    ended = await batches.until(batch_id, lambda batch: batch["status"] == "completed")
    foreign = await stranger.get(f"/v1/files/{ended['output_file_id']}/content")
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (404, "not_found")


async def test_what_cannot_be_is_refused_and_said(open_gateway, batches_of):
    gateway = await open_gateway(max_batch_bytes=200, max_files=1)
    headers = batches_of(gateway).headers

    async def refused(purpose, content):
        files = {"file": ("a", content)} if content else None
        sent = await gateway.http.post("/v1/files", data={"purpose": purpose}, files=files, headers=headers)
        return sent.status_code, sent.json().get("error", {}).get("code")

    assert await refused("fine-tune", b"{}") == (400, "invalid_parameter")
    assert (await refused("batch", None))[0] == 400
    assert await refused("batch", b"x" * 201) == (413, "payload_too_large")
    assert await refused("batch", b"{}") == (200, None)
    assert await refused("batch", b"{}") == (403, "too_many_files")
    order = {"input_file_id": "file_x", "endpoint": "/v1/responses", "completion_window": "24h"}
    answered = await gateway.http.post("/v1/batches", json=order, headers=headers)
    assert (answered.status_code, answered.json()["error"]["param"]) == (400, "endpoint")


async def test_calls_at_one_time_keep_no_more_files_than_may_be_kept(open_gateway, batches_of):
    gateway = await open_gateway(max_files=2)
    headers = batches_of(gateway).headers

    async def sent():
        files = {"file": ("a", b"{}")}
        return await gateway.http.post("/v1/files", data={"purpose": "batch"}, files=files, headers=headers)

    answers = await asyncio.gather(*(sent() for _ in range(8)))
    assert sorted(answered.status_code for answered in answers) == [200] * 2 + [403] * 6
    assert len((await gateway.http.get("/v1/files", headers=headers)).json()["data"]) == 2
    assert len(list((gateway.installation.settings.data_dir / "pictures" / "files").glob("*/*"))) == 2


async def test_an_erased_accounts_files_go_with_it(gateway, batches_of):
    batches = batches_of(gateway, await gateway.new_key(account="anna", plan="owner"))
    files = {"file": ("annas.jsonl", b"{}")}
    await gateway.http.post("/v1/files", data={"purpose": "batch"}, files=files, headers=batches.headers)
    folder = gateway.installation.settings.data_dir / "pictures" / "files"
    assert len(list(folder.rglob("*.jsonl"))) == 1
    await gateway.installation.access.accounts.erase("anna", by=CLI)
    assert list(folder.rglob("*.jsonl")) == []


@pytest.mark.parametrize("left", [None, b"{"])
async def test_a_file_whose_bytes_are_lost_is_said_to_be_gone(gateway, batches, send, make, left):
    sent = (await send(line("a", prompt="a boat"))).json()
    (file,) = (gateway.installation.settings.data_dir / "pictures" / "files").rglob("*.jsonl")
    file.unlink()
    if left is not None:
        file.write_bytes(left)
    for answered in (await batches.get(f"/v1/files/{sent['id']}/content"), await make(sent["id"])):
        assert (answered.status_code, answered.json()["error"]["code"]) == (410, "file_gone")
