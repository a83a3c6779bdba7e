"""A painting that takes the server with it is tried three times, alone and after the others, and then ends."""

import time

POISON = {"prompt": "poison", "num_inference_steps": 4, "async": True}
SLOW = {"prompt": "a harmless boat", "num_inference_steps": 60, "async": True}


def died(server) -> bool:
    """Whether it goes within the time that a painting needs many times over."""
    for _ in range(400):
        if server.process.poll() is not None:
            return True
        time.sleep(0.05)
    return False


def test_a_painting_that_kills_its_server_ends_and_nobody_else_does(home):
    server = home.start()
    others = [server.paint(seed=seed, **SLOW).json()["generation_id"] for seed in (1, 2)]
    poison = server.paint(seed=3, **POISON).json()["generation_id"]
    assert died(server)
    for _ in range(2):
        server = home.start()
        assert died(server), "alone it kills the server again"
    server = home.start()
    assert not server.paint(seed=4, prompt="a boat", num_inference_steps=2).json().get("error")
    ended = server.ended(poison)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "painting_crashed")
    assert [server.ended(id)["status"] for id in others] == ["completed", "completed"]
    assert server.get("/readyz").json()["ready"]
