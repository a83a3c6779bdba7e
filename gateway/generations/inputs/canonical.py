"""When are two requests the same? And would the engine still paint what it painted then?

Both answers are hashes that a generation carries. Equal `canonical_sha256`: the same pictures were asked for. Equal
`revision`: the same engine, weights and LoRAs painted them. Only both together make a picture fit for another request.
"""

import asyncio
import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import msgspec

from models import Catalogue, Engine, Fingerprint, GenerationRequest, GenerationSpec, Recipe
from models.manifest import joint_sha256
from router import Route

# What the specs say in full, with every default filled in; all else in a request counts as it was sent.
IN_SPECS = frozenset(
    {"prompt", "style", "width", "height", "quality", "negative_prompt", "seed", "upscale", "n", "enhance_prompt"}
    | {"model", "loras", "init_image", "num_inference_steps", "guidance_scale", "sampler", "clip_skip", "vae"}
)


def canonical_sha256(request: GenerationRequest, route: Route, *, livemode: bool) -> str:
    """Of all that decides the delivered files but the engine. Without a seed nothing is filled in, for the seed that was
    drawn decides part of that: then it only tells a request that is sent again."""
    asked = {member.name: getattr(request, member.name) for member in fields(request)}
    form = {
        "livemode": livemode,
        "style": (route.style_resolved, route.style_revision),
        "quality": route.quality,
        "specs": None if request.seed is None else [_normalized(spec) for spec in route.specs],
        "asked": asked if request.seed is None else {name: asked[name] for name in asked.keys() - IN_SPECS},
    }
    return hashlib.sha256(msgspec.json.encode(form, order="sorted")).hexdigest()


def revision_of(fingerprint: Fingerprint, upscaler_sha256: str | None = None) -> str:
    """Of everything in it that no picture's size or company decides, and of the network that enlarged, if one did."""
    plain = replace(fingerprint, batch_class=1, decoding="whole")
    return hashlib.sha256(msgspec.json.encode((plain, upscaler_sha256), order="sorted")).hexdigest()


def revision_of_all(recipes: Sequence[Recipe]) -> str | None:
    """None: they were not all painted under the same."""
    revisions = {revision_of(recipe.fingerprint, recipe.upscaler_sha256) for recipe in recipes}
    return revisions.pop() if len(revisions) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisions:
    """Knows what would paint now."""

    engine: Engine
    catalogue: Catalogue
    _hashes: dict[tuple[Path, int, int], str] = field(default_factory=dict[tuple[Path, int, int], str])

    async def current(self, specs: Sequence[GenerationSpec]) -> str | None:
        """None: nobody can say, for the model is not loaded, or a file of a LoRA, a VAE or the upscaler is not there."""
        fingerprint = self.engine.state().fingerprints.get(specs[0].model)
        if fingerprint is None:
            return None
        hashes: dict[str, str] = {}
        for adapter in specs[0].all_adapters:
            sha256 = await self._hash_of(self.catalogue.acting(adapter.id).path)
            if sha256 is None:
                return None
            hashes[adapter.id] = sha256
        vae = "" if specs[0].vae is None else await self._hash_of_vae(specs[0].vae)
        wants_network, upscaler = specs[0].size.wants_network, self.catalogue.upscaler
        upscaler_sha256 = await self._hash_of(upscaler.path) if upscaler and wants_network else None
        if vae is None or (wants_network and upscaler_sha256 is None):
            return None
        return revision_of(replace(fingerprint, adapters=hashes, vae_sha256=vae), upscaler_sha256)

    async def _hash_of_vae(self, vae: str) -> str | None:
        """As the engine makes it of all its files; None: one is not there."""
        try:
            files = self.catalogue.vae(vae).files
        except OSError:
            return None
        hashes = {file.name: await self._hash_of(file) for file in files}
        known = {name: sha256 for name, sha256 in hashes.items() if sha256 is not None}
        return joint_sha256(known) if known and len(known) == len(hashes) else None

    async def _hash_of(self, file: Path) -> str | None:
        """Read once as long as size and time of change stay, as the engine does."""
        try:
            known = _standing_of(file)
            if known not in self._hashes:
                self._hashes[known] = await asyncio.to_thread(_digest_of, file)
        except OSError:
            return None
        return self._hashes[known]


def _standing_of(file: Path) -> tuple[Path, int, int]:
    status = file.stat()
    return file, status.st_size, status.st_mtime_ns


def _digest_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _normalized(spec: GenerationSpec) -> Mapping[str, object]:
    """Texts that look the same are the same, however their accents are put together."""
    members: dict[str, object] = msgspec.to_builtins(spec)
    texts = {"prompt": spec.prompt, "negative_prompt": spec.negative_prompt}
    return members | {name: unicodedata.normalize("NFC", text) for name, text in texts.items()}
