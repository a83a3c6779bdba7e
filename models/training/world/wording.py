"""The words for everything in the world: synonyms, places, times, weathers, styles."""

from __future__ import annotations

from typing import Final

SUBJECT_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "lighthouse": ("lighthouse", "lighthouse", "lighthouse", "light tower", "beacon"),
    "boat": ("boat", "boat", "sailboat", "sailing boat", "ship", "yacht"),
    "house": ("house", "house", "cottage", "cabin", "home"),
    "castle": ("castle", "castle", "fortress", "palace"),
    "tree": ("tree", "tree", "oak", "oak tree"),
    "balloon": ("hot air balloon", "hot-air balloon", "balloon", "hot air balloon"),
    "car": ("car", "car", "automobile", "vintage car"),
    "robot": ("robot", "robot", "android", "toy robot"),
    "cat": ("cat", "cat", "kitten", "kitty"),
    "flower": ("flower", "flower", "daisy", "blossom"),
    "rocket": ("rocket", "rocket", "spaceship", "rocket ship", "space rocket"),
    "tent": ("tent", "tent", "camping tent"),
}
COLOUR_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "red": ("red", "red", "red", "crimson", "scarlet"),
    "orange": ("orange",),
    "yellow": ("yellow", "yellow", "golden"),
    "green": ("green", "green", "green", "emerald"),
    "blue": ("blue", "blue", "blue", "azure"),
    "purple": ("purple", "purple", "violet"),
    "pink": ("pink", "pink", "rose"),
    "white": ("white",),
    "black": ("black",),
}
ADJECTIVES: Final = (
    "small", "little", "big", "old", "tiny", "lonely", "cute", "beautiful", "large", "pretty", "lovely", "single",
)  # fmt: skip

