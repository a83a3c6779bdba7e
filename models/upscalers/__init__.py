"""Networks that enlarge pictures, in the key layouts in which upscalers are published; needs
torch."""
