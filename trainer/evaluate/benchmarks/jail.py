"""Runs one program from stdin behind bars: started by `code.py` as a script of its own, with nothing but the standard library.

usage: jail.py SECONDS MEGABYTES STATUS-WHERE-REFUSED

Order matters: namespaces first (user, network, mounts, processes), then the file system read-only, then a child, which is
the first of its process space, gives up what is left and runs the program. The parent waits and ends it at the time limit.
"""

import ctypes
import os
import random
import resource
import signal
import sys

_USER, _NET, _MOUNT, _PROCESS, _IPC = 0x10000000, 0x40000000, 0x00020000, 0x20000000, 0x08000000
_PRIVATE, _RECURSIVE = 1 << 18, 1 << 14  # MS_PRIVATE, MS_REC
_AT_RECURSIVE, _READ_ONLY = 0x8000, 1  # of mount_setattr
_MOUNT_SETATTR = 442  # the same number on all architectures
_NO_NEW_RIGHTS = 38  # PR_SET_NO_NEW_PRIVS


def _enclose() -> None:
    """Leaves network, mounts, processes and users behind. Raises OSError where the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)

    def must(result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    user, group = os.getuid(), os.getgid()
    must(libc.unshare(_USER | _NET | _MOUNT | _PROCESS | _IPC))
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"65534 {user} 1")
    _write("/proc/self/gid_map", f"65534 {group} 1")
    must(libc.mount(None, b"/", None, _PRIVATE | _RECURSIVE, None))
    attributes = (ctypes.c_uint64 * 4)(_READ_ONLY, 0, 0, 0)
    must(libc.syscall(_MOUNT_SETATTR, -100, b"/", _AT_RECURSIVE, ctypes.byref(attributes), 32))
    must(libc.prctl(_NO_NEW_RIGHTS, 1, 0, 0, 0))


def _write(path: str, text: str) -> None:
    with open(path, "w") as handle:
        handle.write(text)


def _limit(seconds: float, megabytes: int) -> None:
    whole = max(1, round(seconds + 0.5))
    size = megabytes << 20
    for what, most in (
        (resource.RLIMIT_CPU, whole),
        (resource.RLIMIT_AS, size),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_NPROC, 16),
    ):
        resource.setrlimit(what, (most, most))


def main() -> int:
    seconds, megabytes, refused = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    program = sys.stdin.buffer.read().decode("utf-8", "replace")
    try:
        _enclose()
    except OSError:
        return refused
    well = random.randrange(2, 90)  # so that a program which leaves by os._exit(0) has not passed
    child = os.fork()
    if child == 0:
        _limit(seconds, megabytes)
        status = 1
        try:
            exec(compile(program, "program", "exec"), {"__name__": "program"})
            status = well
        finally:
            os._exit(status)  # no handler of the program's own runs after it

    def end(*_: object) -> None:
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status = os.waitpid(child, 0)
    return 0 if os.WIFEXITED(status) and os.WEXITSTATUS(status) == well else 1


if __name__ == "__main__":
    sys.exit(main())
