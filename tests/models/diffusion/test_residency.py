"""Who gets which model when there is not room for all: in turn, and nobody waits for ever."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plugins.at_once import at_once
from plugins.tiny_specs import card_of

from models import WeightsRejected
from models.diffusion.device import Device
from models.diffusion.loading.queue import Caller, Queue
from models.diffusion.loading.residency import Residency
from models.diffusion.resident.placing import placement_of
from models.diffusion.weights.folders import inspect

LONGEST = 60  # polls that loading a tiny model takes at most


@dataclass(eq=False)
class User:
    """One who wants a model, driven by hand."""

    residency: Residency
    model: str
    has_it: bool = False
    held: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.held.enter_context(self.residency.using(self.model))
        self.pieces = self.residency.pipeline(self.model)
        self.held.callback(self.pieces.close)

    def poll(self) -> bool | None:
        """What the residency yields; None once the model is there."""
        if not self.has_it:
            is_work = next(self.pieces, None)
            self.has_it = is_work is None
            return is_work
        return None

    def leave(self) -> None:
        self.held.close()


class Visit:
    """Everybody who uses one residency, polled in order of arrival as the loop does it."""

    def __init__(self, residency: Residency) -> None:
        self.residency = residency
        self.users: list[User] = []

    def ask(self, model: str) -> User:
        self.users.append(User(self.residency, model))
        self.poll()
        return self.users[-1]

    def poll(self, times: int = 1) -> None:
        for _ in range(times):
            for user in self.users:
                user.poll()

    def leave(self, *users: User) -> None:
        for user in users:
            self.users.remove(user)
            user.leave()
        self.poll(LONGEST)


Visiting = Callable[..., Visit]


@pytest.fixture
def sizes(sd1: Path, sdxl: Path, device: Device) -> tuple[int, int]:
    """Bytes of the small and of the large model."""
    small, large = (placement_of(inspect(folder), card_of(folder), device).device_bytes for folder in (sd1, sdxl))
    assert 1.1 * small < large < 1.5 * small
    return small, large


@pytest.fixture
def visiting(sd1: Path, sdxl: Path, device: Device, sizes: tuple[int, int]) -> Iterator[Visiting]:
    """Small models a, b, c and large ones X, Y, in a memory for so many small and so many large ones."""
    folders = {"a": sd1, "b": sd1, "c": sd1, "X": sdxl, "Y": sdxl}
    visits: list[Visit] = []

    def new(*, small: float, large: float = 0, changed: Mapping[str, Path] | None = None) -> Visit:
        cards = {model: card_of(folder, name=model) for model, folder in (folders | dict(changed or {})).items()}
        room = int(sizes[0] * small + sizes[1] * large)
        visits.append(Visit(Residency(cards, replace(device, memory_bytes=room))))
        return visits[-1]

    yield new
    for visit in visits:
        for user in visit.users:
            user.leave()


def test_what_a_model_takes_is_what_its_weights_take(sd1: Path, sizes: tuple[int, int], device: Device) -> None:
    pipeline = at_once(Residency({"tiny": card_of(sd1)}, device).pipeline("tiny"))
    texts, unet, vae = pipeline.texts, pipeline.network.module, pipeline.network.decoder._vae
    encoders = [encoder for encoder in vars(texts).values() if hasattr(encoder, "parameters")]
    assert unet is not vae
    held = sum(
        weight.numel() * weight.element_size() for part in (unet, vae, *encoders) for weight in part.parameters()
    )

    assert held <= pipeline.size_bytes == sizes[0] <= held * 1.5


def test_models_that_fit_together_stay_together(visiting: Visiting) -> None:
    visit = visiting(small=2.1)
    for model in ("a", "b"):
        at_once(visit.residency.pipeline(model))

    assert visit.residency.models() == ("a", "b")


def test_models_that_do_not_fit_together_take_turns(visiting: Visiting) -> None:
    visit = visiting(small=1.5, large=1)
    for model in ("a", "X", "a", "b"):
        at_once(visit.residency.pipeline(model))

    assert visit.residency.models() == ("a", "b")


def test_a_model_gets_room_from_one_that_is_wanted_all_the_time(visiting: Visiting) -> None:
    visit = visiting(small=1.5)
    first = visit.ask("b")
    visit.poll(LONGEST)
    waiting = visit.ask("a")
    crowd = [first]
    for tick in range(3 * LONGEST):  # somebody comes for b before the last one leaves
        if tick % 5 == 0:
            crowd.append(visit.ask("b"))
            if crowd[0].has_it:
                visit.users.remove(crowd[0])
                crowd.pop(0).leave()
        visit.poll()

    assert waiting.has_it


def test_a_busy_model_is_not_begun_with_again_while_another_waits_for_its_room(visiting: Visiting) -> None:
    visit = visiting(small=1.5)
    first = visit.ask("b")
    visit.poll(LONGEST)
    before = visit.ask("b")
    waiting, after = visit.ask("a"), visit.ask("b")
    visit.poll(LONGEST)
    assert [one.has_it for one in (first, before, waiting, after)] == [True, True, False, False]
    assert after.poll() is waiting.poll() is False

    visit.leave(first, before)
    assert (waiting.has_it, after.has_it) == (True, False)
    visit.leave(waiting)
    assert after.has_it


def test_those_who_wait_for_a_model_get_it_together_and_later_ones_queue(visiting: Visiting) -> None:
    visit = visiting(small=1.5)
    first = visit.ask("b")
    visit.poll(LONGEST)
    one, between, other = visit.ask("a"), visit.ask("b"), visit.ask("a")
    visit.leave(first)
    late = visit.ask("a")
    visit.poll(LONGEST)
    assert [user.has_it for user in (one, between, other, late)] == [True, False, True, False]

    visit.leave(one)
    assert not between.has_it  # the other still paints
    visit.leave(other)
    assert (between.has_it, late.has_it) == (True, False)
    visit.leave(between)
    assert late.has_it


def test_two_that_wait_for_different_models_have_their_turns(visiting: Visiting) -> None:
    visit = visiting(small=1.5)
    first = visit.ask("b")
    visit.poll(LONGEST)
    second, third = visit.ask("a"), visit.ask("c")

    visit.leave(first)
    assert (second.has_it, third.has_it) == (True, False)
    visit.leave(second)
    assert third.has_it


@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_who_gives_up_gives_its_turn_up(visiting: Visiting, pieces: int) -> None:
    """While it waits (0), and while it loads."""
    visit = visiting(small=1.5)
    first = visit.ask("b")
    visit.poll(LONGEST)
    waiting, after = visit.ask("a"), visit.ask("b")
    if pieces:
        visit.users.remove(first)
        first.leave()
        visit.poll(pieces)
    assert not waiting.has_it

    visit.leave(waiting)

    assert after.has_it
    assert visit.residency.models() == ("b",)


def test_a_load_that_fails_lets_the_next_in(visiting: Visiting, sd1: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    for file in (file for file in sd1.rglob("*") if file.is_file()):
        target = broken / file.relative_to(sd1)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    config = broken / "vae" / "config.json"
    config.write_text(config.read_text().replace('"latent_channels": 4', '"latent_channels": 8'))
    visit = visiting(small=1.5, changed={"a": broken})
    first = visit.ask("b")
    visit.poll(LONGEST)
    waiting, after = visit.ask("a"), visit.ask("c")

    with pytest.raises(WeightsRejected):
        visit.leave(first)
    visit.leave(waiting)

    assert after.has_it


def test_a_small_model_is_loaded_while_a_large_one_waits(visiting: Visiting) -> None:
    visit = visiting(small=1.1, large=1)
    first = visit.ask("X")
    visit.poll(LONGEST)
    waiting, small = visit.ask("Y"), visit.ask("a")
    visit.poll(LONGEST)
    assert (waiting.has_it, small.has_it) == (False, True)

    visit.leave(first)
    assert waiting.has_it
    assert set(visit.residency.models()) == {"a", "Y"}


def test_no_model_takes_the_room_that_one_before_it_waits_for(visiting: Visiting) -> None:
    visit = visiting(small=2.05)
    first = visit.ask("b")
    visit.poll(LONGEST)
    waiting, small = visit.ask("X"), visit.ask("a")
    visit.poll(LONGEST)
    assert (waiting.has_it, small.has_it) == (False, False)

    visit.leave(first)
    assert (waiting.has_it, small.has_it) == (True, False)
    visit.leave(waiting)
    assert small.has_it


def test_a_model_larger_than_the_memory_is_loaded_once_nothing_else_is_in_use(visiting: Visiting) -> None:
    visit = visiting(small=0.5)
    first = visit.ask("b")
    visit.poll(LONGEST)
    waiting = visit.ask("X")
    visit.poll(LONGEST)
    assert (first.has_it, waiting.has_it) == (True, False)

    visit.leave(first)
    assert waiting.has_it
    assert visit.residency.models() == ("X",)


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    room=st.sampled_from([0.5, 1.5, 2.5]),
    asked=st.lists(
        st.tuples(st.sampled_from("abcX"), st.integers(0, 40), st.sampled_from([3, 10_000])), min_size=4, max_size=7
    ),
)
def test_everybody_gets_a_model_in_the_end(visiting: Visiting, room: float, asked: list[tuple[str, int, int]]) -> None:
    """Each comes five polls after the one before, has this much patience, and keeps the model for so many polls."""
    visit = visiting(small=room)
    left: dict[User, tuple[int, int]] = {}
    for tick in range(len(asked) * (LONGEST + 40)):
        if tick % 5 == 0 and tick // 5 < len(asked):
            model, stays, patience = asked[tick // 5]
            left[visit.ask(model)] = stays, patience
        visit.poll()
        for user, (stays, patience) in [*left.items()]:
            left[user] = (stays - 1, patience) if user.has_it else (stays, patience - 1)
            if min(left[user]) < 0:
                visit.users.remove(user)
                user.leave()
                del left[user]

    assert not left
    at_once(visit.residency.pipeline("c"))
    assert visit.residency.holds("c")


def test_the_queue_decides_from_what_it_is_shown_alone() -> None:
    """Room for two of three: who came first gets the idle one's place, and takes nobody's who is before it."""
    first, second, third = (Caller(number=number, model=model, size_bytes=4) for number, model in enumerate("bca"))
    shown = Queue(
        callers=(first, second, third), loaded={"a": 4, "x": 4}, users=Counter("xabc"), coming=None, room_bytes=8
    )

    assert shown.leaving(first) == ("a",)
    assert shown.may_load(first)
    assert not shown.may_load(second), "it is not its turn, and there is no room beside the first"
    assert not shown.is_served(third), "its model must go for who came before it"
    assert replace(shown, callers=(third, first, second)).is_served(third)
    assert replace(shown, room_bytes=16).may_load(second), "it takes nobody's room"
    assert not replace(shown, coming=first).may_load(second), "one at a time"
    assert replace(shown, callers=(second, first, third)).after("b") == (first, second, third)
