"""Which models are in memory, and how they come there from files.

A caller's model -> residency, as the queue decides -> inspected files -> components -> pipelines, or
whole. Owns what is loaded and what must go. Must never load what `weights` has not inspected.
"""
