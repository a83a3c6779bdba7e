"""From a request to a committed row: decide, price, share, write down, announce; and the same for a replay.

Owns the accepting transaction. Must never paint.
"""
