"""A model that is loaded and ready, driven in parts by us."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.diffusion.autoencoding.preview import Previews
from models.diffusion.families.building import Network, Texts
from models.diffusion.resident.adapters import Adapters
from models.diffusion.resident.autoencoders import Autoencoders
from models.diffusion.resident.steadying import Steadying
from models.diffusion.resident.whole import WholePipeline
from models.manifest import Fingerprint
from models.scoring import Scorer
from models.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Everything that paints with one model; holds nothing of any picture.

    `notes` says how it is held when not plainly whole on the device.
    """

    texts: Texts
    network: Network
    scheduler_config: Mapping[str, object]
    vocabulary: Vocabulary
    fingerprint: Fingerprint
    size_bytes: int
    adapters: Adapters
    autoencoders: Autoencoders
    steadying: Steadying
    batch_sizes: tuple[int, ...]
    previews: Previews
    scorer: Scorer | None = None
    notes: tuple[str, ...] = ()

    def with_vae(self, vae: str | None) -> "Pipeline":
        """The same, but for what encodes and decodes, which is resident; None: the model's own."""
        if vae is None:
            return self
        other = self.autoencoders.get(vae)
        return replace(self, network=other.network, previews=other.previews)


# How a model can be held: in parts that we drive, or as a pipeline of diffusers.
Loaded = Pipeline | WholePipeline
