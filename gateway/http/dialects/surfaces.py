"""Every dialect that this server speaks."""

from gateway.http.dialects import huggingface, pictura
from gateway.http.dialects.a1111 import lists
from gateway.http.dialects.a1111 import routes as a1111
from gateway.http.dialects.openai import edits, files, images, models
from gateway.http.dialects.replicate import routes as replicate

_SPOKEN = (models, images, edits, files, a1111, lists, huggingface, replicate, pictura)
dialect_routes = tuple(dialect.routes for dialect in _SPOKEN)