PLACES: Final[dict[str, tuple[str, ...]]] = {
    "sea": (
        "by the sea",
        "by the sea",
        "at the sea",
        "by the ocean",
        "on the coast",
        "at the seaside",
        "on a rocky shore",
        "near the sea",
    ),
    "lake": ("by a lake", "by the lake", "at a lake", "beside a mountain lake", "near a calm lake", "by a quiet lake"),
    "mountains": (
        "in the mountains",
        "in front of mountains",
        "with mountains behind",
        "below snowy peaks",
        "in a mountain valley",
    ),
    "meadow": (
        "in a meadow",
        "on a hill",
        "on green hills",
        "in a field",
        "in a grassy field",
        "in the countryside",
        "in the grass",
    ),
    "desert": ("in the desert", "in a desert", "among sand dunes", "on a dune"),
    "forest": ("in a forest", "in the forest", "in the woods", "among pine trees", "between fir trees"),
    "city": ("in a city", "in the city", "on a city street", "in front of a skyline", "downtown", "on a street"),
    "beach": (
        "on a beach",
        "on the beach",
        "on a sandy beach",
        "on a tropical beach",
        "beside a palm tree on the sand",
    ),
    "snow": ("in the snow", "on a snowy field", "in a winter landscape", "in a snowy landscape", "in winter"),
}
AFLOAT: Final[dict[str, tuple[str, ...]]] = {
    "sea": ("on the sea", "at sea", "on the ocean", "sailing on the sea", "on the water of the sea", "on the open sea"),
    "lake": ("on a lake", "on a lake", "on the lake", "sailing on a lake", "on a calm lake", "on a mountain lake"),
    "beach": ("near a beach", "off a sandy beach", "at the beach", "by the beach"),
}
ALOFT: Final[dict[str, tuple[str, ...]]] = {
    "sea": ("over the sea", "above the ocean", "flying over the sea"),
    "lake": ("over a lake", "above a mountain lake", "flying over a lake"),
    "mountains": ("over the mountains", "above the mountains", "flying over snowy peaks"),
    "meadow": ("over a meadow", "above green hills", "over the countryside", "flying over fields"),
    "desert": ("over the desert", "above sand dunes", "flying over the desert"),
    "forest": ("over a forest", "above the woods", "flying over the forest"),
    "city": ("over a city", "above the city", "flying over the skyline"),
    "beach": ("over a beach", "above a sandy beach", "flying over the beach"),
    "snow": ("over a snowy landscape", "above the snow", "flying over a snowy field"),
}
VIEWS: Final[dict[str, tuple[str, ...]]] = {
    "sea": ("the sea", "the ocean", "a calm sea", "a seascape", "sea and sky", "the open sea", "the coast"),
    "lake": ("a lake", "a mountain lake", "a serene mountain lake", "a calm lake", "a quiet lake with reflections"),
    "mountains": ("mountains", "a mountain landscape", "snowy peaks", "a mountain range", "the mountains"),
    "meadow": ("a meadow", "green hills", "rolling hills", "a grassy field", "the countryside", "a flower meadow"),
    "desert": ("a desert", "the desert", "sand dunes", "a desert landscape"),
    "forest": ("a forest", "the woods", "a pine forest", "a forest clearing", "fir trees"),
    "city": ("a city", "a city street", "a city skyline", "a skyline", "skyscrapers"),
    "beach": ("a beach", "a sandy beach", "a tropical beach", "a beach with a palm tree"),
    "snow": ("a snowy landscape", "a winter landscape", "a snowy field", "snow covered hills"),
}
TIME_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "day": (
        "on a sunny day",
        "at noon",
        "in daylight",
        "in the afternoon",
        "under a blue sky",
        "at midday",
        "by day",
        "during the day",
    ),
    "dawn": (
        "at dawn",
        "at dawn",
        "at sunrise",
        "in the early morning",
        "in soft morning light",
        "at daybreak",
        "in the morning",
    ),
    "sunset": (
        "at sunset",
        "at sunset",
        "at dusk",
        "at golden hour",
        "in the evening",
        "under an orange sky",
        "during sunset",
        "in evening light",
    ),
    "night": (
        "at night",
        "at night",
        "under the stars",
        "under a starry sky",
        "by moonlight",
        "at midnight",
        "in the moonlight",
    ),
}
WEATHER_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "clear": ("with a clear sky", "in clear weather"),
    "fog": ("in fog", "in the fog", "in the mist", "in thick fog", "on a foggy day", "misty"),
    "snowfall": ("in falling snow", "while it snows", "snowing", "with snowflakes", "in a snowfall"),
    "storm": (
        "in a storm",
        "in the rain",
        "in a thunderstorm",
        "with lightning",
        "rain",
        "on a rainy day",
        "in stormy weather",
    ),
}
STYLE_FRAMES: Final[dict[str, tuple[str, ...]]] = {
    "digital-art": (
        "digital illustration of {}, clear shapes, rich colour, considered composition",
        "digital art of {}", "{}, digital art", "flat illustration of {}", "{}, vector illustration", "an illustration of {}", "a drawing of {}",
    ),
    "watercolor": (
        "watercolour painting of {}, loose wet washes, visible paper grain", "watercolor painting of {}", "{}, watercolor",
        "a watercolour of {}", "{} in watercolor", "{}, watercolour style", "aquarelle of {}, wet washes, soft edges", "watercolor of {}",
    ),
    "oil-painting": (
        "oil painting of {}, visible brush strokes, thick impasto, canvas texture", "oil painting of {}", "{}, oil painting",
        "an oil painting of {}", "{}, oil on canvas", "{}, impasto, brush strokes", "classical painting of {}, thick paint",
    ),
    "line-art": (
        "line art drawing of {}, clean ink lines, white background", "line art of {}", "{}, line art", "ink drawing of {}",
        "{}, pen and ink", "{}, black ink lines", "a sketch of {}", "line drawing of {}, clean outlines",
    ),
    "pixel-art": (
        "pixel art of {}, 16-bit game sprite style, limited palette, crisp blocks", "pixel art of {}", "{}, pixel art",
        "8-bit {}", "{}, retro game, pixels", "16-bit pixel art of {}", "{}, pixelated, blocks",
    ),
    "neon-punk": (
        "neon-lit cyberpunk scene of {}, glowing magenta and cyan light, dark background", "neon {}", "{}, neon", "{}, neon punk",
        "{}, glowing neon lines", "cyberpunk {}", "{}, synthwave", "neon sign of {}", "{} in neon light",
    ),
    "photographic": (
        "photograph of {}, natural light, true colours, fine detail", "photo of {}", "a photo of {}", "{}, photograph",
        "photo of {}, film grain, depth of field", "{}, realistic", "realistic photo of {}", "{}, photography, soft light",
        "cinematic film still of {}, dramatic directed light, deep contrast, wide frame",
        "analogue film photograph of {}, visible grain, faded tones, slight vignette",
    ),
}  # fmt: skip
OPENINGS: Final = ("a picture of {}", "an image of {}", "a scene with {}", "picture of {}", "view of {}", "paint {}")
QUALITIES: Final = (
    "highly detailed", "beautiful", "masterpiece", "best quality", "4k", "vibrant colors", "detailed", "high quality",
    "sharp focus", "serene", "calm", "dramatic light", "peaceful", "rich colour", "professional", "intricate detail",
    "atmospheric", "award winning", "cozy", "dreamy", "stunning", "simple", "minimal", "centered composition",
)  # fmt: skip
FAULTS: Final = (
    "blurry", "low quality", "text", "watermark", "deformed", "ugly", "bad anatomy", "worst quality", "jpeg artifacts",
    "grainy", "noise", "signature", "frame", "logo", "cropped", "extra fingers", "washed out", "plain", "clutter",
)  # fmt: skip
