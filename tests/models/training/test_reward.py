"""What critics teach: the painter's path, and which answers count."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("skia")

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from models.training.critic import new_critic
from models.training.denoiser import sampler_config
from models.training.judge import GRID, JUDGED, LOCAL, Judge
from models.training.reward import GUIDANCE, POINTS, Painter, misread

WIDTH, SIDE, COUNT = 16, 8, 3


def small_network() -> UNet2DConditionModel:
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=SIDE,
        in_channels=4,
        out_channels=4,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=8,
        norm_num_groups=8,
    )


def test_the_painter_goes_the_way_of_the_sampler() -> None:
    """Painted all the way but one step, its clean latents are those of diffusers' DDIM at that step."""
    network, states, empty = small_network().eval(), torch.randn(COUNT, 77, WIDTH), torch.zeros(1, 77, WIDTH)
    foreseen = Painter(network, empty).foreseen(states, POINTS - 1, torch.Generator().manual_seed(5))

    scheduler: DDIMScheduler = sampler_config()
    scheduler.set_timesteps(POINTS)
    now = torch.randn((COUNT, 4, SIDE, SIDE), generator=torch.Generator().manual_seed(5))
    for time in scheduler.timesteps:
        with torch.no_grad():
            plain, said = (network(now, time, given).sample for given in (empty.expand(COUNT, -1, -1), states))
        step = scheduler.step(plain + GUIDANCE * (said - plain), time, now)
        now, clean = step.prev_sample, step.pred_original_sample
    assert float((foreseen.detach() - clean).abs().max()) < 0.01  # it rounds its stride to whole timesteps


def test_only_the_last_prediction_teaches() -> None:
    network, states = small_network(), torch.randn(COUNT, 77, WIDTH)
    foreseen = Painter(network, torch.zeros(1, 77, WIDTH)).foreseen(states, 2, torch.Generator())
    foreseen.square().mean().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_what_was_not_said_does_not_count() -> None:
    critic = new_critic(4, 32).requires_grad_(requires_grad=False)
    latents = torch.randn(COUNT, 4, 32, 32)
    said = {name: torch.zeros(COUNT, dtype=torch.long) for name in JUDGED}
    other = said | {"land": torch.tensor([-1, 0, 0])}
    assert float(misread(critic, latents, other)) != float(misread(critic, latents, said))
    latents[0] += 1.0
    unsaid = {name: torch.full((COUNT,), -1) for name in JUDGED} | {"land": torch.tensor([-1, 0, 0])}
    before = float(misread(critic, latents, unsaid))
    latents[0] -= 1.0
    assert float(misread(critic, latents, unsaid)) == pytest.approx(before, abs=1e-5)


@pytest.mark.parametrize("side", [16, 32])
def test_critics_read_latents_of_either_size(side: int) -> None:
    scores = new_critic(6, side)(torch.randn(2, 6, side, side))
    assert all(scores[name].shape[-2:] == (GRID, GRID) for name in LOCAL)
    assert isinstance(new_critic(6, side), Judge)
