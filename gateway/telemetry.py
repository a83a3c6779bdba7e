"""Structured logs on stderr. No secret passes: keys, webhook secrets and passwords in URLs are masked at the sink.

Everything that a process writes there goes through one renderer: our own lines, those of the standard library's
loggers, warnings, and what ends a thread or the process. With the form `json` each line is one object.
"""

import logging
import re
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

_SECRETS = re.compile(
    r"(px_(?:live|test)_[0-9A-Za-z]{4})[0-9A-Za-z]+|(whsec_)[0-9A-Za-z+/=]+|(\w+://[^\s:/@]*:)[^\s@]+(?=@)"
)

log = structlog.get_logger()


def start_logging(*, form: str, level: str) -> None:
    """Send structlog, the standard library's loggers and warnings to stderr, as `console` or `json` lines."""
    is_json = form == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if is_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    lines: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    structlog.configure(
        processors=[*lines, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _route_standard_library([structlog.stdlib.add_logger_name, *lines], renderer)
    if is_json:
        _log_what_ends_things()


def _route_standard_library(lines: list[structlog.typing.Processor], renderer: structlog.typing.Processor) -> None:
    """From `warning` on, in the same form as ours."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=lines,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)


def _log_what_ends_things() -> None:
    """What Python would print as bare lines."""

    def of_process(kind: type[BaseException], wrong: BaseException, trace: TracebackType | None) -> None:
        log.critical("crashed", exc_info=(kind, wrong, trace))

    def of_thread(ended: threading.ExceptHookArgs) -> None:
        log.error("a thread crashed", thread=ended.thread and ended.thread.name, exc_info=ended.exc_value)

    def of_nobody(ignored: "sys.UnraisableHookArgs") -> None:
        log.error("ignored", where=repr(ignored.object), why=ignored.err_msg, exc_info=ignored.exc_value)

    sys.excepthook = of_process
    threading.excepthook = of_thread
    sys.unraisablehook = of_nobody


def mask_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep the first characters of a token, enough to find its key; nothing of a webhook secret or a password."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = masked(value)
    return event


def masked(text: str) -> str:
    return _SECRETS.sub(lambda found: f"{found.group(1) or found.group(2) or found.group(3)}…", text)
