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

# What diffusers, and the models on Replicate, call them.
OTHER_NAMES: Mapping[str, Sampler] = {
    "eulerdiscretescheduler": Sampler.EULER,
    "k_euler": Sampler.EULER,
    "eulerancestraldiscretescheduler": Sampler.EULER_A,
    "k_euler_ancestral": Sampler.EULER_A,
    "ddimscheduler": Sampler.DDIM,
    "dpmsolvermultistepscheduler": Sampler.DPMPP_2M,
    "dpmsolvermultistep": Sampler.DPMPP_2M,
    "karrasdpm": Sampler.DPMPP_2M_KARRAS,
    "unipcmultistepscheduler": Sampler.UNIPC,
    "lcmscheduler": Sampler.LCM,
    "tcdscheduler": Sampler.TCD,
    "heundiscretescheduler": Sampler.HEUN,
    "heundiscrete": Sampler.HEUN,
}

KARRAS = "karras"
OWN_SPACINGS = frozenset({"", "automatic"})
SPACED = {Sampler.DPMPP_2M: Sampler.DPMPP_2M_KARRAS}
"""What becomes of a sampler when noise levels are spaced after Karras et al.; of the others there is no such form here."""


def read_sampler(name: str, *, field: str) -> Sampler:
    """A label of theirs, a name of ours, or what other programs call it; `field` is the caller's own member.

    Raises:
        RequestInvalid: no such sampler.
    """
    wanted = name.strip().lower()
    found = next((sampler for sampler, label in LABELS.items() if wanted in (label.lower(), sampler.value)), None)
    found = found or OTHER_NAMES.get(wanted)
    if found is None:
        raise RequestInvalid(f"No sampler is called {name!r}; there are {', '.join(LABELS.values())}.", field=field)
    return found


def spaced(sampler: Sampler, spacing: str) -> Sampler:
    """The sampler with noise levels spaced as that web UI calls it: `automatic` is the sampler's own way.

    Raises:
        RequestInvalid: there is no such form of it.
    """
    wanted = spacing.strip().lower()
    if wanted in OWN_SPACINGS:
        return sampler
    if wanted == KARRAS and sampler in {*SPACED, *SPACED.values()}:
        return SPACED.get(sampler, sampler)
    labels = ", ".join(LABELS[one] for one in SPACED)
    raise RequestInvalid(
        f"{LABELS[sampler]} has no noise levels that are spaced as {spacing!r}; `Automatic` is its own way, and `Karras`"
        f" is there for {labels}.",
        field="scheduler",
    )
