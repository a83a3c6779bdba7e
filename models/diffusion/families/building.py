"""Which family builds what from a model's components: one line for each pipeline class."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from models.diffusion.autoencoding.decoding import Decoder
from models.diffusion.autoencoding.encoding import Encoder
from models.diffusion.autoencoding.tiling import Tiling
from models.diffusion.families.flux import Flux, FluxNetwork
from models.diffusion.families.network import UnetNetwork
from models.diffusion.families.sd1 import StableDiffusion1
from models.diffusion.families.sd3 import Sd3Network, StableDiffusion3
from models.diffusion.families.sdxl import StableDiffusionXl
from models.diffusion.schedule.flow import FlowTiming
from models.diffusion.texts.clip import ClipText
from models.diffusion.texts.conditioning import Conditioning
from models.diffusion.texts.inversions import Inversions
from models.diffusion.texts.t5 import T5Text
from models.manifest import Execution
from models.request import ImageSize
from models.spec import GenerationSpec


class Texts(Protocol):
    """A family's way to read a spec."""

    def prepare(self, spec: GenerationSpec) -> Conditioning: ...


class Network(Protocol):
    """A family's way to go from noise to a picture.

    `execution` says whether pictures may share a pass. `module` is what predicts, for whoever looks
    into its layers. `flow` is how the schedule of a model that predicts flows is timed; None: it
    predicts noise. `encoder` makes latents of a picture to start from; None: the family starts from
    noise alone. `reads_mask` is true of inpainting networks.
    """

    execution: Execution
    module: torch.nn.Module
    decoder: Decoder
    reads_mask: bool

    @property
    def encoder(self) -> Encoder | None: ...

    @property
    def flow(self) -> FlowTiming | None: ...

    def latent_shape(self, size: ImageSize) -> tuple[int, int, int]:
        """(channels, height, width) of the latents of a picture of `size`. Raises
        PaintingBroken."""
        ...

    def predict(self, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """One pass: (rows, channels, height, width) and (rows,) in, the prediction of the same
        shape out."""
        ...

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """(1, channels, height, width) to (height, width, 3) in 0..1, on the CPU. Raises
        PaintingBroken."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A model's loaded components by their names in its folder. `forces_zeros` as its index says;
    `inversions` are the operator's, by the encoder that reads them."""

    networks: Mapping[str, Any]
    tokenizers: Mapping[str, Any]
    forces_zeros: bool
    inversions: Mapping[str, Inversions] = field(default_factory=dict[str, Inversions])
    tiling: Tiling | None = None

    def clip(self, number: str, *, layer: int) -> ClipText:
        """The tokenizer and text encoder of this number: "", "_2"."""
        name = f"text_encoder{number}"
        tokenizer, inversions = self.tokenizers[f"tokenizer{number}"], self.inversions.get(name)
        return ClipText(tokenizer, self.networks[name], layer=layer, inversions=inversions)

    def t5(self, number: str) -> T5Text:
        return T5Text(self.tokenizers[f"tokenizer{number}"], self.networks[f"text_encoder{number}"])


def _sd1(parts: Parts) -> tuple[Texts, Network]:
    return StableDiffusion1(parts.clip("", layer=-1)), UnetNetwork(
        parts.networks["unet"], parts.networks["vae"], parts.tiling
    )


def _sdxl(parts: Parts) -> tuple[Texts, Network]:
    texts = StableDiffusionXl(parts.clip("", layer=-2), parts.clip("_2", layer=-2), forces_zeros=parts.forces_zeros)
    return texts, UnetNetwork(parts.networks["unet"], parts.networks["vae"], parts.tiling)


def _sd3(parts: Parts) -> tuple[Texts, Network]:
    network = Sd3Network(parts.networks["transformer"], parts.networks["vae"], parts.tiling)
    t5 = parts.t5("_3") if "text_encoder_3" in parts.networks else None
    clips = parts.clip("", layer=-2), parts.clip("_2", layer=-2)
    return StableDiffusion3(clips, t5, width=network.module.config.joint_attention_dim), network


def _flux(parts: Parts) -> tuple[Texts, Network]:
    network = FluxNetwork(parts.networks["transformer"], parts.networks["vae"], parts.tiling)
    takes_guidance = bool(network.module.config.guidance_embeds)
    return Flux(parts.clip("", layer=-1), parts.t5("_2"), takes_guidance=takes_guidance), network


BUILDERS: Mapping[str, Callable[[Parts], tuple[Texts, Network]]] = {
    "StableDiffusionPipeline": _sd1,
    "StableDiffusionXLPipeline": _sdxl,
    "StableDiffusion3Pipeline": _sd3,
    "FluxPipeline": _flux,
}
