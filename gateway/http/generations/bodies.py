"""What callers send: a JSON object, or a form where there are files, in its declared form."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from fastapi import Request
from pydantic import ValidationError

from gateway.generations import Given, Source
from gateway.generations.inputs.sources import source_of
from gateway.http.edge.body_limits import MULTIPART
from gateway.http.edge.refusals import MediaTypeUnsupported
from gateway.http.reading.forms import read_form
from gateway.http.reading.refusing import refusal_of_first
from gateway.image_decoder import MaskRule
from gateway.orders import GenerateBody
from models import ParameterUnknown, RequestInvalid

FILES = ("image", "mask")
JSON_TEXTS = frozenset({"loras", "metadata"})  # members that are no single value: in a form they are JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A parsed body, the files beside it by member, and a hash that equal ones share."""

    body: GenerateBody
    sha256: str
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    def given(self) -> Given:
        """What the painting shall begin from. Raises ImageInvalid."""
        return Given(
            mask_rule=MaskRule.HOLES_OR_WHITE,
            image=self._source("image"),
            mask=self._source("mask"),
            strength=self.body.strength,
        )

    def _source(self, member: str) -> Source | None:
        text: str | None = getattr(self.body, member)
        return self.files.get(member) if text is None else source_of(text, field=member)


async def sent_body(request: Request) -> Sent:
    """Raises JsonInvalid, FormInvalid, MediaTypeUnsupported, PayloadTooLarge, ParameterMissing, ParameterUnknown,
    RequestInvalid."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == MULTIPART:
        return await _sent_form(request)
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise MediaTypeUnsupported("Send the body as `Content-Type: application/json`, or files as a form.")
    content = await request.body()
    try:
        body = GenerateBody.model_validate_json(content)
    except ValidationError as wrong:
        raise refusal_of_first(wrong, GenerateBody) from None
    return Sent(body=body, sha256=hashlib.sha256(content).hexdigest())


async def _sent_form(request: Request) -> Sent:
    """Every member as text, as forms have nothing else; `image` and `mask` as text or as a file."""
    texts, files = (await read_form(request)).only()
    for name in files:
        if name not in FILES:
            raise ParameterUnknown(f"`{name}` is no file that this endpoint takes.", field=name)
    members = {name: _read_json(name, text) if name in JSON_TEXTS else text for name, text in texts.items()}
    try:
        body = GenerateBody.model_validate(members, strict=False)
    except ValidationError as wrong:
        raise refusal_of_first(wrong, GenerateBody) from None
    named = [*sorted(texts.items()), *sorted((name, hashlib.sha256(file).hexdigest()) for name, file in files.items())]
    return Sent(body=body, sha256=hashlib.sha256(msgspec.json.encode(named)).hexdigest(), files=files)


def _read_json(name: str, text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as wrong:
        raise RequestInvalid(f"`{name}` must be JSON in a form: {wrong}.", field=name) from None
