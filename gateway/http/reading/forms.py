"""Multipart bodies: words and files, within bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from gateway.http.edge.body_limits import MAX_FILE_BYTES
from gateway.http.edge.refusals import FormInvalid, PayloadTooLarge
from models import RequestInvalid

MAX_TEXT_BYTES = 1_000_000
MAX_FILES = 17  # OpenAI's form of an edit: 16 pictures and a mask
MAX_TEXTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was sent, in order: `texts` and the contents of `files`, under names that may come more than once.
    `filenames` says what the sender calls its files, by the same names."""

    texts: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, bytes], ...]
    filenames: Mapping[str, str] = field(default_factory=dict[str, str])

    def only(self) -> tuple[Mapping[str, str], Mapping[str, bytes]]:
        """Texts and files by name, for forms in which each name comes once.

        Raises:
            RequestInvalid: one comes twice.
        """
        names = [name for name, _ in (*self.texts, *self.files)]
        for name in names:
            if names.count(name) > 1:
                raise RequestInvalid(f"`{name}` was sent more than once.", field=name)
        return dict(self.texts), dict(self.files)


async def read_form(request: Request) -> Form:
    """The parts of a `multipart/form-data` body; a file that was not chosen in a browser was not sent.

    Raises:
        FormInvalid: it is none, or has more parts than anybody needs.
        PayloadTooLarge: a part, or all together, are larger than we read.
    """
    closing = _Closing(request)
    try:
        async with closing.request.form(
            max_files=MAX_FILES, max_fields=MAX_TEXTS, max_part_size=MAX_TEXT_BYTES
        ) as sent:
            closing.check()
            return await _parts_of(sent)
    except HTTPException as wrong:
        raise FormInvalid(f"The form cannot be read: {wrong.detail}") from None
    except UnicodeError:
        raise FormInvalid("The form cannot be read: its charset is unknown.") from None


class _Closing:
    """Watches a form go by for the line that closes it. The parser takes one that is cut off for a shorter one."""

    def __init__(self, request: Request) -> None:
        self.request = Request(request.scope, self._receive)
        self._come_from = request.receive
        _, options = parse_options_header(request.headers.get("content-type", ""))
        self._line = b"--" + options.get(b"boundary", b"") + b"--"
        self._tail, self._is_closed = b"", False

    async def _receive(self) -> Message:
        message = await self._come_from()
        window = self._tail + message.get("body", b"")
        self._is_closed = self._is_closed or self._line in window
        self._tail = window[-len(self._line) :]
        return message

    def check(self) -> None:
        """Raises FormInvalid: it was cut off."""
        if not self._is_closed:
            raise FormInvalid("The form is cut off: the line that closes it is missing.")


async def _parts_of(sent: FormData) -> Form:
    texts: list[tuple[str, str]] = []
    files: list[tuple[str, bytes]] = []
    filenames: dict[str, str] = {}
    for name, part in sent.multi_items():
        if isinstance(part, str):
            texts.append((name, part))
        elif part.size or part.filename:
            files.append((name, await _content_of(name, part)))
            filenames[name] = part.filename or ""
    return Form(texts=tuple(texts), files=tuple(files), filenames=filenames)


async def _content_of(name: str, part: UploadFile) -> bytes:
    if (part.size or 0) > MAX_FILE_BYTES:
        raise PayloadTooLarge(f"A file may have at most {MAX_FILE_BYTES} bytes; `{name}` has more.")
    return await part.read()
