"""Many requests sent as one: routes, the forms they come in, and how batches are presented.

Owns how tables and lines become items. Must never make a generation itself.
"""
