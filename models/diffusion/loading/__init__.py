"""Which models are in memory, and how they come there from files.

a caller's model -> residency (queue, room) -> inspected files -> pipelines or whole. Owns what is
loaded and what must go. Must never load what `weights` has not inspected.
"""
