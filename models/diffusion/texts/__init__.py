"""From a prompt to what the network reads of it.

prompt -> weighting (the syntax) -> clip | t5, with inversions -> conditioning.
Owns how words are weighed and cut into chunks. Must never depend on which family reads.
"""
