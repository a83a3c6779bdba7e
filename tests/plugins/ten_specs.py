"""Ten requests as different as they come: samplers, steps, guidance, sizes, families."""

from plugins.tiny_specs import new_spec, plain_size

from models import Sampler

TEN_SPECS = (
    new_spec(sampler=Sampler.EULER, num_inference_steps=3, seed=1),
    new_spec(sampler=Sampler.EULER_A, num_inference_steps=5, seed=2),
    new_spec(sampler=Sampler.DDIM, num_inference_steps=4, seed=3, guidance_scale=7.0),
    new_spec(sampler=Sampler.DPMPP_2M, num_inference_steps=6, seed=4, prompt="a green house"),
    new_spec(sampler=Sampler.DPMPP_SDE, num_inference_steps=4, seed=5),
    new_spec(sampler=Sampler.UNIPC, num_inference_steps=5, seed=6, negative_prompt=""),
    new_spec(sampler=Sampler.HEUN, num_inference_steps=3, seed=7),
    new_spec(sampler=Sampler.LCM, num_inference_steps=4, seed=8, guidance_scale=1.0),
    new_spec(sampler=Sampler.EULER, num_inference_steps=4, seed=9, size=plain_size(48, 32)),
    new_spec(sampler=Sampler.DPMPP_2M_KARRAS, num_inference_steps=4, seed=10, model="xl"),
)
