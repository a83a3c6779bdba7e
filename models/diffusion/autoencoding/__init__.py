"""Between pictures and latents: encode, decode, in tiles where a picture is large, and previews.

Owns how pixels become latents and back. Must never know what the latents are used for.
"""
