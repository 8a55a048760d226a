"""Makes the tables and fills them; prints what is in them, as JSON.  MESSAGES: how many the first room has."""
import json
import os
import sys
from datetime import datetime, timedelta, timezone

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
django.setup()

from django.contrib.auth.hashers import make_password  # noqa: E402
from django.core.management import call_command  # noqa: E402

from accounts.models import User  # noqa: E402
from chat.models import Message, Room  # noqa: E402

START = datetime(2023, 5, 17, 8, 30, 0, 123456, tzinfo=timezone.utc)
PASSWORD = "securepassword123"
PEOPLE = {  # name -> what is not usual
    "ada": {"first_name": "<b>Ada</b>", "last_name": "O'Hara \"x\" & Söhne"},
    "Bob": {"email": "Bob.Builder@Example.org", "is_staff": True, "is_superuser": True},
    "željko_名前": {"first_name": "\u202eevil\u200d", "last_name": "e\u0301 \U0001f600"},
    "dora": {"is_active": False},
    "emil": {"is_verified": False},
    "fay": {"password": make_password(None)},
    "gus": {"password": "md5$salt$0123456789abcdef0123456789abcdef"},
    "hal": {},
}
TEXTS = ["Hello", "<script>alert(1)</script>", "e\u0301\u202e\u200b\U0001f600", "'; DROP TABLE users; --", "  ends in spaces  ", "a\nb\tc"]


def people():
    made = {}
    for i, (name, more) in enumerate(PEOPLE.items()):
        usual = {"email": f"user{i}@example.org", "password": make_password(PASSWORD), "is_verified": True, "first_name": name,
                 "last_name": "Example", "date_joined": START + timedelta(days=i)}
        made[name] = User.objects.create(username=name, **{**usual, **more})
    return made


def room(name, creator, members, days):
    made = Room.objects.create(name=name, creator=creator, created_at=START + timedelta(days=days), updated_at=START + timedelta(days=days + 1))
    made.participants.set(members)
    return made


def talk(where, who, n):
    """Written newest first, several at the same moment: neither the order of the rows nor the time alone is the order of the talk."""
    Message.objects.bulk_create(
        Message(room=where, sender=who[i % len(who)], content=f"{i} {TEXTS[i % len(TEXTS)]}", created_at=START + timedelta(days=20, seconds=i // 3))
        for i in reversed(range(n)))


def main():
    call_command("migrate", "auth", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    who = people()
    ada, bob, hal = who["ada"], who["Bob"], who["hal"]
    first = room("<i>All</i> hands", ada, who.values(), 10)
    talk(first, [ada, bob, who["dora"]], int(os.environ.get("MESSAGES", "1000")))
    second = room("", bob, [ada, bob], 11)
    talk(second, [bob, None], 8)
    room("of a creator who is gone", None, [hal], 12)
    room("of nobody", None, [], 13)
    Message.objects.create(room=second, sender=bob, content="deleted there", created_at=START + timedelta(days=30), is_deleted=True)
    json.dump({
        "users": [{"id": str(u.pk), "username": u.username, "email": u.email, "first_name": u.first_name, "last_name": u.last_name,
                   "password": u.password, "joined": u.date_joined.isoformat()} for u in User.objects.order_by("date_joined")],
        "rooms": [{"id": str(r.pk), "name": r.name, "members": sorted(u.username for u in r.participants.all()),
                   "messages": [[str(m.pk), m.content, m.sender and m.sender.username, m.created_at.isoformat()]
                                for m in r.messages.filter(is_deleted=False).order_by("created_at", "id")]}
                  for r in Room.objects.order_by("created_at")],
    }, sys.stdout)


main()
