"""The tables, in one dialect-neutral description; `migrations` builds them, a test checks that both agree."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"},
)

events = Table(
    "events",
    metadata,
    # INTEGER PRIMARY KEY is SQLite's own row number: no second index to write.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("call_id", Text),
    Column("agent", Text),
    Column("queue", Text),
    Column("data", JSON().with_variant(JSONB, "postgresql"), nullable=False),
)
"""Append-only: triggers refuse UPDATE and DELETE on both databases."""

_HAS_CALL = text("call_id IS NOT NULL")
OPENS_CALL = text("kind IN ('call.arrived', 'call.recovered')")

Index("ix_events_call_id", events.c.call_id, postgresql_where=_HAS_CALL, sqlite_where=_HAS_CALL)
Index("ix_events_opening_at", events.c.at, postgresql_where=OPENS_CALL, sqlite_where=OPENS_CALL)

calls = Table(
    "calls",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("arrived_at", Double, nullable=False),
    Column("origin", Text, nullable=False),
    Column("caller_number", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("dialled", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("flow_version", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("answered_at", Double),
    Column("queue", Text),
    Column("queued_at", Double),
    Column("offers", Integer, nullable=False),
    Column("agent", Text),
    Column("talk_started_at", Double),
    Column("talk_ended_at", Double),
    Column("ended_at", Double, nullable=False),
    Column("wait_s", Double, nullable=False),
    Column("talk_s", Double, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("ended_by", Text, nullable=False),
    Column("cause", Integer, nullable=False),
    Column("recovered", Boolean, nullable=False),
    Column("disposition", Text, nullable=False, server_default=""),
)
"""The columns are the fields of `records.CallRecord`, by name and order."""

Index("ix_calls_ended_at", calls.c.ended_at, calls.c.call_id)

agent_states = Table(
    "agent_states",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Double, nullable=False),
)

routing_log = Table(
    "routing_log",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("call_id", Text),
    Column("body", Text, nullable=False),
    Column("offers", Text, nullable=False),
    Column("digest", Text, nullable=False),
)
"""All that the engine was told (`acd.replay.Entry`). Lines are never changed; old ones go. JSON as text, to the letter:
a digest is taken of it."""

_BEGINS = text("kind = 'Began'")

Index("ix_routing_log_call_id", routing_log.c.call_id, postgresql_where=_HAS_CALL, sqlite_where=_HAS_CALL)
Index("ix_routing_log_begins", routing_log.c.number, postgresql_where=_BEGINS, sqlite_where=_BEGINS)

routing_states = Table(
    "routing_states",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("body", Text, nullable=False),
)
"""The engine's state after a line, worked out by a replay (`acd.replay.State`): where another replay can begin."""

recordings = Table(
    "recordings",
    metadata,
    Column("recording", Text, primary_key=True),
    Column("call_id", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("seconds", Double, nullable=False),
    Column("silences", JSON().with_variant(JSONB, "postgresql"), nullable=False),
    Column("path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""The columns are the fields of `recording.Recording`, by name and order."""

Index("ix_recordings_started_at", recordings.c.started_at, recordings.c.recording)
Index("ix_recordings_call_id", recordings.c.call_id)

callback_requests = Table(
    "callback_requests",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("call_id", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("requested_at", Double, nullable=False),
    Column("joined_at", Double, nullable=False),
    Column("data", JSON().with_variant(JSONB, "postgresql"), nullable=False),
    Column("state", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("changed_at", Double, nullable=False),
)
"""The columns are the fields of `callback.Callback`, by name."""

_PENDING = text("state IN ('open', 'claimed')")

Index(
    "ix_callback_requests_pending_number",
    callback_requests.c.number,
    unique=True,
    postgresql_where=_PENDING,
    sqlite_where=_PENDING,
)
Index(
    "ix_callback_requests_joined_at",
    callback_requests.c.joined_at,
    postgresql_where=_PENDING,
    sqlite_where=_PENDING,
)

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("box", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("file", Text, nullable=False),
)
"""The columns are the fields of `message.Message`, by name and order."""

Index("ix_messages_at", messages.c.at, messages.c.id)
Index("ix_messages_box_state", messages.c.box, messages.c.state)

dialplan_versions = Table(
    "dialplan_versions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("made_at", Double, nullable=False),
    Column("author", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("published_at", Double),
    Column("follows", Integer),
    Column("share", Double, nullable=False),
    Column("numbers", JSON().with_variant(JSONB, "postgresql"), nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""The columns are the fields of `dialplan_versions.Version`, by name and order; `content` stands last, so that a list
is read without it."""

switches = Table(
    "switches",
    metadata,
    Column("name", Text, primary_key=True),
    Column("on", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("changed_at", Double, nullable=False),
)
"""The columns are the fields of `switches.Switch`, by name and order."""

customers = Table(
    "customers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("tags", JSON().with_variant(JSONB, "postgresql"), nullable=False),
)

customer_numbers = Table(
    "customer_numbers",
    metadata,
    Column("number", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
)
"""E.164. A number belongs to one customer."""

Index("ix_customer_numbers_customer_id", customer_numbers.c.customer_id)

survey_answers = Table(
    "survey_answers",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("survey", Text, primary_key=True),
    Column("question", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("score", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("agent", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("node", Text, nullable=False),
)
"""The columns are the fields of `survey.Answer`, by name and order."""

Index("ix_survey_answers_at", survey_answers.c.at)
