"""A private mail server for tests, on 127.0.0.1: aiosmtpd, with whatever is to go wrong; and a CA with certificates."""
import asyncio
import email
import email.policy
import re
import subprocess
import threading
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

import requests

from parley import PATIENCE, ROOT, free_port, wait_until

USER, PASSWORD = "parley@example.org", "p\u00e4ss w\u00f6rd:\"$"


def register(server, name="ada", address=None):
    """somebody who will get a mail; the address"""
    address = address or f"{name}@example.org"
    fields = {"first_name": "F", "last_name": "L", "email": address, "username": name, "password": "correct horse battery",
              "password_confirm": "correct horse battery"}
    answer = requests.post(server.url + "/api/auth/register/", json=fields, timeout=PATIENCE)
    assert answer.status_code == 201, answer.text
    return address


def config_with_mail(**options):
    """config/parley.yaml with these options of the plugin mail beside those of the environment"""
    text = (ROOT / "config" / "parley.yaml").read_text()
    lines = "".join(f"      {name}: {value}\n" for name, value in options.items())
    assert text.count("  - mail:") == 1
    return text.replace("      host: ${EMAIL_HOST:-}", lines + "      host: ${EMAIL_HOST:-}")


class Mail:
    """One mail as it was received."""

    def __init__(self, envelope, peer):
        self.sender, self.to, self.raw = envelope.mail_from, envelope.rcpt_tos, envelope.original_content
        self.peer, self.at = peer, time.monotonic()
        self.message = email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def id(self):
        return self.message["Message-ID"]

    @property
    def text(self):
        return self.message.get_body(("plain",)).get_content()

    @property
    def token(self):
        return re.search(r"^http\S+/api/auth/verify-email/([A-Za-z0-9_-]+)/\s*$", self.text, re.M).group(1)


class Handler:
    def __init__(self, owner):
        self.owner = owner

    async def _step(self, name, server):
        """what a test wants to happen at a command: None, or the answer"""
        self.owner.seen.append(name)
        plan = self.owner.plan.get(name)
        answer = plan.pop(0) if isinstance(plan, list) and plan else None if isinstance(plan, list) else plan
        if answer == "hang":
            await asyncio.sleep(PATIENCE * 4)
        elif answer == "cut":
            server.transport.abort()
        elif isinstance(answer, float):
            await asyncio.sleep(answer)
        else:
            return answer
        return None

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        self.owner.names.append(hostname)
        answer = await self._step("EHLO", server)
        return [answer] if answer else responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        answer = await self._step("MAIL", server)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return answer or "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.owner.refused.get(address) or await self._step("RCPT", server)
        if not answer:
            envelope.rcpt_tos.append(address)
        return answer or "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        self.owner.open += 1
        self.owner.most = max(self.owner.most, self.owner.open)
        try:
            answer = await self._step("DATA", server)
        finally:
            self.owner.open -= 1
        if not answer and not server.transport.is_closing():
            self.owner.mails.append(Mail(envelope, session.peer))
            await self._step("ANSWER", server)
        return answer or "250 2.0.0 taken"


class Talk(SMTP):
    """As aiosmtpd's, but that its greeting, STARTTLS and QUIT can go wrong, too."""

    def __init__(self, *args, owner, **more):
        self.owner, self.has_greeted = owner, False
        super().__init__(*args, **more)

    def connection_made(self, transport):
        super().connection_made(transport)
        self.owner.transports.append(transport)

    async def push(self, status):
        if not self.has_greeted:
            self.has_greeted = True
            self.owner.connections += 1
            status = await self.event_handler._step("GREETING", self) or status
        await super().push(status)

    async def smtp_STARTTLS(self, arg):
        answer = await self.event_handler._step("STARTTLS", self)
        if answer:
            await self.push(answer)
        else:
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg):
        answer = await self.event_handler._step("AUTH", self)
        if answer:
            await self.push(answer)
        else:
            await super().smtp_AUTH(arg)

    async def smtp_QUIT(self, arg):
        await self.event_handler._step("QUIT", self)
        await super().smtp_QUIT(arg)


class Mailer:
    """plan: what happens at GREETING, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, ANSWER (after the text was taken), QUIT:
    an answer of the server, "hang", "cut" (the connection), or seconds to wait; a list is for one time each."""

    def __init__(self, tls=None, starttls=None, auth=False, exclude=(), port=None, **plan):
        self.mails, self.seen, self.names, self.plan, self.refused = [], [], [], plan, {}
        self.logins, self.connections, self.open, self.most = [], 0, 0, 0
        more = {"tls_context": starttls, "require_starttls": bool(starttls)} if starttls else {}
        if auth:
            more |= {"authenticator": self._login, "auth_required": True, "auth_require_tls": False,
                     "auth_exclude_mechanism": exclude}
        self._more = {"enable_SMTPUTF8": True, "owner": self, "ident": "test", **more}
        self.port, self._tls, self.transports = port or free_port(), tls, []

    def start(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        made = self._loop.create_server(lambda: Talk(Handler(self), **self._more), "127.0.0.1", self.port, ssl=self._tls)
        self._server = asyncio.run_coroutine_threadsafe(made, self._loop).result(PATIENCE)
        return self

    def stop(self):
        """the server and its connections end at once"""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def hang_up(self):
        """ends the connections that are open"""
        for transport in self.transports:
            self._loop.call_soon_threadsafe(transport.abort)

    async def _end(self):
        self._server.close()
        for transport in self.transports:
            if not transport.is_closing():
                transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _login(self, server, session, envelope, mechanism, data):
        self.logins.append(mechanism)
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)

    @property
    def env(self):
        return {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self.port)}

    def wait(self, count=1, to=None, seconds=PATIENCE):
        def found():
            mails = [m for m in list(self.mails) if to is None or to in m.to]
            return mails if len(mails) >= count else None

        return wait_until(f"mail {count} to {to or 'anybody'}", found, seconds)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Authority:
    """A CA, and certificates that it vouches for."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.file = self.folder / "ca.crt"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                      "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.crt")

    def _openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.folder, check=True, capture_output=True)

    def context(self, name):
        """an ssl context for a server of that name"""
        import ssl

        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                      "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{name}\n")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                      "-extfile", f"{name}.ext", "-out", f"{name}.crt")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        return context
