"""Loading in one go, for tests that look at nothing between the pieces."""

from collections.abc import Generator

from models.diffusion.loading import Pipeline


def at_once(pieces: Generator[bool, None, Pipeline]) -> Pipeline:
    """Raises what loading raises."""
    while True:
        try:
            next(pieces)
        except StopIteration as finished:
            return finished.value
