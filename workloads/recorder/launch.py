"""Started as a program, with nothing of ours imported: waits until it may begin, becomes the user, and the command.

Arguments: the descriptor to wait at, the one to report a failure to, `UID GID NAME` or `- - -`, and the command.
"""

import ctypes
import os
import signal
import sys
import warnings  # noqa: F401  os.execvp imports it, which the user may not be allowed to read

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Run; only returns to the system."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while it waits: nothing to be said
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and an exec would leave it so
        signal.signal(number, signal.SIG_DFL)
    gate, report = int(sys.argv[1]), int(sys.argv[2])
    uid, gid, name = sys.argv[3:6]
    command = sys.argv[6:]
    if not os.read(gate, 1):
        os._exit(127)
    os.set_inheritable(gate, False)
    os.set_inheritable(report, False)
    try:
        if uid != "-":
            os.initgroups(name, int(gid))
            os.setgid(int(gid))
            os.setuid(int(uid))
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(report, (error.strerror or str(error)).encode())
        os._exit(127)


if __name__ == "__main__":
    main()
