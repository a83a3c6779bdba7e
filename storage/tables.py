"""Every table we keep. A column has the name of the member it holds; migrations bring a database to this shape."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from models import ImageFormat, Quality
from storage.batch import BatchState, ItemState
from storage.columns import Moment, RowNumber, Word, Words
from storage.generation import State

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# The balance is kept beside the ledger and moves with it; the checks hold it to the invariant even against our defects.
accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("plan", Text, nullable=False),
    Column("webhook_secret", Text, nullable=False),
    Column("available", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("granted", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("suspended_at", Moment),
    Column("previous_webhook_secret", Text),
    Column("previous_webhook_secret_until", Moment),
    CheckConstraint("available >= 0 AND held >= 0 AND captured >= 0", name="no_debt"),
    CheckConstraint("available + held + captured = granted", name="balance"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey(accounts.c.id), nullable=False, index=True),
    Column("mode", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("scopes", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    Column("rpm", Integer),
    Column("rpd", Integer),
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("made_by", Text),
    Column("previous_hash", Text),
    Column("previous_until", Moment),
    Column("models", Words),
    Column("styles", Words),
    Column("networks", Words),
    Column("max_open", Integer),
    Column("spend_cap", BigInteger),
    Column("spent", BigInteger, nullable=False, server_default=text("0")),
)

# Append-only. It outlives the generations it speaks of, so nothing ties it to them but their id.
ledger = Table(
    "ledger",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("account_id", Text, ForeignKey(accounts.c.id), nullable=False, index=True),
    Column("generation_id", Text),
    Column("key_id", Text),
    Column("kind", Text, nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    CheckConstraint("credits >= 0", name="credits"),
    Index("uq_ledger_generation_id_kind", "generation_id", "kind", unique=True),
    # A hold ends once: captured or released, never both.
    Index(
        "uq_ledger_generation_id_settled",
        "generation_id",
        unique=True,
        sqlite_where=text("kind IN ('capture', 'release')"),
        postgresql_where=text("kind IN ('capture', 'release')"),
    ),
    sqlite_autoincrement=True,
)

# Append-only, too: who did what to which object.
audit = Table(
    "audit",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("created_at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("account_id", Text, index=True),
    Column("request_id", Text),
    Column("details", JSON, nullable=False),
    sqlite_autoincrement=True,
)

usage = Table(
    "usage",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("uses", BigInteger, nullable=False),
)

generations = Table(
    "generations",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", Text, ForeignKey(accounts.c.id), nullable=False),
    Column("key_id", Text, ForeignKey(keys.c.id), nullable=False),
    Column("livemode", Boolean, nullable=False),
    Column("state", Word(State), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("work", BigInteger, nullable=False, server_default=text("1")),
    Column("picture_count", Integer, nullable=False, server_default=text("1")),
    Column("lease_owner", Text),
    Column("lease_until", Moment),
    Column("price", BigInteger, nullable=False, server_default=text("0")),
    Column("cost", BigInteger, nullable=False),
    Column("credits_used", BigInteger, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("style", Text, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("specs", LargeBinary, nullable=False),
    Column("format", Word(ImageFormat), nullable=False),
    Column("webhook_url", Text),
    Column("prediction_events", Words),
    Column("notices", LargeBinary, nullable=False, server_default=text("'[]'")),
    Column("model", Text, nullable=False),
    Column("revised_prompt", Text, nullable=False),
    Column("negative_prompt_used", Text, nullable=False),
    Column("style_resolved", Text, nullable=False),
    Column("style_reason", Text, nullable=False),
    Column("quality", Word(Quality), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("completed_at", Moment),
    Column("expires_at", Moment),
    Column("render_ms", BigInteger),
    Column("recipes", LargeBinary),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("failures", JSON, nullable=False),
    Column("replay_of", Text),
    Column("metadata", JSON, nullable=False, server_default=text("'{}'")),
    Column("painting_id", Text, nullable=False, server_default=text("''"), index=True),
    Column("is_sharer", Boolean, nullable=False, server_default=text("false")),
    Column("canonical_sha256", Text),
    Column("revision", Text),
    Index(None, "account_id", "canonical_sha256", "state", "number"),
    Column("batch_id", Text),
    Index(None, "state", "priority", "account_id", "number"),
    Index(None, "account_id", "number"),
    Index(None, "expires_at"),
    sqlite_autoincrement=True,
)

pictures = Table(
    "pictures",
    metadata,
    Column("generation_id", Text, ForeignKey(generations.c.id, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("blob_key", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("format", Word(ImageFormat), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("pixel_sha256", Text, nullable=False, index=True),
    Column("delivered_sha256", Text, nullable=False, index=True),
    Column("file_sha256", Text, nullable=False, index=True),
    Column("byte_count", BigInteger, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", Text, ForeignKey(accounts.c.id), nullable=False),
    Column("key_id", Text, ForeignKey(keys.c.id), nullable=False),
    Column("livemode", Boolean, nullable=False),
    Column("state", Word(BatchState), nullable=False, index=True),
    Column("total", Integer, nullable=False),
    Column("webhook_url", Text),
    Column("metadata", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("canceled_at", Moment),
    Column("completed_at", Moment),
    Column("input_file_id", Text),
    Index(None, "account_id", "number"),
    sqlite_autoincrement=True,
)

files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey(accounts.c.id), nullable=False),
    Column("filename", Text, nullable=False),
    Column("byte_count", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "account_id", "created_at"),
)

# An item outlives its generation, which its owner may delete: nothing ties the two but the id.
batch_items = Table(
    "batch_items",
    metadata,
    Column("batch_id", Text, ForeignKey(batches.c.id, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("state", Word(ItemState), nullable=False),
    Column("custom_id", Text),
    Column("body", LargeBinary),
    Column("generation_id", Text, unique=True),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("error_field", Text),
    Index(None, "batch_id", "state", "position"),
)

# Either of the two ids says what the key has made.
idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", Text, ForeignKey(accounts.c.id), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_sha256", Text, nullable=False),
    Column("generation_id", Text, ForeignKey(generations.c.id, ondelete="CASCADE"), index=True),
    Column("batch_id", Text, ForeignKey(batches.c.id, ondelete="CASCADE"), index=True),
    Column("created_at", Moment, nullable=False),
)

# What the content policy flagged or refused. It outlives the generation it speaks of; `judged` is emptied after a while.
decisions = Table(
    "decisions",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("created_at", Moment, nullable=False),
    Column("account_id", Text, ForeignKey(accounts.c.id), nullable=False),
    Column("key_id", Text, nullable=False),
    Column("surface", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("policy", Text, nullable=False),
    Column("policy_hash", Text, nullable=False),
    Column("lexicon_hash", Text, nullable=False),
    Column("views_version", Integer, nullable=False),
    Column("input_sha256", Text, nullable=False),
    Column("judged", LargeBinary),
    Column("generation_id", Text),
    Column("batch_id", Text),
    Index(None, "account_id", "number"),
    Index(None, "action", "number"),
    Index(None, "created_at"),
    sqlite_autoincrement=True,
)
