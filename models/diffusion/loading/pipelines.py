"""From a folder that passed inspection to a pipeline: a model loaded and ready."""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from models.catalogue import AdapterCard, ModelCard, VaeCard
from models.diffusion.autoencoding.preview import Previews
from models.diffusion.autoencoding.tiling import Tiling
from models.diffusion.device import Device
from models.diffusion.families.building import BUILDERS, Network, Parts
from models.diffusion.loading.components import Loader, load_autoencoder
from models.diffusion.loading.whole import loading_whole
from models.diffusion.resident.adapters import Adapters
from models.diffusion.resident.autoencoders import Autoencoders, Place, check_latents
from models.diffusion.resident.fingerprint import fingerprint_of
from models.diffusion.resident.pipeline import Loaded, Pipeline
from models.diffusion.resident.placement import VAE, Placement, notes_on
from models.diffusion.resident.placing import place, placement_of
from models.diffusion.resident.steadying import Steadying
from models.diffusion.texts.inversions import inversions_of
from models.diffusion.weights.folders import Weights
from models.diffusion.weights.hashing import Hashes
from models.diffusion.weights.reading import rejecting
from models.errors import WeightsRejected
from models.request import MAX_SIDE
from models.scoring import Scorer, read_scorer
from models.vocabulary import Vocabulary
from models.whole_pipelines import WHOLE_PIPELINES


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """The LoRAs and autoencoders there are to put on models, by id. `hashes` knows those of files
    read before."""

    adapters: Mapping[str, AdapterCard] = field(default_factory=dict[str, AdapterCard])
    vaes: Mapping[str, VaeCard] = field(default_factory=dict[str, VaeCard])
    hashes: Hashes = field(default_factory=Hashes)


def load_pipeline(weights: Weights, card: ModelCard, *, device: Device, model_sha256: str) -> Pipeline:
    """All of `loading` in one go. Raises WeightsRejected."""
    pieces = loading(weights, card, device=device, model_sha256=model_sha256, additions=Additions())
    while True:
        try:
            next(pieces)
        except StopIteration as finished:
            return cast("Pipeline", finished.value)


def loading(
    weights: Weights,
    card: ModelCard,
    *,
    device: Device,
    model_sha256: str,
    additions: Additions,
) -> Generator[bool, None, Loaded]:
    """Load the components onto the device; yields True before each, and loads it in one piece.

    Raises:
        WeightsRejected: the files are not what their configuration says.
    """
    if weights.pipeline in WHOLE_PIPELINES:
        return (yield from loading_whole(weights, card, device=device, model_sha256=model_sha256))
    return (yield from _loading(weights, card, device=device, model_sha256=model_sha256, additions=additions))


def _loading(
    weights: Weights,
    card: ModelCard,
    *,
    device: Device,
    model_sha256: str,
    additions: Additions,
) -> Generator[bool, None, Pipeline]:
    loader = Loader(weights=weights, device=device)
    with rejecting(card.id):
        placement = placement_of(weights, card, device)
        networks = yield from _networks(loader, card, placement)
        parts = _parts(loader, card, networks, placement)
        texts, network = BUILDERS[weights.pipeline](parts)
        scheduler_config = json.loads((weights.folder / "scheduler" / "scheduler_config.json").read_bytes())
    steadying = Steadying(network.module)
    changeable = {name: part for name, part in networks.items() if name == "unet" or name.startswith("text_encoder")}
    return Pipeline(
        texts=texts,
        network=network,
        scheduler_config=scheduler_config,
        vocabulary=Vocabulary.read(card.vocabulary, also=card.embeddings),
        fingerprint=fingerprint_of(model_sha256, device, placement, network.execution),
        size_bytes=placement.device_bytes,
        adapters=Adapters(
            additions.adapters,
            family=card.family,
            networks=changeable,
            hashes=additions.hashes,
            on_change=steadying.renew,
        ),
        autoencoders=_other_autoencoders(additions, card, parts=parts, network=network, device=device),
        steadying=steadying,
        batch_sizes=card.batch_sizes,
        previews=Previews(networks["vae"]),
        scorer=_scorer_for(network, card),
        notes=notes_on(placement, largest_pixels=MAX_SIDE**2),
    )


def _parts(loader: Loader, card: ModelCard, networks: Mapping[str, Any], placement: Placement) -> Parts:
    return Parts(
        networks=networks,
        tokenizers=loader.tokenizers(),
        forces_zeros=loader.weights.forces_zeros,
        inversions=inversions_of(card.embeddings, _widths(networks)),
        tiling=Tiling(whole_pixels=placement.whole_pixels, side=placement.tile),
    )


def _scorer_for(network: Network, card: ModelCard) -> Scorer | None:
    """Raises WeightsRejected: the card's scorer looks at other latents, or reads other prompts,
    than the model has."""
    if card.scorer is None:
        return None
    scorer = read_scorer(card.scorer)
    config: Any = network.module.config
    given, wanted = (scorer.form.looker.channels, scorer.form.width), (config.in_channels, config.cross_attention_dim)
    if given != wanted:
        raise WeightsRejected(f"The scorer of {card.id} is made for latents and prompts of {given}, not of {wanted}.")
    return scorer


def _other_autoencoders(
    additions: Additions, card: ModelCard, *, parts: Parts, network: Network, device: Device
) -> Autoencoders:
    """Those that requests may name; none is loaded yet."""
    return Autoencoders(
        additions.vaes,
        family=card.family,
        hashes=additions.hashes,
        load=partial(load_autoencoder, device=device),
        place=Place(own=parts.networks[VAE], network=network, tiling=parts.tiling, device=device.torch_device),
    )


def _networks(loader: Loader, card: ModelCard, placement: Placement) -> Generator[bool, None, dict[str, Any]]:
    """All that computes, where it belongs, with the card's autoencoder."""
    networks = yield from loader.loading(placement)
    if card.vae is not None:
        yield True
        other = load_autoencoder(card.vae, loader.device)
        check_latents(other, instead_of=networks[VAE], name=card.vae.name)
        networks[VAE] = other
    place(networks, placement, loader.device.torch_device)
    return networks


def _widths(networks: Mapping[str, Any]) -> dict[str, int]:
    """How wide the vectors are in which each text encoder reads its tokens."""
    encoders = [name for name in networks if name.startswith("text_encoder")]
    return {name: networks[name].get_input_embeddings().weight.shape[1] for name in encoders}
