"""Webhook endpoints of an account: routes and bodies.

Owns those bodies. Must never send anything itself.
"""
