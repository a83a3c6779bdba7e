"""What tells people that a picture was made by a machine.

pixels -> marks that the eye sees. Owns how they look. Must never decide whether a picture gets one.
"""

from safety.provenance.visible import Mark, marked, marked_jpeg

__all__ = ["Mark", "marked", "marked_jpeg"]
