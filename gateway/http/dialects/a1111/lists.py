"""`/sdapi/v1`'s menus: models, samplers, styles and what clients ask for when they start.

Options are read-only, but for the model: that is chosen for the key that asks, not for everybody.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from gateway.http.dialects.a1111.chosen import ChosenModels
from gateway.http.dialects.a1111.members import CHECKPOINT
from gateway.http.dialects.model_names import model_names
from gateway.http.dialects.samplers import LABELS
from gateway.http.reading.dependencies import AnyCaller, Given
from gateway.http.reading.lenient import LenientBody, Read, ignored_header, read_json
from models import UPSCALE_FACTOR

routes = APIRouter(prefix="/sdapi/v1", include_in_schema=False)


class OptionsBody(LenientBody):
    sd_model_checkpoint: str | None = None


def chosen_models(request: Request) -> ChosenModels:
    found: ChosenModels = request.app.state.chosen_models
    return found


async def options_body(request: Request) -> Read[OptionsBody]:
    return await read_json(request, OptionsBody)


@routes.get("/options")
async def read_options(request: Request, given: Given, caller: AnyCaller) -> Response:
    chosen = chosen_models(request).of(caller.key.id) or given.catalogue.default.id
    return JSONResponse(
        {
            CHECKPOINT: chosen,
            "sd_checkpoint_hash": "",
            "sd_vae": "Automatic",
            "samples_format": "png",
            "CLIP_stop_at_last_layers": 1,
        }
    )


@routes.post("/options")
async def choose_options(
    request: Request, given: Given, caller: AnyCaller, sent: Annotated[Read[OptionsBody], Depends(options_body)]
) -> Response:
    """Raises ModelUnknown."""
    chosen = sent.body.sd_model_checkpoint
    if chosen is not None:
        model_names(given).card(chosen)
        chosen_models(request).choose(caller.key.id, chosen)
    return JSONResponse(None, headers=ignored_header(sent.body.strangers()))


@routes.get("/sd-models")
async def list_models(given: Given, _: AnyCaller) -> Response:
    return JSONResponse(
        [
            {"title": card.id, "model_name": card.id, "hash": None, "sha256": None, "filename": card.id, "config": None}
            for card in given.catalogue.cards()
        ]
    )


@routes.get("/samplers")
async def list_samplers(_: AnyCaller) -> Response:
    return JSONResponse(
        [{"name": label, "aliases": [sampler.value], "options": {}} for sampler, label in LABELS.items()]
    )


@routes.get("/schedulers")
async def list_schedulers(_: AnyCaller) -> Response:
    labels = {"automatic": "Automatic", "karras": "Karras"}
    return JSONResponse([{"name": name, "label": label, "aliases": None} for name, label in labels.items()])


@routes.get("/prompt-styles")
async def list_styles(given: Given, _: AnyCaller) -> Response:
    """Every style that can be painted here, with the words that it puts around the prompt."""
    styles = [(style, style.card_in(given.catalogue)) for style in given.styles.all()]
    wordings = {style.id: style.wording_for(card) for style, card in styles if card is not None}
    return JSONResponse(
        [
            {"name": id, "prompt": wording.template, "negative_prompt": wording.negative}
            for id, wording in wordings.items()
        ]
    )


@routes.get("/loras")
async def list_loras(given: Given, _: AnyCaller) -> Response:
    return JSONResponse(
        [{"name": lora.id, "alias": lora.id, "path": lora.id, "metadata": {}} for lora in given.catalogue.adapters()]
    )


@routes.get("/upscalers")
async def list_upscalers(given: Given, _: AnyCaller) -> Response:
    """What `upscale` means here: the catalogue's network, or a filter where there is none."""
    nowhere: dict[str, Any] = {"model_name": None, "model_path": None, "model_url": None}
    name = given.catalogue.upscaler.id if given.catalogue.upscaler else "Lanczos"
    return JSONResponse([{"name": "None", **nowhere, "scale": 1}, {"name": name, **nowhere, "scale": UPSCALE_FACTOR}])


@routes.get("/sd-vae")
async def list_vaes(given: Given, _: AnyCaller) -> Response:
    return JSONResponse([{"model_name": vae.id, "filename": vae.id} for vae in given.catalogue.vaes()])


@routes.get("/hypernetworks")
@routes.get("/face-restorers")
async def list_nothing(_: AnyCaller) -> Response:
    """There are none here to choose from."""
    return JSONResponse([])


@routes.get("/embeddings")
async def list_embeddings(given: Given, _: AnyCaller) -> Response:
    words = {word for card in given.catalogue.cards() for word in card.embeddings}
    return JSONResponse({"loaded": {word: {} for word in sorted(words)}, "skipped": {}})


@routes.get("/cmd-flags")
async def read_flags(_: AnyCaller) -> Response:
    """How this process was started is nobody's business."""
    return JSONResponse({})


@routes.get("/memory")
async def read_memory(_: AnyCaller) -> Response:
    """Nor is how full the machine is; clients draw no bar then."""
    return JSONResponse({"ram": {}, "cuda": {}})
