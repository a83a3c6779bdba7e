"""`/v1/files`, as OpenAI's clients use it around batches: the files that are sent, and the two that a batch ends in."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from gateway.access import Caller
from gateway.batches import BatchUnknown, BatchView, FileUnknown
from gateway.http.answering.answers import answer, described
from gateway.http.batches.file_form import Half, batch_and_half, file_batch_body
from gateway.http.dialects.openai.batches import result_lines
from gateway.http.edge.refusals import PayloadTooLarge
from gateway.http.reading.dependencies import Given, Services, caller_with, counted_caller_with
from gateway.http.reading.forms import read_form
from gateway.http.reading.lenient import ignored_header
from models import ParameterMissing, RequestInvalid
from storage.files import SentFile

JSON_LINES = "application/jsonl"
MAX_NAME_CHARACTERS = 255
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "properties": {
                        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                        "purpose": {"type": "string", "const": "batch"},
                    },
                }
            }
        },
    }
}
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A request, or what came of one, a line.",
        "content": {JSON_LINES: {"schema": {"type": "string"}}},
    }
}

routes = APIRouter(prefix="/v1/files", tags=["openai"])

Sender = Annotated[Caller, Depends(counted_caller_with("generate"))]
Reader = Annotated[Caller, Depends(caller_with("read"))]
Deleter = Annotated[Caller, Depends(caller_with("delete"))]


class FileBody(BaseModel):
    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: Literal["batch", "batch_output"]
    status: Literal["processed"] = "processed"


class FileListBody(BaseModel):
    """One page of the files that were sent, newest first; `after=last_id` fetches the following one."""

    object: Literal["list"] = "list"
    data: list[FileBody]
    has_more: bool
    first_id: str | None
    last_id: str | None


class DeletedFileBody(BaseModel):
    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


@routes.post(
    "",
    summary="Send a file of requests for a batch",
    response_model=FileBody,
    responses=described(400, 401, 403, 413, 429, 503),
    openapi_extra=BODY,
)
async def send_file(request: Request, given: Given, caller: Sender) -> Response:
    """JSON lines, each `{"custom_id", "method": "POST", "url": "/v1/images/generations", "body"}`; they are judged when a
    batch is made of them."""
    form = await read_form(request)
    texts, files = form.only()
    for name, sent in (("file", files), ("purpose", texts)):
        if name not in sent:
            raise ParameterMissing(f"`{name}` is needed.", field=name)
    if texts["purpose"] != "batch":
        raise RequestInvalid("`purpose` must be 'batch'.", field="purpose")
    content, most = files["file"], given.settings.max_batch_bytes
    if len(content) > most:
        raise PayloadTooLarge(f"A batch's file may have at most {most} bytes.")
    filename = "".join(letter for letter in form.filenames["file"] if letter.isprintable())[:MAX_NAME_CHARACTERS]
    kept = await given.batches.files.keep(caller, content, filename=filename)
    return answer(_body(kept), headers=ignored_header({*texts, *files} - {"file", "purpose"}))


@routes.get(
    "", summary="List the files that were sent", response_model=FileListBody, responses=described(400, 401, 403, 404)
)
async def list_files(
    given: Given,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: str | None = None,
    purpose: Literal["batch"] = "batch",
    order: Literal["desc"] = "desc",
) -> Response:
    """Newest first; files that batches end in are found by their batch."""
    del purpose, order  # what they may be, every answer is
    found, has_more = await given.batches.files.page(caller, limit=limit, after=after)
    data = [_body(file) for file in found]
    ends = (data[0].id, data[-1].id) if data else (None, None)
    return answer(FileListBody(data=data, has_more=has_more, first_id=ends[0], last_id=ends[1]))


@routes.get("/{file_id}", summary="Read about a file", response_model=FileBody, responses=described(401, 403, 404, 503))
async def read_file(given: Given, caller: Reader, file_id: str) -> Response:
    """A file that was sent, or one that a batch has ended in."""
    result = await _result(given, caller, file_id)
    if result is None:
        return answer(_body(await given.batches.files.one(caller, file_id)))
    view, half = result
    lines = result_lines(given, given.batches.fetch.results(caller, view.batch.id), half)
    size = sum([len(line) async for line in lines])
    ended = int((view.batch.completed_at or view.batch.created_at).timestamp())
    filename = f"{view.batch.id}_{half}.jsonl"
    return answer(FileBody(id=file_id, bytes=size, created_at=ended, filename=filename, purpose="batch_output"))


@routes.get(
    "/{file_id}/content",
    summary="Fetch a file",
    response_class=Response,
    responses={**CONTENT, **described(401, 403, 404, 410, 503)},
)
async def read_content(given: Given, caller: Reader, file_id: str) -> Response:
    """What was sent, byte by byte; or what came of a batch's requests, as it stands now, with addresses of pictures."""
    result = await _result(given, caller, file_id)
    if result is not None:
        view, half = result
        lines = result_lines(given, given.batches.fetch.results(caller, view.batch.id), half)
        return StreamingResponse(lines, media_type=JSON_LINES)
    file = await given.batches.files.one(caller, file_id)
    return Response(await given.batches.files.content(file), media_type=JSON_LINES)


@routes.delete(
    "/{file_id}",
    summary="Delete a file that was sent",
    response_model=DeletedFileBody,
    responses=described(401, 403, 404, 503),
)
async def delete_file(given: Given, caller: Deleter, file_id: str) -> Response:
    """Batches made of it go on. A file that a batch ends in is none that was sent: 404."""
    await given.batches.files.delete(caller, file_id)
    return answer(DeletedFileBody(id=file_id))


async def _result(given: Services, caller: Caller, file_id: str) -> tuple[BatchView, Half] | None:
    """The batch that has ended in this file; None: the id is not of that form.

    Raises:
        FileUnknown: the batch is none of the account's, or has no such file.
    """
    named = batch_and_half(file_id)
    if named is None:
        return None
    unknown = FileUnknown(f"There is no file {file_id!r}.")
    try:
        view = await given.batches.fetch.one(caller, named[0])
    except BatchUnknown:
        raise unknown from None
    body = file_batch_body(view)
    if view.batch.input_file_id is None or file_id not in {body.output_file_id, body.error_file_id}:
        raise unknown
    return view, named[1]


def _body(file: SentFile) -> FileBody:
    return FileBody(
        id=file.id,
        bytes=file.byte_count,
        created_at=int(file.created_at.timestamp()),
        filename=file.filename,
        purpose="batch",
    )
