"""The words and the engine: what a picture is asked for, what it is made from, and what makes it.

request -> spec -> Engine.paint -> painting and recipe. Owns the vocabulary and the port to the engine. Must never
import torch here: that lives in `models/diffusion`, which only the engine's child process opens.
"""

from models.catalogue import AdapterCard, Catalogue, Family, ModelCard, load_catalogue
from models.engine import Engine, EngineState, Painting, Phase, Progress
from models.errors import (
    AdapterUnknown,
    DomainError,
    EngineStopped,
    Failed,
    ModelUnavailable,
    ModelUnknown,
    NegativePromptTooLong,
    OutOfMemory,
    PaintingBroken,
    ParameterMissing,
    ParameterUnknown,
    PromptTooLong,
    Refused,
    RequestInvalid,
    SettingInvalid,
    SizeInvalid,
    WeightsRejected,
)
from models.manifest import Execution, Fingerprint, Recipe
from models.request import (
    MAX_IMAGES,
    MAX_NEGATIVE_PROMPT_CHARACTERS,
    MAX_PROMPT_CHARACTERS,
    MAX_SEED,
    SIDES,
    UPSCALE_FACTOR,
    GenerationRequest,
    ImageFormat,
    ImageSize,
    Quality,
)
from models.spec import Adapter, GenerationSpec, InitImage, Resampling, Sampler, SizePlan
from models.turns import Turns

__all__ = [
    "MAX_IMAGES",
    "MAX_NEGATIVE_PROMPT_CHARACTERS",
    "MAX_PROMPT_CHARACTERS",
    "MAX_SEED",
    "SIDES",
    "UPSCALE_FACTOR",
    "Adapter",
    "AdapterCard",
    "AdapterUnknown",
    "Catalogue",
    "DomainError",
    "Engine",
    "EngineState",
    "EngineStopped",
    "Execution",
    "Failed",
    "Family",
    "Fingerprint",
    "GenerationRequest",
    "GenerationSpec",
    "ImageFormat",
    "ImageSize",
    "InitImage",
    "ModelCard",
    "ModelUnavailable",
    "ModelUnknown",
    "NegativePromptTooLong",
    "OutOfMemory",
    "Painting",
    "PaintingBroken",
    "ParameterMissing",
    "ParameterUnknown",
    "Phase",
    "Progress",
    "PromptTooLong",
    "Quality",
    "Recipe",
    "Refused",
    "RequestInvalid",
    "Resampling",
    "Sampler",
    "SettingInvalid",
    "SizeInvalid",
    "SizePlan",
    "Turns",
    "WeightsRejected",
    "load_catalogue",
]
