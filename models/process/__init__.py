"""The engine seen from outside: a child process that paints, and what it is asked and answers.

engine (who waits, who is inside) -> child (start, watch, kill) -> protocol (typed messages over a
socket pair). Owns the life of the child, its deadlines and its restarts. Must never import torch:
children are started by name.
"""
