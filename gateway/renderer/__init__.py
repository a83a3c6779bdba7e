"""Which pixels does this scene have? Node trees, fonts and pictures in, files out, drawn by processes that can be killed.

port `Raster` -> pool of workers -> the engine, with bounds set by the kernel. Owns those processes. Must never give a worker
a secret, a path or a network, nor a stranger's file that was not written anew.
"""
