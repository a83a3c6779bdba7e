"""The progress of several pictures as that of one generation."""

from plugins.tiny_specs import new_spec

from gateway.generations.showing.progress import JointProgress
from models import Phase, Progress


def denoising(step: int, steps: int = 10, eta_ms: int | None = None) -> Progress:
    return Progress(phase=Phase.DENOISING, step=step, steps=steps, eta_ms=eta_ms)


def of(count: int) -> JointProgress:
    return JointProgress([new_spec(num_inference_steps=10)] * count)


def test_one_picture_is_passed_on_as_it_is() -> None:
    joint = of(1)
    for progress in (
        Progress(phase=Phase.WAITING),
        Progress(phase=Phase.CALIBRATING),
        denoising(3, eta_ms=700),
        denoising(10, eta_ms=50),
        Progress(phase=Phase.DECODING, eta_ms=20),
    ):
        assert joint.note(0, progress) == progress


def test_steps_are_the_sum_over_the_pictures_those_not_begun_included() -> None:
    joint = of(3)
    joint.note(0, denoising(4))

    together = joint.note(1, denoising(2))

    assert (together.phase, together.step, together.steps) == (Phase.DENOISING, 6, 30)


def test_what_is_past_denoising_has_done_all_its_steps() -> None:
    joint = of(3)
    joint.note(0, denoising(9, steps=9))
    joint.note(0, Progress(phase=Phase.DECODING))
    joint.finish(0)
    joint.note(1, denoising(10))
    joint.note(1, Progress(phase=Phase.UPSCALING))

    together = joint.note(2, denoising(1))

    assert (together.step, together.steps) == (9 + 10 + 1, 9 + 10 + 10)


def test_the_phase_is_denoising_while_any_picture_is_in_it_else_the_furthest() -> None:
    joint = of(2)

    assert joint.note(0, Progress(phase=Phase.ENCODING)).phase is Phase.ENCODING
    assert joint.note(0, denoising(1)).phase is Phase.DENOISING
    assert joint.note(1, Progress(phase=Phase.DECODING)).phase is Phase.DENOISING
    assert joint.finish(0).phase is Phase.DECODING
    assert joint.finish(1).phase is Phase.DECODING


def test_it_takes_as_long_as_the_slowest_and_nobody_knows_while_nobody_knows_of_one() -> None:
    joint = of(3)
    joint.note(0, denoising(4, eta_ms=500))

    assert joint.note(1, denoising(2, eta_ms=900)).eta_ms is None
    assert joint.note(2, denoising(1, eta_ms=700)).eta_ms == 900
    assert joint.finish(1).eta_ms == 700
    assert joint.note(0, Progress(phase=Phase.DECODING)).eta_ms == 700
    assert joint.note(2, Progress(phase=Phase.DECODING)).eta_ms is None
    assert [joint.finish(position).eta_ms for position in (0, 2)] == [None, 0]


def test_a_picture_that_begins_anew_counts_from_nothing() -> None:
    joint = of(2)
    joint.note(0, denoising(8))
    joint.note(0, Progress(phase=Phase.LOADING))

    together = joint.note(1, denoising(1))

    assert (together.step, together.steps) == (1, 20)
