"""`GET /v1/models`: what can paint, as OpenAI's clients list it."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.http.answering.answers import answer, described
from gateway.http.dialects.model_names import ModelNames, model_names
from gateway.http.reading.dependencies import AnyCaller, Given

OWNER = "local"

routes = APIRouter(prefix="/v1", tags=["openai"])


class ModelBody(BaseModel):
    """`created` is when the model's folder was last changed, in seconds since the epoch. `upscaler` enlarges its pictures."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = OWNER
    upscaler: str | None = None


class ModelListBody(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelBody]


@routes.get("/models", summary="List models", response_model=ModelListBody, responses=described(401, 403))
async def list_models(given: Given, _: AnyCaller) -> Response:
    """The models of this installation, and the names that stand for one of them."""
    names = model_names(given)
    return answer(ModelListBody(data=[_model_body(name, names) for name in names.listed()]))


@routes.get("/models/{model}", summary="Read one model", response_model=ModelBody, responses=described(401, 403, 404))
async def read_model(given: Given, _: AnyCaller, model: str) -> Response:
    """One model, by its own name or by any that stands for it, such as `gpt-image-2`."""
    return answer(_model_body(model, model_names(given)))


def _model_body(name: str, names: ModelNames) -> ModelBody:
    upscaler = names.catalogue.upscaler
    created = int(names.card(name).path.stat().st_mtime)
    return ModelBody(id=name, created=created, upscaler=upscaler.id if upscaler else None)
