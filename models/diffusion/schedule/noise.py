"""Where a picture begins: noise that its seed alone decides."""

import torch


def generator_of(seed: int) -> torch.Generator:
    """One generator per picture, on the CPU; a sampler that adds noise draws from the same one."""
    return torch.Generator("cpu").manual_seed(seed)


def starting_latents(shape: tuple[int, int, int], generator: torch.Generator) -> torch.Tensor:
    """Draw one latent of `shape` (channels, height, width).

    It depends on the seed and the shape alone, never on the device or on other pictures: it is
    drawn on the CPU in float32.

    Returns:
        (1, channels, height, width), standard normal, not yet scaled to the sampler's first sigma.
    """
    return torch.randn((1, *shape), generator=generator, dtype=torch.float32)
