"""What happens inside the engine's child: torch lives here and nowhere else in serving.

child -> painting -> residency -> families -> denoising -> enlarging. Owns the device, its memory and every tensor.
Must never be imported by another package, read the environment, reach the network or run code from a model's folder.
"""
