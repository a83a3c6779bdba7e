"""A model in memory: what it consists of, where its parts lie, and what is put on it and taken off.

pipeline (ours, in parts) or whole (a pipeline of diffusers); LoRAs, other autoencoders, steadied
layers; its fingerprint. Must never keep anything of one picture, nor open a file that `weights` has
not inspected.
"""
