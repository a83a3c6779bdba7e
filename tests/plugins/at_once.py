"""Loading in one go, for tests that look at nothing between the pieces."""

from collections.abc import Generator

from models.diffusion.resident.pipeline import Loaded, Pipeline


def at_once(pieces: Generator[bool, None, Loaded]) -> Pipeline:
    """A model of a family that we drive step by step. Raises what loading raises."""
    loaded = whatever_at_once(pieces)
    assert isinstance(loaded, Pipeline)
    return loaded


def whatever_at_once(pieces: Generator[bool, None, Loaded]) -> Loaded:
    """A model of any kind."""
    while True:
        try:
            next(pieces)
        except StopIteration as finished:
            return finished.value
