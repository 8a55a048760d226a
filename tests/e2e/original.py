"""Databases of the original app's kind, made by Django (django_app/) on the tests' PostgreSQL."""
import json
import os
import subprocess
from pathlib import Path

import postgres
from parley import PATIENCE

APP = Path(__file__).parent / "django_app"
PASSWORD = "securepassword123"


class Original:
    """what: what is in it, as django_app/fill.py tells it"""

    def __init__(self, ids="uuid", messages=1000):
        server = postgres.shared()
        self.url = server.database()
        self.name = self.url.rsplit("/", 1)[1]
        env = {**os.environ, "DATABASE": self.name, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "parley",
               "PGPASSWORD": postgres.PASSWORD, "IDS": ids, "MESSAGES": str(messages), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(["/usr/bin/python3", str(APP / "fill.py")], env=env, capture_output=True, text=True, timeout=4 * PATIENCE)
        assert done.returncode == 0, done.stderr
        self.what = json.loads(done.stdout)

    def query(self, sql):
        return postgres.shared().query(sql, self.name)

    def user(self, name):
        return next(user for user in self.what["users"] if user["username"] == name)
