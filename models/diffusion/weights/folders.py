"""What may be loaded: a diffusers folder of a known form, safetensors only, no code of its own.
Reads, never loads."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import WeightsRejected
from models.whole_pipelines import WHOLE_PIPELINES

VAES = ("AutoencoderKL", "AutoencoderTiny")
CLIP_TOKENIZERS = ("CLIPTokenizer", "CLIPTokenizerFast")
T5_TOKENIZERS = ("T5Tokenizer", "T5TokenizerFast")
COMPONENTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "StableDiffusionPipeline": {
        "tokenizer": CLIP_TOKENIZERS,
        "text_encoder": ("CLIPTextModel",),
        "unet": ("UNet2DConditionModel",),
        "vae": VAES,
    },
    "StableDiffusionXLPipeline": {
        "tokenizer": CLIP_TOKENIZERS,
        "tokenizer_2": CLIP_TOKENIZERS,
        "text_encoder": ("CLIPTextModel",),
        "text_encoder_2": ("CLIPTextModelWithProjection",),
        "unet": ("UNet2DConditionModel",),
        "vae": VAES,
    },
    "StableDiffusion3Pipeline": {
        "tokenizer": CLIP_TOKENIZERS,
        "tokenizer_2": CLIP_TOKENIZERS,
        "tokenizer_3": T5_TOKENIZERS,
        "text_encoder": ("CLIPTextModelWithProjection",),
        "text_encoder_2": ("CLIPTextModelWithProjection",),
        "text_encoder_3": ("T5EncoderModel",),
        "transformer": ("SD3Transformer2DModel",),
        "vae": VAES,
    },
    "FluxPipeline": {
        "tokenizer": CLIP_TOKENIZERS,
        "tokenizer_2": T5_TOKENIZERS,
        "text_encoder": ("CLIPTextModel",),
        "text_encoder_2": ("T5EncoderModel",),
        "transformer": ("FluxTransformer2DModel",),
        "vae": VAES,
    },
}
# May be left out of a folder: the model then reads texts with its CLIP encoders alone.
OPTIONAL = ("tokenizer_3", "text_encoder_3")
ABSENT = (None, [None, None])
# Pipelines of the same components; they differ in how diffusers drives them, which is our own
# business.
SAME_COMPONENTS: Mapping[str, str] = {
    "StableDiffusionImg2ImgPipeline": "StableDiffusionPipeline",
    "StableDiffusionInpaintPipeline": "StableDiffusionPipeline",
    "StableDiffusionXLImg2ImgPipeline": "StableDiffusionXLPipeline",
    "StableDiffusionXLInpaintPipeline": "StableDiffusionXLPipeline",
}
# Where a model without an adapter of ours may have its components from, and those of them that
# painting needs not.
LIBRARIES = ("diffusers", "transformers")
IGNORED = ("safety_checker", "feature_extractor", "image_encoder", "watermarker")
PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
MAX_HEADER_BYTES = 32 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A folder that passed. `pipeline` is the text-to-image pipeline of its components, `classes`
    maps each needed component to its class; `variant` is None or "fp16"."""

    folder: Path
    pipeline: str
    classes: Mapping[str, str]
    forces_zeros: bool
    variant: str | None
    files: tuple[Path, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.files)


def inspect(folder: Path) -> Weights:
    """Look at everything that loading would open.

    Raises:
        WeightsRejected: a file is missing, is a pickle, names a class we do not know, or asks to run code.
    """
    index = _read_json(folder / "model_index.json")
    named = index.get("_class_name")
    if not isinstance(named, str):
        raise WeightsRejected(f"{folder.name}/model_index.json names foreign code instead of a pipeline class.")
    if index.get("requires_aesthetics_score"):
        raise WeightsRejected(
            f"{folder.name} is a refiner, which takes an aesthetic score as an input; that is not served."
        )
    name = SAME_COMPONENTS.get(named, named)
    if name not in COMPONENTS and name not in WHOLE_PIPELINES:
        raise WeightsRejected(f"{folder.name} is a {name}; known are {', '.join((*COMPONENTS, *WHOLE_PIPELINES))}.")
    if code := next(folder.rglob("*.py"), None):
        raise WeightsRejected(f"{folder.name} carries code ({code.name}); models with code are not loaded.")
    if name in WHOLE_PIPELINES:
        return _inspect_whole(folder, name, index)
    wanted = [part for part in COMPONENTS[name] if part not in OPTIONAL or index.get(part) not in ABSENT]
    classes = {component: _class_of(component, index.get(component), name) for component in wanted}
    variant = _variant(folder, classes)
    files = tuple(file for component in (*classes, "scheduler") for file in _files(folder / component, variant))
    return Weights(
        folder=folder,
        pipeline=name,
        classes=classes,
        forces_zeros=bool(index.get("force_zeros_for_empty_prompt", name == "StableDiffusionXLPipeline")),
        variant=variant,
        files=(folder / "model_index.json", *files),
    )


