"""Other servers, measured if they are installed.  Each says how to install it, and whether it stores what it shows."""
import os
import shutil
from pathlib import Path

from .servers import Measured

FILES = Path(__file__).resolve().parent / "peers"


class Other(Measured):
    install = ""

    def config(self, name, **values):
        """a file of lab/peers with its @WORDS@ filled in; where it lies now"""
        text = (FILES / name).read_text()
        for key, value in {"PORT": self.port, "DIR": self.folder.name, **values}.items():
            text = text.replace(f"@{key}@", str(value))
        path = Path(self.folder.name) / name
        path.write_text(text)
        return path


class Nchan(Other):
    name, needs, install = "nchan", "nginx", "apt install libnginx-mod-nchan nginx"

    @classmethod
    def module(cls):
        """beside the program, wherever that is installed"""
        return Path(shutil.which("nginx")).resolve().parents[1] / "lib" / "nginx" / "modules" / "ngx_nchan_module.so"

    @classmethod
    def is_here(cls):
        return super().is_here() and cls.module().exists()

    def run(self):
        self.spawn("nginx", "-c", self.config("nchan.conf", MODULE=self.module()))


class NodeWs(Other):
    name, needs, install = "ws (Node)", "node", "apt install node-ws"
    PATH = os.environ.get("NODE_PATH", "/usr/share/nodejs")

    @classmethod
    def is_here(cls):
        return super().is_here() and (Path(cls.PATH) / "ws").exists()

    def run(self):
        self.spawn("node", FILES / "rooms.js", self.port, NODE_PATH=self.PATH)


ALL = [Nchan, NodeWs]
