"""What we keep: accounts, keys, credits, generations, pictures, batches, decisions of the
content policy, the outbox of webhooks.

Database.writing() -> a transaction that use cases pass to functions of the nouns' modules -> committed together. Owns
every state change and every balance. Must never decide what to paint or whether a caller may, nor make up a time or an id.
"""

from storage.accounts import Account, Balance
from storage.audit import AuditEntry
from storage.batch import Batch, BatchItem, BatchState, Counts, ItemState
from storage.blobs import Blobs
from storage.database import Connection, Database, Transaction
from storage.decisions import DecisionFilters, DecisionRow
from storage.deliveries import Attempt, Delivery, DueDelivery, Target
from storage.endpoints import Endpoint
from storage.errors import BlobDamaged, BlobGone, BlobUnavailable, CreditsShort, StoreUnavailable
from storage.events import Event
from storage.filters import Filters
from storage.generation import LESS_URGENT_EVERY, Candidate, Completion, Generation, Picture, Priority, State, afresh
from storage.idempotency import Remembered
from storage.keys import ApiKey
from storage.ledger import Entry
from storage.webhook_tables import EndpointState

__all__ = [
    "LESS_URGENT_EVERY",
    "Account",
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "Balance",
    "Batch",
    "BatchItem",
    "BatchState",
    "BlobDamaged",
    "BlobGone",
    "BlobUnavailable",
    "Blobs",
    "Candidate",
    "Completion",
    "Connection",
    "Counts",
    "CreditsShort",
    "Database",
    "DecisionFilters",
    "DecisionRow",
    "Delivery",
    "DueDelivery",
    "Endpoint",
    "EndpointState",
    "Entry",
    "Event",
    "Filters",
    "Generation",
    "ItemState",
    "Picture",
    "Priority",
    "Remembered",
    "State",
    "StoreUnavailable",
    "Target",
    "Transaction",
    "afresh",
]
