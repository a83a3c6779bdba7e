"""How large bodies of forms may be."""

MULTIPART = "multipart/form-data"
MAX_FORM_BYTES = 60_000_000
MAX_FILE_BYTES = 20_000_000
