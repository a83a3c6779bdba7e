"""Who may share a pass of the network without changing anybody's picture.

A group's first pass -> canary: arrangements tried at each size -> classes: which sizes are used ->
calibrations, kept on disk; attempts: a pass that fails is tried in smaller ones. Owns the classes of
batch sizes. Must never let a time decide which bits come out.
"""
