"""What does this picture from a stranger show? Bytes in, plain RGB pixels out, and nothing else of the file.

form of the file (pure) -> Pillow in a process of its own, with bounds -> pixels. Owns those processes. Must never hand a
stranger's bytes to anybody else, nor keep anything.
"""

from gateway.image_decoder.containers import ImageInvalid
from gateway.image_decoder.decoder import DecoderStopped, ImageDecoder, MaskRule, Pixels

__all__ = ["DecoderStopped", "ImageDecoder", "ImageInvalid", "MaskRule", "Pixels"]
