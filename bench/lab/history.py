"""A database as Parley has it, made behind the server's back: its tables, and many messages, as a chat has them after years."""
import contextlib
import sqlite3
import time

from .machine import ROOT

CONTENT = "A message of usual length, about a hundred and thirty bytes, as people write them when they have something to tell each other...."


def schema(dialect):
    """the scripts that make the tables of messages and of what belongs to them"""
    scripts = [path for plugin in ("accounts", "chat", "search") for path in sorted((ROOT / "sql" / dialect / plugin).glob("[0-9]*.sql"))]
    return [path for path in scripts if not path.name.endswith(".down.sql")]


def add_messages(path, room_uid, user_uid, n):
    """n messages in that room, into a database that no server has open"""
    now = int(time.time() * 1e6)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        user, username = db.execute("SELECT id, username FROM users WHERE uid = ?", (user_uid,)).fetchone()
        room, first = db.execute("SELECT id, last_seq FROM rooms WHERE uid = ?", (room_uid,)).fetchone()
        base = db.execute("SELECT COALESCE(MAX(id), 0) FROM messages").fetchone()[0]

        numbers = f"WITH RECURSIVE t(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM t WHERE i < {n}) "
        with db:
            db.execute(numbers + "INSERT INTO messages (id, uid, room_id, seq, sender_id, sender_uid, sender_username,"
                       " sender_first_name, sender_last_name, content, created_at)"
                       f" SELECT {base} + i, printf('00000000-0000-7000-8000-%012d', {base} + i), ?, {first} + i, ?, ?, ?, 'First', 'Last', ?, ? + i FROM t",
                       (room, user, user_uid, username, CONTENT, now - n))
            db.execute(numbers + "INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)"
                       f" SELECT ?, {first} + i, 1, {base} + i, ?, ? + i FROM t", (room, user, now - n))
            db.execute("UPDATE rooms SET last_seq = last_seq + ?, message_count = message_count + ? WHERE id = ?", (n, n, room))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
