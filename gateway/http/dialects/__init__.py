"""Other people's HTTP contracts, so that their clients work here unchanged: OpenAI's images, together's, A1111's web
UI, Hugging Face's inference, Replicate's predictions.

their body -> our `GenerationRequest` -> the same use cases as the native contract -> their answer. Owns other people's
words and shapes. Must never decide what is painted, allowed or paid, and never do what `/v1/generate` cannot.
"""

from gateway.http.dialects.a1111.chosen import ChosenModels
from gateway.http.dialects.replicate.answers import prediction_bodies
from gateway.http.dialects.surfaces import dialect_routes

__all__ = ["ChosenModels", "dialect_routes", "prediction_bodies"]
