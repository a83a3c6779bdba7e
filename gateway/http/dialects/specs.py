"""What exactly a generation paints, for dialects that show it."""

from collections.abc import Sequence

import msgspec

from models import GenerationSpec
from storage import Generation


def specs_of(generation: Generation) -> Sequence[GenerationSpec]:
    """One for each picture."""
    return msgspec.json.decode(generation.specs, type=tuple[GenerationSpec, ...])
