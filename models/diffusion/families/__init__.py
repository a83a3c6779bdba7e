"""How each family of models encodes a prompt, predicts noise and decodes latents, over diffusers' components.

spec -> prepare -> predict, many times -> decode. Must never keep anything of one picture.
"""
