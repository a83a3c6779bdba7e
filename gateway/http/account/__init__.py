"""What callers keep themselves: their account, their ledger, their keys.

Owns those bodies. A key made here may do at most what the key that asks may do.
"""
