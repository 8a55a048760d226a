"""`parley` as a person types it: to its end, at a terminal, or interrupted in the middle."""
import os
import pty
import re
import select
import signal
import subprocess
import time

from parley import BUILD, PATIENCE, ROOT


def words(server, args, build=BUILD):
    return [build / "parley", args[0], "--config", str(server.config), *args[1:]]


def command(server, *args, stdin=subprocess.DEVNULL, text=True, cwd=ROOT, build=BUILD):
    """The finished process, with what it wrote; checked for what sanitizers say.  stdin: a file, or the text to give."""
    given = {"input": stdin} if isinstance(stdin, str) else {"stdin": stdin}
    done = subprocess.run(words(server, args, build), capture_output=True, text=text,
                          cwd=cwd, env=server.env, timeout=4 * PATIENCE, **given)
    said = done.stderr if text else done.stderr.decode()
    assert "Sanitizer" not in said and "runtime error:" not in said, said
    if text:  # a busy machine makes sanitized plugins late, which is told and is no test's business
        done.stderr = re.sub(r"^.*held the loop for.*\n", "", said, flags=re.M)
    return done


class Typed:
    """A command that runs while the test looks at it.  terminal: all three streams are one; else pipes."""

    def __init__(self, server, *args, terminal=False):
        self.output = ""
        self.ours = None
        argv = words(server, args)
        if terminal:
            self.ours, theirs = pty.openpty()
            self.process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=server.env,
                                            start_new_session=True)
            os.close(theirs)
        else:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, cwd=ROOT, env=server.env)
            self.ours = os.dup(self.process.stdout.fileno())
            self.process.stdout.close()

    def _more(self, seconds):
        """False: nothing comes any more"""
        if not select.select([self.ours], [], [], seconds)[0]:
            raise AssertionError(f"nothing came for {seconds} s after:\n{self.output}")
        try:
            got = os.read(self.ours, 65536)
        except OSError:  # a terminal whose other side is closed
            got = b""
        self.output += got.decode(errors="replace")
        return bool(got)

    def wait_for(self, pattern):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.output):
            assert self._more(max(end - time.monotonic(), 0.1)), f"no {pattern!r} in:\n{self.output}"
        return self

    def type(self, text):
        os.write(self.ours, text.encode())
        return self

    def interrupt(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self

    def end(self):
        """its exit status; all it wrote is in .output"""
        while self._more(2 * PATIENCE):
            pass
        os.close(self.ours)
        status = self.process.wait(PATIENCE)
        assert "Sanitizer" not in self.output, self.output
        return status
