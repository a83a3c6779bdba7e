"""The native contract's main routes: generate, list, read, wait, watch, cancel, delete, replay.

body -> use case -> what is shown of a generation. Owns its bodies and how generations are presented. Must never decide
what is painted.
"""
