"""What happens inside the engine's child: torch lives here and nowhere else in serving.

child -> engine loop -> painting | sharing -> steps -> loading -> resident -> weights | families ->
texts | autoencoding -> schedule | pixels; imports go down this line only. Owns the device, its
memory and every tensor. Must never be imported by another package, read the environment, reach the
network or run code from a model's folder.
"""
