"""Every dialect that this server speaks."""

from gateway.http.dialects import a1111, a1111_lists, openai_images, openai_models

dialect_routes = (openai_models.routes, openai_images.routes, a1111.routes, a1111_lists.routes)
