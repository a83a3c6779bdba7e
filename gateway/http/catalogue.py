"""What there is to choose from: styles, LoRAs and VAEs. They change only with the files, so the long list is written once."""

import hashlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.http.answering.answers import answer, described, is_unchanged
from gateway.http.reading.dependencies import Given, known_caller, token_of
from gateway.offers import LoraBody, LoraListBody, StyleBody, StyleListBody, VaeBody, VaeListBody
from models import Catalogue, Family
from router import Styles

routes = APIRouter(prefix="/v1", tags=["styles"])


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleList:
    """The whole list as bytes, and its entity tag."""

    content: bytes
    etag: str


def written_styles(styles: Styles, catalogue: Catalogue) -> StyleList:
    data = [
        StyleBody(
            id=entry.id,
            name=entry.name,
            description=entry.description,
            aliases=list(entry.aliases),
            thumbnail_url=f"/styles/{entry.thumbnail}" if entry.thumbnail else None,
            min_plan=entry.min_plan,
            available=entry.available,
            revision=entry.revision,
        )
        for entry in styles.entries(catalogue)
    ]
    content = StyleListBody(data=data).model_dump_json().encode()
    return StyleList(content=content, etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"')


async def optional_caller(request: Request, given: Given) -> None:
    """Anybody may look; but a key that is sent must be good, so that a typing error shows early."""
    if token_of(request):
        await known_caller(request, given)


@routes.get(
    "/styles",
    summary="List styles",
    response_model=StyleListBody,
    responses={304: {"description": "Unchanged since the ETag sent."}, **described(401, 403)},
    dependencies=[Depends(optional_caller)],
)
async def list_styles(request: Request) -> Response:
    """Every style with name, description, thumbnail and availability."""
    styles: StyleList = request.app.state.style_list
    headers = {"ETag": styles.etag, "Cache-Control": "no-cache"}
    if is_unchanged(request, styles.etag):
        return Response(status_code=304, headers=headers)
    return Response(styles.content, headers=headers, media_type="application/json")


@routes.get(
    "/styles/{style}",
    summary="Read one style",
    response_model=StyleBody,
    responses=described(400, 401, 403),
    dependencies=[Depends(optional_caller)],
)
async def read_style(given: Given, request: Request, style: Annotated[str, "id or alias"]) -> Response:
    """One style by id or alias."""
    id = style if style == "auto" else given.styles.get(style).id
    listed = StyleListBody.model_validate_json(request.app.state.style_list.content)
    return answer(next(entry for entry in listed.data if entry.id == id))


@routes.get(
    "/loras",
    summary="List LoRAs",
    response_model=LoraListBody,
    responses=described(401, 403),
    dependencies=[Depends(optional_caller)],
)
async def list_loras(given: Given) -> Response:
    """Every LoRA that a request may name, with the models it fits."""
    data = [
        LoraBody(
            id=lora.id,
            family=lora.family,
            models=_fitting(given, lora.family),
            trigger=lora.trigger,
            licence=lora.licence,
        )
        for lora in given.catalogue.adapters()
    ]
    return answer(LoraListBody(data=data))


@routes.get(
    "/vaes",
    summary="List VAEs",
    response_model=VaeListBody,
    responses=described(401, 403),
    dependencies=[Depends(optional_caller)],
)
async def list_vaes(given: Given) -> Response:
    """Every autoencoder that a request may name instead of the model's own, with the models it fits."""
    data = [
        VaeBody(
            id=vae.id,
            family=vae.family,
            models=_fitting(given, vae.family),
            licence=vae.licence,
        )
        for vae in given.catalogue.vaes()
    ]
    return answer(VaeListBody(data=data))


def _fitting(given: Given, family: Family) -> list[str]:
    """The models of a family."""
    return [card.id for card in given.catalogue.cards() if card.family is family]
