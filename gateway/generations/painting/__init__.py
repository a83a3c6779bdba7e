"""From a claimed row to a settled one: paint, store, settle, notify.

Owns the settling transaction. Must never decide whether a request is accepted.
"""
