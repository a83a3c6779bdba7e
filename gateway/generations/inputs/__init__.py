"""What a painting is made from besides its words: source images, masks, and the request in canonical form.

Owns the blobs under `gen/<id>/from/`, and when two requests are the same.
"""
