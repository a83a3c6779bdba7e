"""From a checkpoint in the original (LDM) form to a diffusers folder.

recognized file -> components (configuration, names) -> checked on shapes alone -> weights, one
component at a time -> folder. Owns what a checkpoint does not carry: the families' fixed
configuration (JSON) and CLIP's vocabulary, which is OpenAI's file as open-clip-torch 3.3.0 brings
it, under the licence beside it. Must never read a pickle or the hub.
"""
