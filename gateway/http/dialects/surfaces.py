"""Every dialect that this server speaks."""

from gateway.http.dialects import openai_images, openai_models

dialect_routes = (openai_models.routes, openai_images.routes)
