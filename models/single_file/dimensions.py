"""The networks' dimensions, read from the shapes of their tensors: in diffusers' and transformers'
own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, count, takewhile

from models.catalogue import Family
from models.errors import WeightsRejected
from models.single_file.header import TensorForm
from models.single_file.naming import UNET, VAE
from models.single_file.recognition import Checkpoint

Config = dict[str, object]

HEAD_WIDTH = 64
SD1_HEADS = 8
# SD 2 reads the output of the last but one of OpenCLIP's 24 layers; the last one is in most files,
# and never used.
SD2_TEXT_LAYERS = 23
SIZES_GIVEN = 6  # SDXL takes six lengths: of the picture before it was cut, of the cut, of the target


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """`depth` counts its transformer layers."""

    width: int
    depth: int


class Shapes:
    """Shapes by name; whatever is asked for must be there."""

    def __init__(self, tensors: Mapping[str, TensorForm]) -> None:
        self._tensors = tensors
        self._stems = {stem for name in tensors for stem in accumulate(name.split("."), "{}.{}".format)}

    def has(self, stem: str) -> bool:
        """Whether any name is `stem` or goes on from it after a dot."""
        return stem in self._stems

    def count(self, stem: str) -> int:
        """How many of `stem`.0, `stem`.1 ... there are without a gap."""
        return sum(1 for _ in takewhile(lambda place: self.has(f"{stem}.{place}"), count()))

    def side(self, name: str, axis: int) -> int:
        """Raises WeightsRejected: there is no such tensor, or it has no such side."""
        form = self._tensors.get(name)
        if form is None:
            raise WeightsRejected(f"The weight {name} is missing.")
        if len(form.shape) <= axis or form.shape[axis] == 0:
            raise WeightsRejected(f"The weight {name} cannot have the shape {form.shape}.")
        return form.shape[axis]

    def axes(self, name: str) -> int:
        self.side(name, 0)
        return len(self._tensors[name].shape)


def unet_config(checkpoint: Checkpoint, shapes: Shapes) -> Config:
    """Raises WeightsRejected: a part is missing, or its blocks do not repeat as in the family's
    networks."""
    levels = [_repeated(level) for level in _levels(shapes)]
    widths = [level.width for level in levels]
    attends = [level.depth > 0 for level in levels]
    middle = f"{UNET}middle_block.1"
    depth = shapes.count(f"{middle}.transformer_blocks")
    is_sd1 = checkpoint.family is Family.SD1
    return {
        "sample_size": checkpoint.native.width // 2 ** (shapes.count(f"{VAE}encoder.down") - 1),
        "in_channels": shapes.side(f"{UNET}input_blocks.0.0.weight", 1),
        "out_channels": shapes.side(f"{UNET}out.2.weight", 0),
        "block_out_channels": widths,
        "layers_per_block": len(_levels(shapes)[0]),
        "down_block_types": ["CrossAttnDownBlock2D" if one else "DownBlock2D" for one in attends],
        "up_block_types": ["CrossAttnUpBlock2D" if one else "UpBlock2D" for one in reversed(attends)],
        "transformer_layers_per_block": [*(level.depth or 1 for level in levels[:-1]), levels[-1].depth or depth],
        "cross_attention_dim": shapes.side(f"{middle}.transformer_blocks.0.attn2.to_k.weight", 1),
        "attention_head_dim": SD1_HEADS if is_sd1 else [_heads(width) for width in widths],
        "use_linear_projection": shapes.axes(f"{middle}.proj_in.weight") == 2,
    }


def size_conditioning(shapes: Shapes, pooled_width: int) -> Config:
    """What an SDXL network reads beside the prompt: the pooled text and six lengths."""
    whole = shapes.side(f"{UNET}label_emb.0.0.weight", 1)
    return {
        "projection_class_embeddings_input_dim": whole,
        "addition_time_embed_dim": (whole - pooled_width) // SIZES_GIVEN,
    }


def vae_config(checkpoint: Checkpoint, shapes: Shapes) -> Config:
    levels = shapes.count(f"{VAE}encoder.down")
    return {
        "sample_size": checkpoint.native.width,
        "in_channels": shapes.side(f"{VAE}encoder.conv_in.weight", 1),
        "out_channels": shapes.side(f"{VAE}decoder.conv_out.weight", 0),
        "latent_channels": shapes.side(f"{VAE}decoder.conv_in.weight", 1),
        "block_out_channels": [
            shapes.side(f"{VAE}encoder.down.{level}.block.0.conv1.weight", 0) for level in range(levels)
        ],
        "layers_per_block": shapes.count(f"{VAE}encoder.down.0.block"),
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
    }


def clip_config(shapes: Shapes, prefix: str) -> Config:
    """A text encoder under OpenAI's names."""
    tokens = f"{prefix}embeddings.token_embedding.weight"
    return _text_config(shapes, tokens) | {
        "max_position_embeddings": shapes.side(f"{prefix}embeddings.position_embedding.weight", 0),
        "intermediate_size": shapes.side(f"{prefix}encoder.layers.0.mlp.fc1.weight", 0),
        "num_hidden_layers": shapes.count(f"{prefix}encoder.layers"),
        "projection_dim": shapes.side(tokens, 1),
    }


def open_clip_config(shapes: Shapes, prefix: str) -> Config:
    """A text encoder under OpenCLIP's names, with all its layers."""
    projection = f"{prefix}text_projection"
    return _text_config(shapes, f"{prefix}token_embedding.weight") | {
        "max_position_embeddings": shapes.side(f"{prefix}positional_embedding", 0),
        "intermediate_size": shapes.side(f"{prefix}transformer.resblocks.0.mlp.c_fc.weight", 0),
        "num_hidden_layers": shapes.count(f"{prefix}transformer.resblocks"),
        "projection_dim": shapes.side(projection, 1) if shapes.has(projection) else HEAD_WIDTH,
    }


def _text_config(shapes: Shapes, tokens: str) -> Config:
    width = shapes.side(tokens, 1)
    return {
        "vocab_size": shapes.side(tokens, 0),
        "hidden_size": width,
        "num_attention_heads": _heads(width),
    }


def _heads(width: int) -> int:
    return max(1, width // HEAD_WIDTH)


def _levels(shapes: Shapes) -> list[list[_Block]]:
    """The way down, cut at each halving of the picture."""
    levels: list[list[_Block]] = [[]]
    for place in range(1, shapes.count(f"{UNET}input_blocks")):
        block = f"{UNET}input_blocks.{place}"
        if shapes.has(f"{block}.0.op"):
            levels.append([])
            continue
        width = shapes.side(f"{block}.0.out_layers.3.weight", 0)
        levels[-1].append(_Block(width=width, depth=shapes.count(f"{block}.1.transformer_blocks")))
    if len({len(level) for level in levels}) != 1 or not levels[0]:
        raise WeightsRejected("The U-Net's levels differ in their number of blocks: it is cut off or was pruned.")
    return levels


def _repeated(level: list[_Block]) -> _Block:
    if len(set(level)) != 1:
        raise WeightsRejected("The U-Net's blocks differ within a level, as in networks that were pruned.")
    return level[0]
