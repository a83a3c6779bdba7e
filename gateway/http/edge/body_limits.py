"""How large bodies may be, each and all together: counted as they arrive, before they are kept."""

import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from gateway.http.edge.refusals import PayloadTooLarge, TooManyConnections

MULTIPART = "multipart/form-data"
MAX_FORM_BYTES = 60_000_000
MAX_FILE_BYTES = 20_000_000
MAX_BODY_BYTES = 1_000_000
CHECKED_PATH = "/v1/provenance/check"  # takes a picture as a body, of anybody
# Clients of A1111, Hugging Face and Replicate know no forms: their pictures are base64 in JSON (docs/decisions/0012).
PICTURES_IN_JSON = re.compile(
    r"/sdapi/v1/(?:img2img|png-info)|/hf/.+|/v1/predictions|/v1/models/[^/]+/[^/]+/predictions"
)
TABLES = frozenset({"text/csv", "application/jsonl", "application/x-ndjson", "application/x-jsonlines"})
MAX_BYTES_OF_ALL = 1_000_000_000
MAX_BYTES_OF_STRANGERS = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """What the operator decides: the largest file of a batch, and JSON in which pictures are base64."""

    table_bytes: int
    picture_json_bytes: int

    def most_of(self, scope: Scope) -> int:
        """Files may be larger than bodies that are parsed as a whole."""
        media_type = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
        if media_type == MULTIPART:
            return MAX_FORM_BYTES
        if media_type in TABLES:
            return self.table_bytes
        if scope["path"] == CHECKED_PATH and media_type.startswith("image/"):
            return MAX_FILE_BYTES
        return self.picture_json_bytes if PICTURES_IN_JSON.fullmatch(scope["path"]) else MAX_BODY_BYTES


@dataclass(slots=True)
class BodiesHeld:
    """The bytes of all bodies that are being read or used now, at most `most`."""

    most: int
    bytes: int = 0


class Counted:
    """Counts a body as it arrives, declared or chunked; `close` gives its bytes back.

    Raises (when called):
        PayloadTooLarge: more arrived, or was announced, than `most`.
        TooManyConnections: the bodies of all calls together are as large as we hold.
    """

    def __init__(self, scope: Scope, receive: Receive, *, most: int, held: BodiesHeld) -> None:
        self._receive = receive
        self._most = most
        self._came = 0
        self._held = held
        self._announced = Headers(scope=scope).get("content-length", "0")

    async def __call__(self) -> Message:
        if self._announced.isdigit() and int(self._announced) > self._most:
            raise self._too_large()
        message = await self._receive()
        size = len(message.get("body", b""))
        self._came += size
        self._held.bytes += size
        if self._came > self._most:
            raise self._too_large()
        if self._held.bytes > self._held.most:
            raise TooManyConnections("Too much is being sent at a time; ask again a little later.")
        return message

    def close(self) -> None:
        self._held.bytes -= self._came
        self._came = 0

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"Such a body may have at most {self._most} bytes; pictures go as files of a form.")
