"""The OpenAPI document: schemas, headers, examples, as one file that clients are generated from.

Owns how the contract is described. Must never change what a route does.
"""
