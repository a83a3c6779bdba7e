"""The words for where, when, in what weather and in what style."""

from __future__ import annotations

from typing import Final

Words = dict[str, tuple[str, ...]]

PLACES: Final[Words] = {
    "sea": (
        "by the sea", "by the sea", "at the sea", "by the ocean", "on the coast", "at the seaside", "on a rocky shore",
        "near the sea", "on a cliff by the sea",
    ),
    "lake": ("by a lake", "by the lake", "at a lake", "beside a mountain lake", "near a calm lake", "by a quiet lake"),
    "mountains": (
        "in the mountains", "in front of mountains", "with mountains behind", "below snowy peaks", "in a mountain valley",
        "in the alps",
    ),
    "hills": ("on a hill", "on green hills", "in the hills", "among rolling hills", "in hilly countryside"),
    "meadow": (
        "in a meadow", "in a field", "in a grassy field", "in the countryside", "in the grass", "in a flower meadow",
        "among wildflowers",
    ),
    "desert": ("in the desert", "in a desert", "among sand dunes", "on a dune"),
    "forest": ("in a forest", "in the forest", "in the woods", "among pine trees", "between fir trees", "on a forest path"),
    "city": (
        "in a city", "in the city", "on a city street", "in front of a skyline", "downtown", "on a street",
        "between skyscrapers",
    ),
    "beach": ("on a beach", "on the beach", "on a sandy beach", "on a tropical beach", "beside a palm tree on the sand"),
    "snow": ("in the snow", "on a snowy field", "in a winter landscape", "in a snowy landscape", "in winter"),
    "table": (
        "on a table", "on a wooden table", "on the table", "on a kitchen table", "on a table by the window", "indoors",
        "in a room", "still life on a table",
    ),
    "studio": (
        "in a studio", "on a plain background", "in front of a plain background", "on a seamless background",
        "on a white background", "isolated",
    ),
}  # fmt: skip
AFLOAT: Final[Words] = {
    "sea": ("on the sea", "at sea", "on the ocean", "in the sea", "on the water of the sea", "on the open sea"),
    "lake": ("on a lake", "on a lake", "on the lake", "in a lake", "on a calm lake", "on a mountain lake"),
    "beach": ("near a beach", "off a sandy beach", "at the beach", "by the beach"),
}
ALOFT: Final[Words] = {
    "sea": ("over the sea", "above the ocean", "flying over the sea"),
    "lake": ("over a lake", "above a mountain lake", "flying over a lake"),
    "mountains": ("over the mountains", "above the mountains", "flying over snowy peaks"),
    "hills": ("over the hills", "above green hills", "flying over rolling hills"),
    "meadow": ("over a meadow", "over the countryside", "flying over fields"),
    "desert": ("over the desert", "above sand dunes", "flying over the desert"),
    "forest": ("over a forest", "above the woods", "flying over the forest"),
    "city": ("over a city", "above the city", "flying over the skyline"),
    "beach": ("over a beach", "above a sandy beach", "flying over the beach"),
    "snow": ("over a snowy landscape", "above the snow", "flying over a snowy field"),
}
VIEWS: Final[Words] = {
    "sea": ("the sea", "the ocean", "a calm sea", "a seascape", "sea and sky", "the open sea", "the coast"),
    "lake": ("a lake", "a mountain lake", "a serene mountain lake", "a calm lake", "a quiet lake with reflections"),
    "mountains": ("mountains", "a mountain landscape", "snowy peaks", "a mountain range", "the mountains", "the alps"),
    "hills": ("green hills", "rolling hills", "hills", "a hilly landscape", "hills with trees"),
    "meadow": ("a meadow", "a grassy field", "the countryside", "a flower meadow", "a field of wildflowers"),
    "desert": ("a desert", "the desert", "sand dunes", "a desert landscape"),
    "forest": ("a forest", "the woods", "a pine forest", "a forest path", "fir trees", "deep woods"),
    "city": ("a city", "a city street", "a city skyline", "a skyline", "skyscrapers", "a metropolis"),
    "beach": ("a beach", "a sandy beach", "a tropical beach", "a beach with a palm tree"),
    "snow": ("a snowy landscape", "a winter landscape", "a snowy field", "snow covered hills"),
    "table": ("a table by a window", "a wooden table", "a still life", "a room with a window"),
    "studio": ("a plain background", "an empty studio"),
}
TIME_WORDS: Final[Words] = {
    "day": (
        "on a sunny day", "at noon", "in daylight", "in the afternoon", "under a blue sky", "at midday", "by day",
        "during the day",
    ),
    "dawn": (
        "at dawn", "at dawn", "at sunrise", "in the early morning", "in soft morning light", "at daybreak", "in the morning",
    ),
    "sunset": (
        "at sunset", "at sunset", "at dusk", "at golden hour", "in the evening", "under an orange sky", "during sunset",
        "in evening light", "golden hour",
    ),
    "night": (
        "at night", "at night", "under the stars", "under a starry sky", "by moonlight", "at midnight", "in the moonlight",
        "at nighttime",
    ),
}  # fmt: skip
TIME_NOUNS: Final[Words] = {
    "day": ("sunny day", "noon", "clear day"),
    "dawn": ("dawn", "sunrise", "morning", "daybreak"),
    "sunset": ("sunset", "dusk", "evening", "golden hour"),
    "night": ("night", "starry night", "moonlit night", "night sky"),
}
WEATHER_WORDS: Final[Words] = {
    "clear": ("with a clear sky", "in clear weather"),
    "fog": ("in fog", "in the fog", "in the mist", "in thick fog", "on a foggy day", "misty", "foggy"),
    "snowfall": ("in falling snow", "while it snows", "snowing", "with snowflakes", "in a snowfall"),
    "storm": (
        "in a storm", "in the rain", "in a thunderstorm", "with lightning", "rain", "on a rainy day", "in stormy weather",
        "stormy sky", "rainy",
    ),
}  # fmt: skip
STYLE_FRAMES: Final[Words] = {
    "digital-art": (
        "digital illustration of {}, clear shapes, rich colour, considered composition", "digital art of {}",
        "{}, digital art", "flat illustration of {}", "{}, vector illustration", "an illustration of {}", "a drawing of {}",
    ),
    "watercolor": (
        "watercolour painting of {}, loose wet washes, visible paper grain", "watercolor painting of {}", "{}, watercolor",
        "a watercolour of {}", "{} in watercolor", "{}, watercolour style", "aquarelle of {}, wet washes, soft edges",
        "watercolor of {}", "watercolor {}",
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
        "8-bit {}", "{}, retro game, pixels", "16-bit pixel art of {}", "{}, pixelated, blocks", "pixel art {}",
    ),
    "neon-punk": (
        "neon-lit cyberpunk scene of {}, glowing magenta and cyan light, dark background", "neon {}", "{}, neon",
        "{}, neon punk", "{}, glowing neon lines", "cyberpunk {}", "{}, synthwave", "neon sign of {}", "{} in neon light",
    ),
    "photographic": (
        "photograph of {}, natural light, true colours, fine detail", "photo of {}", "a photo of {}", "{}, photograph",
        "photo of {}, depth of field", "{}, realistic", "realistic photo of {}", "{}, photography, soft light",
    ),
    "anime": (
        "anime illustration of {}, clean line work, cel shading, bright colours", "anime {}", "{}, anime style", "{}, anime",
        "{}, cel shading", "anime art of {}", "{}, manga style, cel shaded",
    ),
    "comic-book": (
        "comic book panel of {}, bold ink outlines, halftone shading, flat colours", "comic book art of {}", "{}, comic",
        "{}, comic book style", "{}, halftone", "pop art of {}", "comic of {}, halftone dots",
    ),
    "low-poly": (
        "low poly model of {}, flat-shaded facets, simple geometry, soft light", "low poly {}", "{}, low poly",
        "{}, triangles, facets", "low-poly art of {}", "{}, polygonal",
    ),
    "isometric": (
        "isometric view of {}, miniature scene, parallel projection, clean edges, plain background", "isometric {}",
        "{}, isometric", "isometric art of {}", "{}, isometric miniature", "tiny isometric diorama of {}",
    ),
    "3d-render": (
        "3d render of {}, ray-traced light, smooth materials, soft shadows", "3d render of {}", "{}, 3d render",
        "claymation of {}", "{}, claymation", "{}, made of clay", "clay model of {}", "{}, plasticine, stop motion",
    ),
    "cinematic": (
        "cinematic film still of {}, dramatic directed light, deep contrast, wide frame", "cinematic {}", "{}, cinematic",
        "movie still of {}", "{}, film still", "cinematic shot of {}, dramatic light",
    ),
    "analog-film": (
        "analogue film photograph of {}, visible grain, faded tones, slight vignette", "{}, analog film", "{}, film grain",
        "old photo of {}", "{}, vintage photo, faded", "polaroid of {}", "analog photo of {}, light leak",
    ),
    "product": (
        "studio product photograph of {}, seamless background, soft box lighting, centred", "product photo of {}",
        "{}, product photography", "product shot of {}, studio light",
    ),
    "blueprint": ("blueprint of {}", "{}, blueprint, white lines on blue paper", "technical blueprint of {}"),
    "stained-glass": ("stained glass window of {}", "{}, stained glass, lead lines", "stained glass {}"),
    "risograph": ("risograph print of {}", "{}, risograph, two inks on paper", "riso print of {}"),
    "fantasy-art": (
        "fantasy painting of {}, luminous light, intricate detail, mythic atmosphere", "fantasy art of {}", "{}, fantasy",
        "magical {}, fantasy art", "{}, fantasy painting, glowing", "enchanted {}, mythic, luminous",
    ),
}  # fmt: skip
OPENINGS: Final = (
    "a picture of {}",
    "an image of {}",
    "a scene with {}",
    "picture of {}",
    "view of {}",
    "paint {}",
    "draw {}",
)
