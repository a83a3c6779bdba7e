"""From values to bytes: JSON answers, error answers, event streams, byte ranges, files.

Owns how an answer is written. Must never read a body or call a use case.
"""
