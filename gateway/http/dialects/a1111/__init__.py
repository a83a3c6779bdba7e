"""The HTTP interface of A1111's web UI.

their body -> our request -> their answer. Must never do what `/v1/generate` cannot.
"""
