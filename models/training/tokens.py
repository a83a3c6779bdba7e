"""Our small CLIP vocabulary: byte-pair pieces learnt from the captions.

Every word of the grammar becomes one token; any other word is spelled in byte pieces, so nothing is unreadable.
"""

from __future__ import annotations

import json
from typing import Final

import numpy as np
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from models.training.world.captions import captioned, known_words, negative
from models.training.world.scene import drawn_scene

MAX_TOKENS: Final = 77
START: Final = "<|startoftext|>"
END: Final = "<|endoftext|>"
_WORDS: Final = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")


def new_tokenizer(rng: np.random.Generator, captions: int = 6000) -> CLIPTokenizer:
    """Learn merges from captions and the word list."""
    texts = [captioned(drawn_scene(rng), rng).text.lower() for _ in range(captions)]
    texts += [negative(rng) for _ in range(500)] + known_words() * 40
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_WORDS, "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=3000, min_frequency=3, end_of_word_suffix="</w>", initial_alphabet=alphabet),
    )
    return _clip_form(learner, alphabet)


def extended(tokenizer: CLIPTokenizer, words: list[str]) -> CLIPTokenizer:
    """A vocabulary in which each of these words is one token, too; tokens there were before keep their numbers.

    The new merges come last, so every word that was one token stays that token. A merge learnt for one word may split another,
    which then gets a second way.
    """
    learnt = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    vocab: dict[str, int] = tokenizer.get_vocab()
    merges = [tuple(merge) if not isinstance(merge, str) else tuple(merge.split()) for merge in learnt["merges"]]
    spelled = [pieces for pieces in map(tokenizer.tokenize, words) if len(pieces) > 1]
    for pieces in spelled:
        whole = pieces[0]
        for piece in pieces[1:]:
            if (whole, piece) not in merges:
                merges.append((whole, piece))
            whole += piece
            vocab.setdefault(whole, len(vocab))
    longer = CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=MAX_TOKENS)
    return extended(longer, words) if spelled else tokenizer


def _clip_form(learnt: Tokenizer, alphabet: list[str]) -> CLIPTokenizer:
    merges = [
        tuple(merge) if not isinstance(merge, str) else tuple(merge.split())
        for merge in json.loads(learnt.to_str())["model"]["merges"]
    ]
    pieces = [*alphabet, *(letter + "</w>" for letter in alphabet)]
    pieces += [first + second for first, second in merges]
    unique = list(dict.fromkeys([*pieces, START, END]))
    vocab = {piece: index for index, piece in enumerate(unique)}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=MAX_TOKENS)
