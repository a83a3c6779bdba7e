"""Many requests sent as one: accept, expand, read, cancel.

accept -> a batch and its items are written down -> Expander -> each item a generation of low priority -> its end ends
the item, the last one the batch (`gateway.generations.batch_end`). Owns how a batch becomes generations. Must never
decide about one request what `Submit` does not decide for a single call.
"""

from gateway.batches.accept import BatchAccepted, BatchAsk, ItemAsk, Wish
from gateway.batches.fetch import BatchPage, BatchUnknown, BatchView, ItemPage, ItemView
from gateway.batches.files import FileGone, FileUnknown, TooManyFiles
from gateway.batches.use_cases import Batches

__all__ = [
    "BatchAccepted",
    "BatchAsk",
    "BatchPage",
    "BatchUnknown",
    "BatchView",
    "Batches",
    "FileGone",
    "FileUnknown",
    "ItemAsk",
    "ItemPage",
    "ItemView",
    "TooManyFiles",
    "Wish",
]
