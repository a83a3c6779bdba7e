"""A course of training ends in time, keeps what it has, and goes on from there."""

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("skia")

import torch

from models.training.course import Average, Course, arguments, rate_at, seeded


def course(folder: Path, network: torch.nn.Module, *, minutes: str, call_minutes: str = "inf") -> Course:
    options = ["--out", str(folder), "--minutes", minutes, "--call-minutes", call_minutes]
    return Course(arguments("", minutes=1.0).parse_args(options), {"network": network})


def test_a_course_without_minutes_left_makes_no_step(tmp_path: Path) -> None:
    assert list(course(tmp_path, torch.nn.Linear(2, 2), minutes="0")) == []


def test_a_call_ends_before_the_budget_and_the_next_goes_on(tmp_path: Path) -> None:
    network = torch.nn.Linear(2, 2)
    first = course(tmp_path, network, minutes="0.001", call_minutes="0.0005")
    shares = list(first)
    assert shares[0] == 0.0
    assert not first.is_over
    torch.nn.init.zeros_(network.weight)

    second = course(tmp_path, network, minutes="0.001")
    assert second.steps == len(shares)
    assert bool(network.weight.any()), "the weights on disk were read back"
    assert next(iter(second)) == pytest.approx(first.spent / 0.06)
    assert second.steps == first.steps


def test_a_finished_course_says_so(tmp_path: Path) -> None:
    done = course(tmp_path, torch.nn.Linear(2, 2), minutes="0.0002")
    steps = len(list(done))
    assert done.is_over
    assert course(tmp_path, torch.nn.Linear(2, 2), minutes="0.0002").steps == steps


def test_the_rate_warms_up_and_falls() -> None:
    assert rate_at(0.0) == pytest.approx(0.02)
    assert rate_at(0.02) == pytest.approx(1.0)
    assert rate_at(0.3) > rate_at(0.6) > rate_at(1.0) == pytest.approx(0.02)


def test_equal_seeds_give_equal_networks() -> None:
    networks = [torch.nn.Linear(5, 3) for _ in range(3)]
    for network, seed in zip(networks, (1, 1, 2), strict=True):
        seeded(network, seed)
    assert torch.equal(networks[0].weight, networks[1].weight)
    assert not torch.equal(networks[0].weight, networks[2].weight)


def test_an_average_lags_behind_and_is_kept() -> None:
    weight = torch.zeros(3)
    mean = Average([weight], decay=0.9)
    weight.fill_(1.0)
    mean.update()
    assert 0.0 < float(mean.mean[0][0]) < 1.0
    other = Average([weight], decay=0.9)
    other.load_state_dict(mean.state_dict())
    assert torch.equal(other.mean[0], mean.mean[0])
