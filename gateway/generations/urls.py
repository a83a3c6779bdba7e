"""Public addresses of what we keep."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUrls:
    """`base` is how callers reach us, such as `http://127.0.0.1:8000`, without a slash at its end."""

    base: str

    def image(self, name: str) -> str:
        return f"{self.base}/img/{name}"

    def generation(self, generation_id: str) -> str:
        return f"{self.base}/v1/generations/{generation_id}"

    @property
    def error_base(self) -> str:
        """Under it every error code has a page."""
        return f"{self.base}/errors"
