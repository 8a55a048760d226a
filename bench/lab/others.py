"""Other servers, measured if they are installed.  Each says how to install it, and whether it stores what it shows."""
import getpass
import os
import resource
import shutil
from pathlib import Path

from .servers import Measured

FILES = Path(__file__).resolve().parent / "peers"
MODULES = FILES / "node_modules"
NPM = "npm ci --prefix bench/lab/peers --ignore-scripts"


class Other(Measured):
    """fewer: what a scenario asks of this server instead of what it asks of all, None: nothing; and why that is so."""

    install, fewer, why = "", {}, ""

    @classmethod
    def plan(cls, scenario, plan):
        """None: it is left out"""
        instead = cls.fewer.get(scenario, {})
        return instead if instead is None else {**plan, **instead}

    def config(self, name, **values):
        """a file of lab/peers with its @WORDS@ filled in; where it lies now"""
        text = (FILES / name).read_text()
        for key, value in {"PORT": self.port, "DIR": self.folder.name, **values}.items():
            text = text.replace(f"@{key}@", str(value))
        path = Path(self.folder.name) / name
        path.write_text(text)
        return path

    def spawn(self, *command, **env):
        """with as many descriptors as the limits and Parley take for themselves"""
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        super().spawn("prlimit", f"--nofile={most}:{most}", *command, **env)


class Nchan(Other):
    name, needs, install = "nchan", "nginx", "apt install nginx libnginx-mod-nchan"

    @classmethod
    def module(cls):
        """beside the program, wherever that is installed"""
        return Path(shutil.which("nginx")).resolve().parents[1] / "lib" / "nginx" / "modules" / "ngx_nchan_module.so"

    @classmethod
    def is_here(cls):
        return super().is_here() and cls.module().exists()

    def run(self):
        self.spawn("nginx", "-c", self.config("nchan.conf", MODULE=self.module()))


# ---- JavaScript ----
class NodeWs(Other):
    name, needs, install = "ws (Node)", "node", f"apt install nodejs npm; {NPM}"

    @classmethod
    def is_here(cls):
        return super().is_here() and (MODULES / "ws").exists()

    def run(self):
        self.spawn("node", FILES / "ws.js", self.port)


class SocketIo(NodeWs):
    name = "socket.io"

    def run(self):
        self.spawn("node", FILES / "socketio.js", self.port)

    def script(self, rooms, members):
        return [f"room {name}" for name in self.rooms(rooms)] + [
            "path /socket.io/?EIO=4&transport=websocket", "wait 0{", "send 40", "wait 40{",
            'send 42["join","%r"]', 'wait 42["joined"', 'say 42["say","%r","%s"]']


class Bun(Other):
    """uWebSockets itself is in no registry; the runtime Bun has it inside."""

    name, install = "Bun (uWebSockets)", f"apt install npm; {NPM}"

    @classmethod
    def program(cls):
        return next((MODULES / "@oven").glob("bun-linux-*/bin/bun"), None)

    @classmethod
    def is_here(cls):
        return cls.program() is not None

    def run(self):
        self.spawn(self.program(), FILES / "bun.js", self.port)


# ---- MQTT ----
class Mosquitto(Other):
    """over TCP: Debian's cannot listen for WebSockets on 127.0.0.1 alone"""

    name, needs, install = "mosquitto", "mosquitto", "apt install mosquitto"

    def run(self):
        self.spawn("mosquitto", "-c", self.config("mosquitto.conf", USER=getpass.getuser()))

    def rooms(self, n):
        return [f"r{i:07d}" for i in range(n)]  # the length of a topic is part of a packet

    @staticmethod
    def packet(kind, n):
        """the head of a packet of n bytes, as a script writes bytes: the kind, then n in groups of seven bits"""
        head = [kind]
        while n > 127:
            head.append(n & 127 | 128)
            n >>= 7
        return "".join(f"\\x{byte:02x}" for byte in [*head, n])

    def script(self, rooms, members):
        topic = "\\x00\\x08%r"
        return [f"room {name}" for name in self.rooms(rooms)] + [
            "mqtt",
            f"send {self.packet(0x10, 12)}\\x00\\x04MQTT\\x04\\x02\\x00\\x00\\x00\\x00", "wait \\x20\\x02",
            f"send {self.packet(0x82, 13)}\\x00\\x01{topic}\\x00", "wait \\x90\\x03",
            f"say {self.packet(0x30, 10 + self.bytes)}{topic}%s"]


