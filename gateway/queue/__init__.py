"""How workers hear of new work: announce -> wait -> claim in the database. Owns nothing that could be lost.

Must never decide what runs next: that is the claim query's.
"""

from gateway.queue.embedded import EmbeddedQueue
from gateway.queue.port import GenerationQueue

__all__ = ["EmbeddedQueue", "GenerationQueue"]
