"""Our samplers under the names that A1111's web UI gave them, which half of the field uses."""

from collections.abc import Mapping

from models import Sampler

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
