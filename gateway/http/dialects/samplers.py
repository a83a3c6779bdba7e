"""Our samplers under the names that A1111's web UI gave them, which half of the field uses."""

from collections.abc import Mapping

from models import RequestInvalid, Sampler

LABELS: Mapping[Sampler, str] = {
    Sampler.EULER: "Euler",
    Sampler.EULER_A: "Euler a",
    Sampler.DDIM: "DDIM",
    Sampler.DPMPP_2M: "DPM++ 2M",
    Sampler.DPMPP_2M_KARRAS: "DPM++ 2M Karras",
    Sampler.DPMPP_SDE: "DPM++ SDE",
    Sampler.UNIPC: "UniPC",
    Sampler.LCM: "LCM",
    Sampler.TCD: "TCD",
    Sampler.HEUN: "Heun",
}

KARRAS = "karras"
SPACED = {Sampler.DPMPP_2M: Sampler.DPMPP_2M_KARRAS}
"""What becomes of a sampler when noise levels are spaced after Karras et al.; of the others there is no such form here."""


def read_sampler(name: str, *, scheduler: str | None) -> Sampler:
    """A label of theirs or a name of ours, and the spacing of noise levels that they call scheduler.

    Raises:
        RequestInvalid: no such sampler.
    """
    wanted = name.strip().lower()
    found = next((sampler for sampler, label in LABELS.items() if wanted in (label.lower(), sampler.value)), None)
    if found is None:
        raise RequestInvalid(
            f"No sampler is called {name!r}; there are {', '.join(LABELS.values())}.", field="sampler_name"
        )
    return SPACED.get(found, found) if (scheduler or "").lower() == KARRAS else found
