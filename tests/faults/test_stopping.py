"""A stop answers whoever waits, in the form of what they speak, and loses no work."""

import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

HELD = {"prompt": "a boat", "async": True}
PROMPT = {"prompt": "a boat that no log names"}


def calls(server):
    """Every way to wait for a picture, each as a function that returns the answer."""
    url, headers = server.url, server.headers
    replicate = {"input": {**PROMPT, "seed": 4}}

    def post(path, body, **more):
        return lambda: server.http.post(f"{url}{path}", json=body, headers={**headers, **more})

    return {
        "native": post("/v1/generate", {**PROMPT, "seed": 1}),
        "openai": post("/v1/images/generations", PROMPT),
        "openai stream": post("/v1/images/generations", {**PROMPT, "stream": True}),
        "a1111": post("/sdapi/v1/txt2img", {**PROMPT, "seed": 5}),
        "huggingface": post("/hf/starter", {"inputs": PROMPT["prompt"]}),
        "replicate": post("/v1/models/local/starter/predictions", replicate, Prefer="wait"),
    }


def half_a_body(server):
    port = int(server.url.rpartition(":")[2])
    caller = socket.create_connection(("127.0.0.1", port))
    key = server.key.encode()
    caller.sendall(
        b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer " + key + b"\r\nContent-Length: 100\r\n\r\n{"
    )
    return caller


def until(is_so):
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


@contextmanager
def held(home):
    """No picture is finished inside."""
    file = home.folder / "data" / "held"
    file.parent.mkdir(exist_ok=True)
    file.touch()
    yield
    file.unlink()


def logged(home, words):
    return [line for line in home.log.read_text().splitlines() if words in line]


def test_who_waits_when_the_server_stops_is_answered_and_the_work_is_done_later(home):
    server = home.start(SLOTS=1, LOG_FORMAT="json", LOG_REQUESTS=True)
    waiting = calls(server)
    with held(home), ThreadPoolExecutor(10) as threads, half_a_body(server) as caller:
        first = server.paint(**HELD).json()["generation_id"]
        answers = {name: threads.submit(call) for name, call in waiting.items()}
        path = f"{server.url}/v1/generations/{first}/events"
        events = threads.submit(lambda: server.http.get(path, headers=server.headers))
        until(lambda: len(server.get("/v1/generations").json()["data"]) == len(waiting) + 1)
        server.process.send_signal(signal.SIGTERM)
        answered = {name: answer.result() for name, answer in answers.items()}
        followed = events.result()
        cut = caller.makefile("rb").read()
    assert server.process.wait(60) in {0, -signal.SIGTERM}

    assert answered["native"].status_code == 202
    assert answered["native"].json()["poll_url"] == answered["native"].headers["location"]
    assert (answered["replicate"].status_code, answered["replicate"].json()["status"]) == (201, "starting")
    for name in ("openai", "a1111", "huggingface"):
        assert (answered[name].status_code, name) == (503, name)
        assert int(answered[name].headers["retry-after"]) > 0
        assert answered[name].json()["error"]["code"] == "overloaded"
    (last,) = [line for line in answered["openai stream"].text.splitlines() if line.startswith("data:")]
    assert json.loads(last.removeprefix("data:"))["error"]["code"] == "overloaded"
    assert (followed.status_code, "event: error" in followed.text) == (200, False)
    assert cut.startswith(b"HTTP/1.1 503")
    assert b'"overloaded"' in cut
    lines = [json.loads(line) for line in home.log.read_text().splitlines()]  # and nothing else is on the stream
    assert {"started", "request", "stopping", "stopped"} <= {line["event"] for line in lines}
    assert [line for line in lines if "exception" in line] == []
    requests = {line["path"]: line for line in lines if line["event"] == "request"}
    assert requests["/v1/images/generations"].keys() >= {"request_id", "method", "status", "ms", "account", "key"}
    assert [secret for secret in (PROMPT["prompt"], home.key) if secret in home.log.read_text()] == []

    server = home.start(SLOTS=1)
    for one in server.get("/v1/generations").json()["data"]:
        assert server.ended(one["generation_id"])["status"] == "completed"
    server.stop()


def test_a_second_signal_stops_at_once_and_blames_no_painting(home):
    server = home.start()
    with held(home):
        painted = server.paint(**HELD).json()["generation_id"]
        until(lambda: server.get(f"/v1/generations/{painted}").json()["status"] == "processing")
        with half_a_body(server):
            server.process.send_signal(signal.SIGTERM)
            until(lambda: logged(home, "stopping"))
            server.process.send_signal(signal.SIGINT)
            assert server.process.wait(60) == 128 + signal.SIGINT
    assert logged(home, "stopping at once")
    server = home.start()
    assert server.ended(painted)["status"] == "completed"
    assert logged(home, "starting")[-1].endswith("unfinished_of_the_last_run=0")
