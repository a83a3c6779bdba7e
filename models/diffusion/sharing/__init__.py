"""Who may share a pass of the network without changing anybody's picture.

a group's first pass -> canary (sizes and layers, found by trying) -> calibrations (what was proven,
kept on disk). Owns the classes of batch sizes. Must never let a time decide which bits come out.
"""
