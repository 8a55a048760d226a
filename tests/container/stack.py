"""A compose file of the project, brought up as its readers do it: a clean clone, `.env`, one command."""
import email
import email.policy
import os

import requests

from engine import clone
from parley import PATIENCE, Server, free_port, wait_until


class Stack(Server):
    """One project of containers; a Server for the people of the end-to-end tests, whose mails lie in the mail container."""

    def __init__(self, engine, folder, file, settings, more_files=()):
        self.engine, self.folder = engine, folder
        self.project = f"parley{os.getpid()}{file.removeprefix('docker-compose').removesuffix('.yml').replace('.', '')}"
        self.files = [file, *more_files]
        clone(folder)
        (folder / ".env").write_text((folder / "env.example").read_text() + "".join(f"{k}={v}\n" for k, v in settings.items()))
        self.port = int(settings.get("PORT", 0))
        self.mail_page = f"http://127.0.0.1:{settings['MAIL_PAGE_PORT']}"
        self.url = f"http://127.0.0.1:{self.port}"

    def compose(self, *args, **more):
        files = [word for file in self.files for word in ("-f", file)]
        return self.engine.run("podman-compose", "-p", self.project, *files, *args, cwd=self.folder, timeout=1800, **more)

    def up(self, *nodes):
        # The image is there; a build by the compose file takes its layers.
        done = self.compose("--podman-build-args=--network=host", "up", "-d", "--build")
        for line in self.engine.podman("ps", "--all", "--filter", f"name={self.project}_", "--format", "{{.Names}} {{.State}}").split("\n"):
            assert " Up " in line, f"{line}\n{done.stderr}"
        for node in nodes:
            self.engine.wait_healthy(self.name(node))
        return self

    def down(self):
        self.compose("down", "-v", check=False)

    def name(self, service):
        return f"{self.project}_{service}_1"

    def inside(self, service, *command, **more):
        return self.engine.run("podman", "exec", self.name(service), *command, **more)

    def logs(self, service):
        done = self.engine.run("podman", "logs", self.name(service), check=False)
        return done.stdout + done.stderr

    def mails(self, to=None):
        listed = requests.get(self.mail_page + "/api/v1/messages", timeout=PATIENCE).json()["messages"]
        found = []
        for one in reversed(listed):
            if to is None or any(a["Address"] == to for a in one["To"]):
                raw = requests.get(f"{self.mail_page}/api/v1/message/{one['ID']}/raw", timeout=PATIENCE).content
                found.append(email.message_from_bytes(raw, policy=email.policy.default))
        return found

    def wait_url(self, path="/readyz"):
        def answers():
            try:
                return requests.get(self.url + path, timeout=5).status_code == 200
            except requests.RequestException:
                return False
        wait_until(f"{self.url}{path}", answers, 120)


def ports(*names):
    return {name: str(free_port()) for name in names}
