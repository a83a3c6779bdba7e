"""What callers see of generations: rows, progress, estimates, addresses, variants, provenance.

Reads, and changes nothing but its own memory of progress and of how long paintings take.
"""
