"""Which model a caller of A1111's web UI has chosen: there it is one option for everybody, here each key has its own."""

from collections import OrderedDict

MAX_REMEMBERED = 10_000


class ChosenModels:
    """By key, in memory: a restart forgets them, and so does this when too many others have chosen since."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, str] = OrderedDict()

    def choose(self, key_id: str, model: str) -> None:
        self._models[key_id] = model
        self._models.move_to_end(key_id)
        while len(self._models) > MAX_REMEMBERED:
            self._models.popitem(last=False)

    def of(self, key_id: str) -> str | None:
        return self._models.get(key_id)
