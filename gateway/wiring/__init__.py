"""Builds every object of a server and of the command line, and orders start and stop.

settings -> installation -> server. Nobody but this package builds objects that several others share. Must never decide
anything about a request.
"""

from gateway.wiring.access import Access
from gateway.wiring.installation import SEEDS, Installation
from gateway.wiring.server import Server

__all__ = ["SEEDS", "Access", "Installation", "Server"]
