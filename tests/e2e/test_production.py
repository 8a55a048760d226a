"""config/production.yaml: it is valid, it starts, and what is missing is said in one line with the remedy."""
import os
import re
import subprocess

import pytest
import yaml

import postgres
from parley import BUILD, LIFTED, PATIENCE, ROOT, Server, wait_until
from redis import Redis

PRODUCTION = "config/production.yaml"
GOOD = {
    "DATABASE_URL": "postgresql://parley:hunter2@127.0.0.1:1/parley",
    "REDIS_URL": "redis://parley:hunter2@127.0.0.1:1/0",
    "SITE_URL": "https://chat.example.org",
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
    "EMAIL_HOST": "mail.example.org",
}


def check(config, env, tmp_path):
    env = {k: v for k, v in env.items() if v is not None}
    return subprocess.run([BUILD / "parley", "check", "--config", str(config)], capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE,
                          env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "var"), "LOG_DIR": str(tmp_path / "logs"), **env})


def test_it_is_valid(tmp_path):
    done = check(PRODUCTION, GOOD, tmp_path)
    assert done.returncode == 0 and "good" in done.stdout and not done.stderr, done.stderr


@pytest.mark.parametrize("more", [
    {"DEBUG": "True", "SECRET_KEY": "your-secret-key-here", "DATABASE_URL": "postgresql://chatuser:chatpass@localhost:5433/chatdb",
     "REDIS_URL": "redis://localhost:6379/0", "EMAIL_HOST": "localhost", "EMAIL_PORT": "1025", "EMAIL_USE_TLS": "False",
     "EMAIL_USE_SSL": "False", "SITE_URL": "http://localhost:8000"},
    {"DEBUG": "False", "SECRET_KEY": "your-production-secret-key", "DATABASE_URL": "postgresql://user:pass@host:5432/db",
     "REDIS_URL": "redis://host:6379/0", "ALLOWED_HOSTS": "yourdomain.com,www.yourdomain.com", "EMAIL_HOST": "smtp.your-provider.com",
     "EMAIL_PORT": "587", "EMAIL_USE_TLS": "True", "EMAIL_HOST_USER": "your-email@domain.com", "EMAIL_HOST_PASSWORD": "your-email-password",
     "SITE_URL": "https://yourdomain.com"},
], ids=["development", "production"])
def test_the_variables_of_the_original_are_understood(tmp_path, more):
    done = check(PRODUCTION, more, tmp_path)
    assert done.returncode == 0 and "good" in done.stdout and not done.stderr, done.stderr


def test_no_secret_is_published_as_a_default(tmp_path):
    """the compose file to try: the server makes its own, whoever may reach it"""
    given = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["web"]["environment"]
    assert given["SECRET_KEY"] == "${SECRET_KEY:-}" and given["SECRET_REQUIRED"] == "false"
    assert "\nSECRET_KEY=\n" in (ROOT / "env.example").read_text()
    done = check(PRODUCTION, {**GOOD, "SECRET_KEY": "", "SECRET_REQUIRED": given["SECRET_REQUIRED"]}, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name,value,text", [
    ("DATABASE_URL", None, r"plugins\.postgres\.url: the variable DATABASE_URL is not set; set it"),
    ("DATABASE_URL", "", r"plugins\.postgres\.url: is required, but empty"),
    ("DATABASE_URL", "mysql://x", r"plugins\.postgres\.url: .*postgresql://"),
    ("REDIS_URL", None, r"plugins\.redis\.urls: the variable REDIS_URL is not set; set it"),
    ("REDIS_URL", "", r"plugins\.redis\.urls: no server: set REDIS_URL, as in redis://127\.0\.0\.1:6379/0"),
    ("SITE_URL", None, r"server\.site_url: the variable SITE_URL is not set; set it"),
    ("SECRET_KEY", None, r"server\.secret_key: is required here, but empty; make one with: openssl rand -hex 32"),
    ("SECRET_KEY", "", r"server\.secret_key: is required here, but empty; make one with: openssl rand -hex 32"),
    ("SECRET_KEY", "short", r"server\.secret_key: has 5 bytes, at least 16 are required; make one with: openssl rand -hex 32"),
    ("EMAIL_HOST", None, r"plugins\.mail\.transport: is smtp, but host is not set: set EMAIL_HOST"),
    ("WORKERS", "many", r"server\.workers: many is neither auto nor in 1\.\.256"),
])
def test_what_is_missing_or_wrong_is_one_line(tmp_path, name, value, text):
    done = check(PRODUCTION, {**GOOD, name: value}, tmp_path)
    assert done.returncode == 78 and len(done.stderr.splitlines()) == 1, done.stderr
    assert re.search(rf"^error: config/production\.yaml:\d+: {text}", done.stderr), done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_a_store_that_no_plugin_uses_is_refused(tmp_path, name):
    """in the default configuration, and in this one without the plugin"""
    done = check("config/parley.yaml", {name: GOOD[name]}, tmp_path)
    assert done.returncode == 78 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"error: {name} is set, but no plugin of config/parley.yaml uses it: remove the variable, or use "
                                  "config/production.yaml")
    plugin = {"DATABASE_URL": "postgres", "REDIS_URL": "redis"}[name]
    text, n = re.subn(rf"^  - {plugin}:.*\n(?:      .*\n)+", {"postgres": "  - sqlite\n", "redis": "  - memory\n"}[plugin],
                      (ROOT / PRODUCTION).read_text().replace("${WORKERS:-auto}", "1"), flags=re.M)
    assert n == 1
    file = tmp_path / "other.yaml"
    file.write_text(text)
    done = check(file, GOOD, tmp_path)
    assert done.returncode == 78 and f"{name} is set, but no plugin of {file} uses it" in done.stderr, done.stderr
    assert check(file, {**GOOD, name: None}, tmp_path).returncode == 0


def test_several_workers_with_memory_are_refused(tmp_path):
    file = tmp_path / "parley.yaml"
    file.write_text((ROOT / "config/parley.yaml").read_text().replace("server:\n", "server:\n  workers: 2\n", 1))
    done = check(file, {}, tmp_path)
    assert done.returncode == 78 and len(done.stderr.splitlines()) == 1
    assert "memory" in done.stderr and re.search(r"workers: 1|redis", done.stderr), done.stderr


def test_it_starts_and_people_talk(tmp_path):
    with Redis(tmp_path / "redis") as redis:
        server = Server(tmp_path / "server", config=ROOT / PRODUCTION, db="sqlite", env={
            **LIFTED, "DATABASE_URL": postgres.shared().database(), "REDIS_URL": redis.url, "SECRET_KEY": GOOD["SECRET_KEY"], "WORKERS": "2",
            "MAIL_TRANSPORT": "outbox"})
        with server:
            wait_until("Redis", lambda: len(re.findall(r"is there$", server.text(), re.M)) == 2)
            ada, bob = server.person(), server.person()
            room = ada.room(bob)
            with ada.socket(room) as one, bob.socket(room) as two:
                one.say("hello")
                assert one.message()["content"] == two.message()["content"] == "hello"
            assert not (server.data / "secret").exists() and not list(server.data.glob("*.db"))
