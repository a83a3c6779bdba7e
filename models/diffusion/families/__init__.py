"""How each family of models puts texts, network and autoencoder together, over diffusers'
components.

spec -> prepare -> predict, many times -> decode. Must never keep anything of one picture.
"""
