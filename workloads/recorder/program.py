"""The program that is recorded: started inside the cgroup, as the user who asked for it."""

from __future__ import annotations

import os
import pwd
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workloads.errors import HostError

LAUNCHER = Path(__file__).with_name("launch.py")
LOOK_S = 0.05


@dataclass(frozen=True)
class User:
    """Who the program runs as."""

    uid: int
    gid: int
    name: str
    home: str


def invoking_user(environ: Mapping[str, str] | None = None) -> User | None:
    """The user who called sudo; None when nobody did, or root."""
    environ = os.environ if environ is None else environ
    uid, gid = environ.get("SUDO_UID", ""), environ.get("SUDO_GID", "")
    if os.geteuid() or not (uid.isdigit() and gid.isdigit()) or uid == "0":
        return None
    try:
        entry = pwd.getpwuid(int(uid))
    except KeyError as error:
        raise HostError(f"SUDO_UID is {uid}, but there is no such user; run without it to record as root") from error
    return User(int(uid), int(gid), entry.pw_name, entry.pw_dir)


class Program:
    """A command that waits to begin: `pid` can be put where it belongs before `begin`.

    It has the terminal, the working directory and the environment of the recorder. It dies with the recorder.
    """

    def __init__(self, command: Sequence[str], user: User | None, umask: int = -1) -> None:
        who = [str(user.uid), str(user.gid), user.name] if user else ["-", "-", "-"]
        gate_out, self._gate = os.pipe()
        self._report, report_in = os.pipe()
        environ = dict(os.environ)
        if user:
            environ |= {"HOME": user.home, "USER": user.name, "LOGNAME": user.name}
        words = [sys.executable, "-I", "-S", str(LAUNCHER), str(gate_out), str(report_in), *who, *command]
        self.name = command[0]
        self._process = subprocess.Popen(words, pass_fds=(gate_out, report_in), env=environ, umask=umask)
        os.close(gate_out)
        os.close(report_in)
        self.pid = self._process.pid

    def begin(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Let it run, calling `meanwhile` often until it does. Raises HostError when there is no such command."""
        os.write(self._gate, b"g")
        os.close(self._gate)
        self._gate = -1
        while not select.select([self._report], [], [], LOOK_S)[0]:
            meanwhile()
        problem = os.read(self._report, 4096).decode(errors="replace")
        os.close(self._report)
        self._report = -1
        if problem:
            self._process.wait()
            raise HostError(f"{self.name}: cannot be run ({problem.lower()}); give a command that can")

    def status(self) -> int | None:
        """Its exit status as a shell says it, 128 + the signal's number if one ended it; None while it runs."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def end(self, patience_s: float = 5.0) -> None:
        """Ask it to end, and wait a while; whoever owns the cgroup kills what is left."""
        for fd in (self._gate, self._report):
            if fd >= 0:
                os.close(fd)
        self._gate = self._report = -1
        if self._process.poll() is None:
            with suppress(PermissionError):  # it has become somebody else, as sudo does
                self._process.send_signal(signal.SIGTERM)
                self._process.send_signal(signal.SIGCONT)
            end = time.monotonic() + patience_s
            while self._process.poll() is None and time.monotonic() < end:
                time.sleep(0.01)

    def reap(self) -> None:
        """Kill it, wherever it has gone to, and wait for it; if it is somebody else now, it stays."""
        with suppress(PermissionError):
            self._process.kill()
            self._process.wait()
