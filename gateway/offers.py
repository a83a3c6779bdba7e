"""Bodies that list what there is to choose from: styles, LoRAs and VAEs."""

from typing import Literal

from pydantic import BaseModel

from models import Family


class StyleBody(BaseModel):
    """A named look. `available` is false while no model of this installation can paint it."""

    id: str
    name: str
    description: str
    aliases: list[str]
    thumbnail_url: str | None
    min_plan: str
    available: bool
    revision: int


class StyleListBody(BaseModel):
    object: Literal["list"] = "list"
    data: list[StyleBody]


class LoraBody(BaseModel):
    """A LoRA of this installation, and the models that it was made for. `trigger` is put into the prompt with it."""

    id: str
    family: Family
    models: list[str]
    trigger: str | None
    licence: str


class LoraListBody(BaseModel):
    object: Literal["list"] = "list"
    data: list[LoraBody]


class VaeBody(BaseModel):
    """An autoencoder of this installation, and the models that it was made for."""

    id: str
    family: Family
    models: list[str]
    licence: str


class VaeListBody(BaseModel):
    object: Literal["list"] = "list"
    data: list[VaeBody]
