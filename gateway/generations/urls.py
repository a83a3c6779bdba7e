"""Public addresses of what we keep."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUrls:
    """`root` is how callers reach us, such as `http://127.0.0.1:8000`, without a slash at its end."""

    root: str

    def image(self, name: str) -> str:
        return f"{self.root}/img/{name}"

    def generation(self, generation_id: str) -> str:
        return f"{self.root}/v1/generations/{generation_id}"

    @property
    def errors(self) -> str:
        """Under it every error code has a page."""
        return f"{self.root}/errors"
