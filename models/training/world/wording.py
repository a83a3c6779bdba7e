"""The words for subjects and how they stand to each other; settings and styles have their own file."""

from __future__ import annotations

from typing import Final

SUBJECT_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "lighthouse": ("lighthouse", "lighthouse", "lighthouse", "light tower", "beacon"),
    "boat": ("boat", "boat", "sailboat", "sailing boat", "ship", "yacht"),
    "house": ("house", "house", "cottage", "cabin", "home"),
    "castle": ("castle", "castle", "fortress", "palace"),
    "tree": ("tree", "tree", "oak", "oak tree"),
    "balloon": ("hot air balloon", "hot-air balloon", "balloon", "hot air balloon"),
    "car": ("car", "car", "automobile", "vintage car", "old car"),
    "robot": ("robot", "robot", "android", "toy robot"),
    "cat": ("cat", "cat", "kitten", "kitty"),
    "flower": ("flower", "flower", "daisy", "blossom"),
    "rocket": ("rocket", "rocket", "spaceship", "rocket ship", "space rocket"),
    "tent": ("tent", "tent", "camping tent"),
    "train": ("train", "train", "steam train", "locomotive", "railway train"),
    "dog": ("dog", "dog", "puppy", "hound"),
    "bird": ("bird", "bird", "songbird", "flying bird"),
    "fish": ("fish", "fish", "goldfish", "leaping fish"),
    "horse": ("horse", "horse", "pony", "stallion"),
    "cactus": ("cactus", "cactus", "saguaro", "saguaro cactus"),
    "bridge": ("bridge", "bridge", "stone bridge", "arch bridge"),
    "kite": ("kite", "kite", "paper kite"),
    "lamp": ("lamp", "street lamp", "lantern", "lamp post", "street light"),
    "apple": ("apple", "apple", "ripe apple", "fruit"),
    "pear": ("pear", "pear", "ripe pear"),
    "bowl": ("bowl of fruit", "fruit bowl", "bowl of fruit", "bowl"),
    "cup": ("cup", "cup", "cup of coffee", "mug", "coffee cup", "teacup"),
    "vase": ("vase", "vase", "ceramic vase", "vase of flowers", "flower vase"),
    "book": ("book", "book", "old book", "novel"),
}
COLOUR_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "red": ("red", "red", "red", "crimson", "scarlet"),
    "orange": ("orange",),
    "yellow": ("yellow", "yellow", "golden"),
    "green": ("green", "green", "green", "emerald"),
    "blue": ("blue", "blue", "blue", "azure"),
    "purple": ("purple", "purple", "violet"),
    "pink": ("pink", "pink", "rose"),
    "white": ("white", "white", "snow-white"),
    "black": ("black", "black", "jet-black"),
    "brown": ("brown", "brown", "chestnut"),
    "grey": ("grey", "gray", "grey", "silver"),
}
ADJECTIVES: Final = (
    "old", "lonely", "cute", "beautiful", "pretty", "lovely", "single", "charming", "solitary", "simple", "cozy", "nice",
)  # fmt: skip
SIZE_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "small": ("small", "little", "tiny", "distant"),
    "big": ("big", "large", "huge", "giant", "close-up of a"),
}
COUNT_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "2": ("two", "two", "a pair of", "2"),
    "3": ("three", "three", "3"),
    "4": ("four", "four", "4"),
}
PLACE_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "left": ("on the left", "on the left side", "at the left"),
    "right": ("on the right", "on the right side", "at the right"),
}
RELATION_FRAMES: Final[dict[str, tuple[str, ...]]] = {
    "left": (
        "{0} and {1}", "{0} and {1}", "{0} next to {1}", "{0} with {1}", "{0} beside {1}", "{0} to the left of {1}",
        "{0} left of {1}", "{1} to the right of {0}", "{1} right of {0}", "{0} on the left and {1} on the right", "{0}, {1}",
    ),
    "behind": (
        "{0} behind {1}", "{0} standing behind {1}", "{1} in front of {0}", "{1} before {0}", "{1} with {0} behind it",
        "{1} in the foreground, {0} in the background",
    ),
    "above": (
        "{0} above {1}", "{0} over {1}", "{0} flying over {1}", "{0} floating above {1}", "{1} below {0}", "{1} under {0}",
        "{1} with {0} above it",
    ),
}  # fmt: skip
QUALITIES: Final = (
    "highly detailed", "beautiful", "masterpiece", "best quality", "4k", "8k", "vibrant colors", "detailed", "high quality",
    "sharp focus", "serene", "calm", "dramatic light", "peaceful", "rich colour", "professional", "intricate detail",
    "atmospheric", "award winning", "cozy", "dreamy", "stunning", "simple", "minimal", "centered composition",
    "trending on artstation", "ultra detailed", "soft light", "volumetric light", "wide shot", "epic", "magical",
)  # fmt: skip
FAULTS: Final = (
    "blurry", "low quality", "text", "watermark", "deformed", "ugly", "bad anatomy", "worst quality", "jpeg artifacts",
    "grainy", "noise", "signature", "frame", "logo", "cropped", "extra fingers", "washed out", "plain", "clutter",
    "lowres", "bad hands", "out of frame", "duplicate", "mutated", "poorly drawn", "oversaturated",
)  # fmt: skip


def plural(words: str) -> str:
    """More than one of it: what stands before "of" takes the ending."""
    head, of, rest = words.partition(" of ")
    if head.endswith("fish"):
        more = head
    elif head.endswith("y") and head[-2] not in "aeiou":
        more = head[:-1] + "ies"
    elif head.endswith("us"):
        more = head[:-2] + "i" if head.endswith("cactus") else head + "es"
    else:
        more = head + ("es" if head.endswith(("ss", "ch", "sh", "x")) else "s")
    return more + of + rest
