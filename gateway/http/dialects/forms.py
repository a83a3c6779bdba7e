"""OpenAI's forms: words and pictures beside each other; the name of a list ends in `[]`."""

import hashlib
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
from fastapi import Request
from pydantic import BaseModel, ValidationError

from gateway.http.edge.body_limits import MULTIPART
from gateway.http.edge.refusals import MediaTypeUnsupported
from gateway.http.reading.forms import Form, read_form
from gateway.http.reading.refusing import refusal_of_first
from models import ParameterMissing, RequestInvalid

Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadForm(Generic[Body]):
    """The words as a body, the picture to begin from and, where there is one, its mask; a hash that equal forms share."""

    body: Body
    image: bytes
    mask: bytes | None
    sha256: str


async def read_picture_form(request: Request, kind: type[Body]) -> ReadForm[Body]:
    """Raises FormInvalid, MediaTypeUnsupported, PayloadTooLarge, ParameterMissing, RequestInvalid."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MULTIPART:
        raise MediaTypeUnsupported(f"Send the body as `Content-Type: {MULTIPART}`.")
    form = await read_form(request)
    try:
        body = kind.model_validate({name.removesuffix("[]"): text for name, text in form.texts})
    except ValidationError as wrong:
        raise refusal_of_first(wrong, kind) from None
    image = _only(form, "image")
    if image is None:
        raise ParameterMissing("`image` is needed: a picture as a file.", field="image")
    return ReadForm(body=body, image=image, mask=_only(form, "mask"), sha256=_hash_of(form))


def _only(form: Form, name: str) -> bytes | None:
    """The one file of that name. Several pictures could only be told apart by a model that looks at them."""
    found = [content for sent, content in form.files if sent.removesuffix("[]") == name]
    if len(found) > 1:
        why = "a painting begins from one, and the models here cannot use several. Send the one to paint from."
        raise RequestInvalid(f"`{name}` may be one picture, and {len(found)} were sent: {why}", field=name)
    return found[0] if found else None


def _hash_of(form: Form) -> str:
    files = [(name, hashlib.sha256(content).hexdigest()) for name, content in form.files]
    return hashlib.sha256(msgspec.json.encode(sorted([*form.texts, *files]))).hexdigest()
