"""Where a picture meets the network: what it begins with, a step of its sampler, a pass that
several share.

canvas -> denoising (rows out, prediction in) -> passes. Owns everything that belongs to one picture
between two passes. Must never wait for anything.
"""
