"""The numbers of a painting: samplers and their timesteps, starting noise, pixels as levels.

Owns which scheduler of diffusers a sampler's name means. Must never touch a network.
"""
