"""From a call to values: callers, JSON bodies, forms, queries, pages of lists.

Owns how strict each surface is with what it does not know. Must never answer: it returns values or raises.
"""
