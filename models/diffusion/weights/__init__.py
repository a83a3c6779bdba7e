"""What may be loaded from disk, and how it is read: safetensors and JSON only, never code.

folder -> folders (inspected) -> hashing -> reading (a network of it); lora: the tensors of a LoRA.
Owns the rules of what a folder may hold. Must never read a pickle or run a model's own code.
"""
