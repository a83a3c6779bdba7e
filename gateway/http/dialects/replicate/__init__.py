"""Replicate's predictions.

their body -> our request -> their answer. Must never do what `/v1/generate` cannot.
"""
