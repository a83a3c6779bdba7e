"""CLIP's tokenizer, made of the vocabulary file that every checkpoint takes for granted.

The file lists pairs of pieces in the order in which they are joined. The numbers of the tokens
follow from it: the 256 bytes, the same at the end of a word, each joined pair, two marks; 49,408
together. Source: Radford et al. 2021, arXiv:2103.00020; Sennrich et al. 2016, arXiv:1508.07909
(byte-pair encoding).
"""

import gzip
from itertools import islice
from pathlib import Path

from transformers.convert_slow_tokenizer import bytes_to_unicode
from transformers.models.clip.tokenization_clip import CLIPTokenizer

FILE = Path(__file__).with_name("bpe_simple_vocab_16e6.txt.gz")
MARKS = ("<|startoftext|>", "<|endoftext|>")
TOKENS = 49_408
WINDOW = 77


def new_tokenizer(pad_token: str) -> CLIPTokenizer:
    """OpenAI's pads with the mark of the end; OpenCLIP's with token 0, "!"."""
    letters = list(bytes_to_unicode().values())
    alphabet = [*letters, *(letter + "</w>" for letter in letters)]
    pairs = _pairs(TOKENS - len(alphabet) - len(MARKS))
    words = [*alphabet, *(first + second for first, second in pairs), *MARKS]
    vocab = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocab, merges=pairs, pad_token=pad_token, model_max_length=WINDOW)


def _pairs(count: int) -> list[tuple[str, str]]:
    """The first `count`; the file has more than were ever used."""
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        next(lines)  # names the file and its version
        return [(first, second) for first, second in map(str.split, islice(lines, count))]
