"""The body that asks Replicate for a prediction, and what it asks for in ours."""

from typing import Literal

from pydantic import Field

from gateway.generations.painting.notifying import COMPLETED, START
from gateway.http.dialects.model_names import ModelNames
from gateway.http.dialects.openai.orders import read_quality
from gateway.http.reading.lenient import LenientBody
from models import GenerationRequest, ImageFormat, ModelUnknown

OWNER = "local"

WebhookEvent = Literal["start", "output", "logs", "completed"]


class PredictionInput(LenientBody):
    """What most text-to-image models there take, and ours."""

    prompt: str
    negative_prompt: str | None = None
    width: int | None = None
    height: int | None = None
    num_outputs: int | None = None
    seed: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    output_format: Literal["png", "jpg", "jpeg", "webp"] | None = None
    style: str | None = None
    quality: str | None = None
    upscale: bool | None = None

    def request(self, model: str | None) -> GenerationRequest:
        """Raises RequestInvalid: a value breaks its rule."""
        format = "jpeg" if self.output_format == "jpg" else self.output_format
        return GenerationRequest(
            prompt=self.prompt,
            style=self.style or "auto",
            model=model,
            negative_prompt=self.negative_prompt or "",
            width=self.width,
            height=self.height,
            n=1 if self.num_outputs is None else self.num_outputs,
            seed=self.seed,
            num_inference_steps=self.num_inference_steps,
            guidance_scale=self.guidance_scale,
            quality=read_quality(self.quality),
            upscale=bool(self.upscale),
            format=ImageFormat(format or ImageFormat.PNG),
        )


class PredictionBody(LenientBody):
    """`webhook` hears of the start and the end, as far as the filter names them; without one, of the end."""

    input: PredictionInput
    version: str | None = None
    webhook: str | None = None
    webhook_events_filter: list[WebhookEvent] = Field(default_factory=list[WebhookEvent])

    @property
    def events(self) -> frozenset[str]:
        """The pictures come all at a time, with the end, so `output` is that; `logs` are in every body, and no event."""
        wanted = set(self.webhook_events_filter or ["completed"])
        ending = {COMPLETED} if wanted & {"output", "completed"} else set[str]()
        return frozenset(ending | wanted & {START})

    def ignored(self) -> list[str]:
        logs = ["webhook_events_filter.logs"] if "logs" in self.webhook_events_filter else []
        return [*self.strangers(), *(f"input.{name}" for name in self.input.strangers()), *logs]


def read_version(version: str, names: ModelNames) -> str | None:
    """A model by its name, with or without `local/` before and a version's hash behind it.

    Raises:
        ModelUnknown: another owner's, or none that we have.
    """
    owner, slash, name = version.rpartition("/")
    if slash and owner != OWNER:
        raise ModelUnknown(f"No model is called {version!r}; those here belong to `{OWNER}`.")
    return names.meant(name.partition(":")[0])
