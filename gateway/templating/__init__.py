"""What does this template show with these values? A document and values in, a scene out: pure, no files, no network, no engine.

document (JSON of a caller) -> typed members and expressions -> scene (everything evaluated) -> nodes for the engine, or
HTML. Owns the template language. Must never read a file, fetch an address, or let a text of data become an expression.
"""
