"""The numbers of a painting: samplers and their timesteps, starting noise, estimates on the way.

Owns which scheduler of diffusers a sampler's name means. Must never touch a network or a picture.
"""
