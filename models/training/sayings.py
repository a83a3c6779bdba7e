"""Captions by the hundred thousand: said and spelled by all processor cores, so that the card never waits for words."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from transformers import CLIPTokenizer

from models.training.tokens import MAX_TOKENS
from models.training.world.captions import FIELDS, captioned
from models.training.world.scene import Scene, drawn_scene

_LOT: Final = 2000
"""Captions a process says at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sayings:
    """Captions as tokens, (count, MAX_TOKENS) int16, and what each says: for each field (count,) indices into FIELDS."""

    tokens: np.ndarray
    said: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.tokens)


def spelled(tokenizer: CLIPTokenizer, texts: list[str]) -> np.ndarray:
    """(len(texts), MAX_TOKENS) int16 token ids."""
    rows = tokenizer(texts, padding="max_length", max_length=MAX_TOKENS, truncation=True).input_ids
    return np.asarray(rows, dtype=np.int16)


def fresh_sayings(tokenizer: Path, count: int, seed: int, processes: int) -> Sayings:
    """Captions of `count` fresh scenes."""
    lots = [(tokenizer, min(_LOT, count - first), (seed, first)) for first in range(0, count, _LOT)]
    parts = _by_all(_fresh_lot, lots, processes)
    said = {name: np.concatenate([part.said[name] for part in parts]) for name in FIELDS}
    return Sayings(tokens=np.concatenate([part.tokens for part in parts]), said=said)


def wordings(tokenizer: Path, scenes: Sequence[Scene], each: int, seed: int, processes: int) -> np.ndarray:
    """(len(scenes), each, MAX_TOKENS) int16: several ways to say each scene."""
    step = max(1, _LOT // each)
    lots = [(tokenizer, scenes[first : first + step], each, (seed, first)) for first in range(0, len(scenes), step)]
    return np.concatenate(_by_all(_wordings_lot, lots, processes))


def _by_all(work, lots, processes: int):  # type: ignore[no-untyped-def]
    if processes < 2 or len(lots) < 2:
        return [work(*lot) for lot in lots]
    with multiprocessing.get_context("fork").Pool(min(processes, len(lots))) as pool:
        return pool.starmap(work, lots, chunksize=1)


def _fresh_lot(tokenizer: Path, count: int, seed: tuple[int, int]) -> Sayings:
    rng = np.random.default_rng(seed)
    captions = [captioned(drawn_scene(rng), rng) for _ in range(count)]
    said = {
        name: np.array([values.index(caption.said[name]) for caption in captions], np.int16)
        for name, values in FIELDS.items()
    }
    texts = [caption.text for caption in captions]
    return Sayings(tokens=spelled(CLIPTokenizer.from_pretrained(tokenizer), texts), said=said)


def _wordings_lot(tokenizer: Path, scenes: Sequence[Scene], each: int, seed: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    texts = [captioned(scene, rng).text for scene in scenes for _ in range(each)]
    return spelled(CLIPTokenizer.from_pretrained(tokenizer), texts).reshape(len(scenes), each, MAX_TOKENS)
