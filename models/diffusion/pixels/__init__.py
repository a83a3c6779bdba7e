"""Pictures as pixels: files that were sent, what of them is seen and kept, and the way to the
delivered size.

inputs (files) -> framing (which part, how large) -> levels (as tensors); a drawn picture -> keeping
-> enlarging, by upscaling's network or a filter -> rows in a file. Owns all resampling. Must never
see a latent.
"""
