"""Mails over SMTP, plain: to a server that takes them, and what the configuration refuses."""
import re

import pytest
import requests

from parley import PATIENCE, Server
from smtp import Mailer, register


@pytest.fixture
def mailer():
    with Mailer() as one:
        yield one


def test_register_and_verify(own_server, mailer):
    server = own_server(env={**mailer.env, "EMAIL_FROM": "Gr\u00fc\u00dfe, alle <chat@example.net>"})
    register(server)
    mail, = mailer.wait()
    assert (mail.sender, mail.to) == ("chat@example.net", ["ada@example.org"])
    assert mail.message["Subject"] == "Verify your email address"
    assert mail.message["From"].addresses[0].display_name == "Gr\u00fc\u00dfe, alle"
    assert re.fullmatch(r"<[0-9a-f-]{36}@example\.net>", mail.id)
    answer = requests.post(f"{server.url}/api/auth/verify-email/{mail.token}/", timeout=PATIENCE)
    assert answer.status_code == 200
    assert server.query("SELECT sealed IS NULL, sent_at IS NOT NULL, attempts FROM mail_queue") in ([["1", "1", "1"]], [["t", "t", "1"]])
    # No outbox beside it.
    assert requests.get(server.url + "/outbox/", timeout=PATIENCE).status_code == 404
    assert not (server.data / "outbox").exists()


def test_one_connection_serves_many_mails(own_server, mailer):
    server = own_server(env=mailer.env)
    for i in range(6):
        register(server, f"u{i}")
        mailer.wait(i + 1)
    assert mailer.connections == 1
    server.end()
    assert mailer.seen[-1] == "QUIT"


@pytest.mark.parametrize("env, words", [
    ({"EMAIL_PORT": "25"}, r"port: is set \(EMAIL_PORT\), but host is not"),
    ({"EMAIL_USE_TLS": "True"}, r"use_tls: is set \(EMAIL_USE_TLS\), but host is not"),
    ({"EMAIL_USE_SSL": "True"}, r"use_ssl: is set \(EMAIL_USE_SSL\), but host is not"),
    ({"EMAIL_HOST_USER": "u"}, r"user: is set \(EMAIL_HOST_USER\), but host is not"),
    ({"EMAIL_HOST_PASSWORD": "p"}, r"password: is set \(EMAIL_HOST_PASSWORD\), but host is not"),
    ({"EMAIL_CA_FILE": "/x"}, r"ca_file: is set \(EMAIL_CA_FILE\), but host is not"),
    ({"EMAIL_HOST": "h", "EMAIL_USE_TLS": "True", "EMAIL_USE_SSL": "True"}, "use_ssl: use_tls and use_ssl .* exclude each other"),
    ({"EMAIL_HOST": "h", "EMAIL_HOST_USER": "u"}, "user: is set without a password"),
    ({"EMAIL_HOST": "h", "EMAIL_HOST_PASSWORD": "sesame"}, "password: is set without a user"),
    ({"EMAIL_HOST": "h", "EMAIL_CA_FILE": "/x"}, "ca_file: is of no use without"),
    ({"EMAIL_HOST": "h", "EMAIL_USE_TLS": "1"}, "use_tls: \"1\""),
    ({"EMAIL_HOST": "h", "EMAIL_USE_TLS": "True", "EMAIL_CA_FILE": "/nonexistent"}, "ca_file: cannot be read"),
    ({"EMAIL_HOST": "smtp://h"}, "host: must be a name or an address alone"),
    ({"EMAIL_HOST": "h:25"}, "host: must be a name or an address alone"),
    ({"EMAIL_HOST": "h", "EMAIL_PORT": "70000"}, "port: 70000 is outside"),
    ({"EMAIL_HOST": "h", "EMAIL_FROM": "nobody"}, "from: must be an address"),
    ({"HOST": "0.0.0.0"}, "transport: the outbox shows live links .* set EMAIL_HOST"),
], ids=lambda v: "-".join(v) if isinstance(v, dict) else "")
def test_refused_configurations(tmp_path, env, words):
    server = Server(tmp_path, env=env).start(ready=False)
    assert server.process.wait(PATIENCE) == 78
    server.wait_line(words)
    assert "sesame" not in server.text()


def test_a_public_listener_may_send(own_server, mailer):
    server = own_server(env={**mailer.env, "HOST": "0.0.0.0"})
    register(server)
    mailer.wait()


def test_the_mail_server_comes_later(own_server):
    away = Mailer()
    server = own_server(env=away.env)
    register(server)
    server.wait_line("WARNING mail mails cannot be delivered, will try again: connecting: .*(refused|Couldn't connect)")
    register(server, "bob")
    with away:
        away.wait(2)
        server.wait_line("INFO mail mails are delivered again")
        assert sorted(m.to[0] for m in away.mails) == ["ada@example.org", "bob@example.org"]
        server.end()