# ---- XMPP ----
class Xmpp(Other):
    path = ""
    fewer = {"fan5000": None, "idle": dict(members=1000), "slow": None}
    why = "a client joins in five round trips, which take milliseconds of CPU time"
    OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>"
    SASL, BIND = "urn:ietf:params:xml:ns:xmpp-sasl", "urn:ietf:params:xml:ns:xmpp-bind"

    def script(self, rooms, members):
        return [f"room {name}" for name in self.rooms(rooms)] + [
            f"path {self.path}", "header Sec-WebSocket-Protocol: xmpp",
            f"send {self.OPEN}", "wait ANONYMOUS", f"send <auth xmlns='{self.SASL}' mechanism='ANONYMOUS'/>", "wait <success",
            f"send {self.OPEN}", f"wait {self.BIND}",
            f"send <iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='{self.BIND}'/></iq>", "wait <jid>",
            "send <presence xmlns='jabber:client' to='%r@conference.localhost/n%i'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
            "wait code='110'",
            "say <message xmlns='jabber:client' to='%r@conference.localhost' type='groupchat'><body>%s</body></message>"]


class Ejabberd(Xmpp):
    """started as ejabberdctl does, but as whoever measures, and with one scheduler for its one CPU"""

    name, needs, path, install = "ejabberd", "erl", "/ws", "apt install ejabberd erlang-p1-sqlite3"
    archive = ""

    @classmethod
    def library(cls):
        return next((path.parents[2] for path in Path("/usr/lib").glob("*/ejabberd-*/ebin/ejabberd.beam")), None)

    @classmethod
    def is_here(cls):
        return super().is_here() and cls.library() is not None

    def run(self):
        folder = self.folder.name
        config = self.config("ejabberd.yml", ARCHIVE=self.archive, MAM="true" if self.archive else "false")
        self.spawn("erl", "-noinput", "+P", 250000, "+S", "1:1", "+SDcpu", "1:1", "+SDio", 1, "-mnesia", "dir", f'"{folder}/mnesia"',
                   "-s", "ejabberd", ERL_LIBS=str(self.library()), HOME=folder, EJABBERD_CONFIG_PATH=str(config),
                   EJABBERD_LOG_PATH=f"{folder}/ejabberd.log", EJABBERD_PID_PATH=f"{folder}/ejabberd.pid")


class EjabberdArchive(Ejabberd):
    name, keeps = "ejabberd, archive", "SQLite"
    archive = "  mod_mam:\n    db_type: sql\n    default: always\n    clear_archive_on_room_destroy: false\n"


class Prosody(Xmpp):
    name, needs, path, install = "prosody", "prosody", "/xmpp-websocket", "apt install prosody"
    archive = ""
    # Of 500 rooms with an archive nothing comes in the first seconds.
    fewer = {**Xmpp.fewer, "idle": dict(members=200), "rooms": dict(rooms=50), **dict.fromkeys(("fan1", "fan1000", "fan1000w4", "lat50k"))}
    why = "with 1000 in a room a client's coming takes tens of milliseconds of CPU time"

    def run(self):
        (Path(self.folder.name) / "data").mkdir()
        self.spawn("prosody", "--config", self.config("prosody.cfg.lua", ARCHIVE=self.archive), "-F")


class ProsodyArchive(Prosody):
    name, keeps, install = "prosody, archive", "SQLite", "apt install prosody lua-dbi-sqlite3"
    archive = '"muc_mam"'

    @classmethod
    def is_here(cls):
        return super().is_here() and any(Path("/usr/lib").glob("*/lua/5.*/dbd/sqlite3.so"))


ALL = [Nchan, NodeWs, SocketIo, Bun, Mosquitto, Ejabberd, EjabberdArchive, Prosody, ProsodyArchive]