def _inspect_whole(folder: Path, pipeline: str, index: Mapping[str, object]) -> Weights:
    """A model that runs as a whole; its classes are called by library and name."""
    classes = {
        component: _foreign_class(component, named)
        for component, named in index.items()
        if isinstance(named, list) and component not in IGNORED and named not in ABSENT
    }
    variant = _variant(
        folder, {name: kind for name, kind in classes.items() if (folder / name / "config.json").exists()}
    )
    files = tuple(file for component in classes for file in _files(folder / component, variant))
    return Weights(
        folder=folder,
        pipeline=pipeline,
        classes=classes,
        forces_zeros=False,
        variant=variant,
        files=(folder / "model_index.json", *files),
    )


def _foreign_class(component: str, named: Sequence[object]) -> str:
    library, kind = named if len(named) == 2 else (None, None)
    if library not in LIBRARIES or not isinstance(kind, str) or not kind.isidentifier() or kind.startswith("_"):
        raise WeightsRejected(f"Component `{component}` must be a class of {' or '.join(LIBRARIES)}, not {named!r}.")
    return f"{library}.{kind}"


def inspect_autoencoder(folder: Path) -> Weights:
    """Look at a folder that holds an autoencoder and nothing else, in diffusers' form, with the
    same eyes.

    Returns:
        Weights whose one component is called like the folder.

    Raises:
        WeightsRejected: as for a whole model.
    """
    name = folder.name
    if code := next(folder.rglob("*.py"), None):
        raise WeightsRejected(f"{name} carries code ({code.name}); models with code are not loaded.")
    kind = _read_json(folder / "config.json").get("_class_name")
    if not isinstance(kind, str) or kind not in VAES:
        raise WeightsRejected(f"{name} must be one of {', '.join(VAES)}, not {kind!r}.")
    variant = _variant(folder.parent, {name: kind})
    files = tuple(_files(folder, variant))
    return Weights(
        folder=folder.parent, pipeline=kind, classes={name: kind}, forces_zeros=False, variant=variant, files=files
    )


def _class_of(component: str, named: object, pipeline: str) -> str:
    """The index says `[library, class]`."""
    kind = named[1] if isinstance(named, list) and len(named) == 2 else None
    if not isinstance(kind, str) or kind not in COMPONENTS[pipeline][component]:
        allowed = " or ".join(COMPONENTS[pipeline][component])
        raise WeightsRejected(f"Component `{component}` must be a {allowed}, not {named!r}.")
    return kind


def _variant(folder: Path, classes: Mapping[str, str]) -> str | None:
    """Full-precision files where every component has them, else those named `.fp16.`."""
    networks = [folder / component for component in classes if not component.startswith("tokenizer")]
    for network in networks:
        if not any(network.glob("*.safetensors")):
            kind = "only pickled weights" if any(file.suffix in PICKLES for file in network.glob("*")) else "no weights"
            raise WeightsRejected(f"{folder.name}/{network.name} has {kind}; safetensors are needed.")
    has_full = all(any(".fp16" not in file.name for file in network.glob("*.safetensors")) for network in networks)
    return None if has_full else "fp16"


def _files(component: Path, variant: str | None) -> Iterator[Path]:
    """Configuration, vocabulary and the weights of this variant, each checked."""
    for file in sorted(component.glob("*")):
        if file.suffix == ".json":
            if "auto_map" in _read_json(file):
                raise WeightsRejected(f"{component.name}/{file.name} asks to run code of its own (auto_map).")
            yield file
        elif file.suffix in {".txt", ".model"}:
            yield file
        elif file.suffix == ".safetensors" and (".fp16" in file.name) == (variant == "fp16"):
            _check_header(file)
            yield file


def _check_header(file: Path) -> None:
    with file.open("rb") as content:
        length = int.from_bytes(content.read(8), "little")
    if not 0 < length <= min(MAX_HEADER_BYTES, file.stat().st_size - 8):
        raise WeightsRejected(f"{file.parent.name}/{file.name} is damaged: its header would be {length} bytes long.")


def _read_json(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as wrong:
        raise WeightsRejected(f"{file.parent.name}/{file.name} cannot be read: {wrong}.") from None
    if not isinstance(content, dict):
        raise WeightsRejected(f"{file.parent.name}/{file.name} must hold an object.")
    return content
