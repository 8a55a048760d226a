"""Mailpit as far as the tests ask it: SMTP on 1025; on 8025 a page and the parts of its API that list and give mails."""
import email
import email.policy
import html
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller

mails = []  # bytes, oldest first


class Keeper:
    async def handle_DATA(self, server, session, envelope):
        mails.append(envelope.original_content)
        return "250 kept"


def summary(number):
    mail = email.message_from_bytes(mails[number], policy=email.policy.default)
    return {"ID": str(number), "Subject": str(mail["Subject"]),
            "To": [{"Name": a.display_name, "Address": a.addr_spec} for a in mail["To"].addresses]}


def page():
    rows = "".join(f"<li><a href=/api/v1/message/{m['ID']}/raw>{html.escape(m['Subject'])}</a>"
                   for m in map(summary, range(len(mails))))
    return f"<!doctype html><title>Mails</title><ul>{rows}</ul>"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parts = self.path.strip("/").split("/")
        if self.path == "/":
            return self.answer("text/html; charset=utf-8", page().encode())
        if self.path == "/api/v1/messages":
            listed = [summary(number) for number in reversed(range(len(mails)))]
            return self.answer("application/json", json.dumps({"messages": listed, "total": len(listed)}).encode())
        if parts[:3] == ["api", "v1", "message"] and parts[4:] == ["raw"]:
            return self.answer("text/plain", mails[int(parts[3])])
        return self.send_error(404)

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


Controller(Keeper(), hostname="0.0.0.0", port=1025).start()
threading.Thread(target=ThreadingHTTPServer(("0.0.0.0", 8025), Handler).serve_forever).start()
