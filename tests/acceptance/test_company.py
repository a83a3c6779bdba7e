"""Many callers at once, on the real engine and the model in the box: each gets the picture it would have got alone."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

ASKED = [
    {"prompt": prompt, "style": style, "seed": seed, "quality": quality}
    for prompt, style, seed, quality in (
        ("a red lighthouse by the sea at sunset", "watercolor", 1, "standard"),
        ("a blue boat on a lake at night", "none", 2, "hd"),
        ("a yellow car in the desert", "pixel-art", 3, "standard"),
        ("a green castle in a meadow", "none", 4, "standard"),
    )
]


def at_once(server, bodies):
    with ThreadPoolExecutor(len(bodies)) as callers:
        return [answer.json() for answer in callers.map(lambda body: server.paint(cache=False, **body), bodies)]


def pixels(body):
    return [image["pixel_sha256"] for image in body["images"]]


@pytest.fixture(scope="module")
def alone(server):
    """What each caller gets when nobody else asks."""
    return [pixels(server.paint(cache=False, **body).json()) for body in ASKED]


def test_callers_at_once_get_what_they_get_alone(server, alone):
    together = at_once(server, ASKED + ASKED[:2])

    assert [pixels(body) for body in together] == alone + alone[:2]


def test_what_was_measured_is_kept_beside_the_data(home, server, alone):
    files = list((home.folder / "data" / "calibrations").glob("starter-*.json"))

    assert files
    sizes = [json.loads(file.read_text())["sizes"] for file in files]
    assert all(size[0] == 1 for size in sizes)
    assert any(len(size) > 1 for size in sizes), "pictures share passes"


def test_pictures_of_one_request_are_painted_together_and_as_alone(server, alone):
    several = server.paint(cache=False, n=3, **ASKED[0]).json()

    assert several["status"] == "completed"
    assert [image["seed"] for image in several["images"]] == [1, 2, 3]
    assert pixels(several)[:1] == alone[0]


def test_an_engine_killed_with_several_inside_finishes_all_of_them_as_they_were(server, alone):
    bodies = [server.paint(cache=False, **body, **{"async": True}).json() for body in ASKED]
    (child,) = server.children()
    while not any(
        (server.get(f"/v1/generations/{body['generation_id']}").json()["progress"] or {}).get("step") for body in bodies
    ):
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)

    ended = [server.ended(body["generation_id"]) for body in bodies]

    assert [body["status"] for body in ended] == ["completed"] * len(ASKED)
    assert [pixels(body) for body in ended] == alone
