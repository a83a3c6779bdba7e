"""What stands around every call: the envelope, errors in the contract's form, counting, cross-origin rules.

Owns the numbers of HTTP (statuses, titles, limits of bodies) and the headers every answer carries. Must never know a
route, a body's members, or a use case.
"""
