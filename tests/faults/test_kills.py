"""Short versions of `make faults`: the same programs, with a few kills and some hundred requests."""

from plugins import kill_run, load_run


def test_nothing_is_lost_doubled_or_paid_twice_when_server_and_engine_are_killed_in_turn(tmp_path):
    report = kill_run.run(tmp_path, kills=4, seed=7)
    assert report.broken == []
    assert report.counts["kills of the server"] == report.counts["kills of the engine"] == 2
    assert report.counts["pictures right"] > 0
    assert report.counts["events"] > 0


def test_mixed_requests_on_many_connections_meet_no_failure(tmp_path):
    load = load_run.run(tmp_path, requests=150, connections=50, seed=7)
    assert load.failures == []
    assert sum(load.statuses.values()) == 150
    assert load.memory_mb[-1] - load.memory_mb[0] < 150
