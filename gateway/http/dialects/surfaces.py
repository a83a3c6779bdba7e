"""Every dialect that this server speaks."""

from gateway.http.dialects import (
    a1111,
    a1111_lists,
    huggingface,
    openai_edits,
    openai_files,
    openai_images,
    openai_models,
    replicate,
)

_SPOKEN = (openai_models, openai_images, openai_edits, openai_files, a1111, a1111_lists, huggingface, replicate)
dialect_routes = tuple(dialect.routes for dialect in _SPOKEN)
