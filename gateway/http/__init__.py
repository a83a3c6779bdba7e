"""What speaks HTTP: routes, pages, error answers, the OpenAPI document.

envelope -> caller -> rate window -> body -> use case -> answer. Owns the numbers and headers of HTTP and nothing else.
Must never decide: it asks `gateway.generations` and shows what it is told.
"""

from gateway.http.app import make_api, make_app
from gateway.http.dialects import prediction_bodies
from gateway.http.reading.dependencies import Services

__all__ = ["Services", "make_api", "make_app", "prediction_bodies"]
