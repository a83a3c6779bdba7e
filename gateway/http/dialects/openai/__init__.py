"""OpenAI's images, edits, files and batches, and together's variation of them.

their body -> our request -> their answer. Must never do what `/v1/generate` cannot.
"""
