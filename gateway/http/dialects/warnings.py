"""What a caller should know of an answer that is no error, as dialects say it: in their own words, in body and headers."""

import json
from collections.abc import Mapping, Sequence

from gateway.generations import View
from gateway.http.dialects.members import in_their_words
from gateway.http.generations.presenting import warning_bodies
from gateway.http.reading.lenient import WARNINGS_HEADER, ignored_header
from models import notices
from models.notices import Notices

MAX_HEADER_BYTES = 4000


def warnings_of(view: View, words: Mapping[str, str]) -> Notices:
    """Those of a generation; `words` has the caller's members by ours."""
    return in_their_words(notices.read(view.generation.notices), words)


def written_warnings(found: Notices) -> Sequence[Mapping[str, object]]:
    """As JSON has them, in the contract's form."""
    return [body.model_dump(exclude_none=True) for body in warning_bodies(found)]


def warning_headers(found: Notices) -> dict[str, str]:
    """`X-Pinxit-Ignored` names the members that changed nothing; `X-Pinxit-Warnings` has all there is, as JSON without the
    sentences, for callers whose client shows no body: as many as fit."""
    ignored = [notice.param for notice in found if notice.code == "ignored_parameter" and notice.param]
    short = [
        {name: value for name, value in warning.items() if name != "message"} for warning in written_warnings(found)
    ]
    while len(written := json.dumps(short)) > MAX_HEADER_BYTES:
        short.pop()
    return {**ignored_header(ignored), **({WARNINGS_HEADER: written} if short else {})}
