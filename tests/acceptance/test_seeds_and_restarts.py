"""The same request gives the same pixels, and accepted work is finished, whatever is killed in between."""

import hashlib
import os
import signal

LONG = {"num_inference_steps": 20, "async": True}


def pixels(server, **body):
    return server.paint(cache=False, **body).json()["images"][0]["pixel_sha256"]


def test_the_same_request_gives_the_same_pixels_before_and_after_a_restart(home, server):
    first, second, other = [pixels(server, seed=seed) for seed in (11, 11, 12)]
    server.stop()
    again = home.start()
    assert "first-key" not in again.output, "the key is shown once"
    assert first == second == pixels(again, seed=11)
    assert other != first


def test_accepted_work_is_finished_after_a_kill_of_the_server(home):
    server = home.running()
    accepted = [server.paint(seed=seed, **LONG) for seed in range(3)]
    assert [answer.status_code for answer in accepted] == [202] * 3
    server.stop(signal.SIGKILL)
    again = home.start()
    bodies = [again.ended(answer.json()["generation_id"]) for answer in accepted]
    assert [(body["status"], body["error"]) for body in bodies] == [("completed", None)] * 3
    for body in bodies:
        content = again.http.get(body["image_url"]).content
        assert hashlib.sha256(content).hexdigest() == body["images"][0]["file_sha256"]


def test_a_killed_engine_is_restarted_and_its_work_finished(home):
    server = home.running()
    server.paint()
    (child,) = server.children()
    accepted = [server.paint(seed=0, n=4, **LONG)]
    os.kill(child, signal.SIGKILL)
    accepted += [server.paint(seed=seed, **LONG) for seed in (4, 5)]
    bodies = [server.ended(answer.json()["generation_id"]) for answer in accepted]
    assert [(body["status"], body["error"]) for body in bodies] == [("completed", None)] * 3, home.log.read_text()
    assert server.children() != [child]
    server.stop()
