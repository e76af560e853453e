"""A key-value store under load: redis-server is filled, then few keys are read and written often.

Run `python redis.py [KEYS]`.
"""

import json
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH = 200
SETTINGS = ["--port", "0", "--save", "", "--appendonly", "no", "--hz", "10", "--logfile", "/dev/null"]
SYLLABLES = ["ka", "lo", "mi", "ren", "tus", "vel", "dor", "an", "pi", "sha", "gur", "eth", "ol", "ni", "bra", "quo"]


def session(key: int, rng: random.Random) -> bytes:
    """What a web shop keeps of a visitor: text that repeats itself, and a token that does not."""
    cart = [
        {"item": "".join(rng.choices(SYLLABLES, k=4)), "count": rng.randrange(1, 5), "cents": rng.randrange(10000)}
        for _ in range(rng.randrange(1, 12))
    ]
    token, language = f"{rng.getrandbits(64):016x}", rng.choice(["en", "de", "pt"])
    return json.dumps({"id": key, "token": token, "language": language, "cart": cart}).encode()


def thumbnail(rng: random.Random) -> bytes:
    """What does not compress: a picture of 1 to 4 KiB."""
    return rng.randbytes(rng.randrange(1024, 4096))


def value(key: int, rng: random.Random) -> bytes:
    """One key in a hundred holds a picture."""
    return thumbnail(rng) if key % 100 == 0 else session(key, rng)


class Client:
    """Sends commands in batches and reads the replies (the protocol RESP2)."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._replies = self._socket.makefile("rb")

    def call(self, commands: list[list[bytes]]) -> list[bytes]:
        """The replies to some commands, in order."""
        words = []
        for command in commands:
            words.append(b"*%d\r\n" % len(command))
            words += [b"$%d\r\n%s\r\n" % (len(word), word) for word in command]
        self._socket.sendall(b"".join(words))
        return [self._reply() for _ in commands]

    def _reply(self) -> bytes:
        line = self._replies.readline()
        if line[:1] == b"-":
            raise SystemExit(f"redis: {line.decode().strip()}")
        if line[:1] != b"$" or line == b"$-1\r\n":
            return line
        return self._replies.read(int(line[1:]) + 2)[:-2]


def load(client: Client, keys: int, rng: random.Random) -> None:
    """Fill all keys, then as many requests: 3 reads to 1 write, few keys often, some keys deleted."""
    for start in range(0, keys, BATCH):
        client.call([[b"SET", b"visitor:%d" % key, value(key, rng)] for key in range(start, min(start + BATCH, keys))])
    for _ in range(0, keys, BATCH):
        batch = []
        for _ in range(BATCH):
            key = int(keys * rng.random() ** 10)
            name, what = b"visitor:%d" % key, rng.random()
            if what < 0.75:
                batch.append([b"GET", name])
            elif what < 0.97:
                batch.append([b"SET", name, value(key, rng)])
            else:
                batch.append([b"DEL", name])
        client.call(batch)
    print(f"{keys} keys, {client.call([[b'DBSIZE']])[0].decode().strip()} left")


def main() -> None:
    """Start a server of our own, without a port and without files, and stop it at the end."""
    if shutil.which("redis-server") is None:
        raise SystemExit("redis-server is missing; install Redis (package redis-server)")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        server = subprocess.Popen(["redis-server", *SETTINGS, "--unixsocket", str(path), "--dir", folder])
        try:
            while not path.exists():
                time.sleep(0.01)
            load(Client(path), int(sys.argv[1]) if len(sys.argv) > 1 else 900_000, random.Random(1))
        finally:
            server.terminate()
            server.wait()


main()
