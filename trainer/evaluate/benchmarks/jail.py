"""Runs one program from stdin behind bars: started by `code.py` as a script of its own, with nothing but the standard library.

usage: jail.py SECONDS MEGABYTES STATUS-WHERE-REFUSED

Order matters. The parent enters namespaces of its own (user, network, mounts, processes), hides the folders in which a machine
keeps sockets, devices and people's files, and makes the rest read-only. Its child, the first of its process space, then takes
limits, gives up every capability for good and has the kernel refuse what a program that computes an answer has no use for:
mounts, namespaces, sockets, other processes, opening anything for writing. Only then it runs the program; the parent waits and
ends it at the time limit. No signal of the program reaches the parent, and the child dies with it. Where the kernel refuses any
of this, the program is not run.
"""

import ctypes
import os
import random
import resource
import signal
import struct
import sys

_USER, _NET, _MOUNT, _PROCESS, _IPC = 0x10000000, 0x40000000, 0x00020000, 0x20000000, 0x08000000
_PRIVATE, _RECURSIVE = 1 << 18, 1 << 14  # MS_PRIVATE, MS_REC
_AT_RECURSIVE, _READ_ONLY, _NO_SETUID, _NO_DEVICES = 0x8000, 1, 2, 4  # of mount_setattr
_EMPTY = 1 | 2 | 4 | 8  # MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC
_MOUNT_SETATTR = 442  # the same number on all architectures
_NO_NEW_RIGHTS, _DROP_BOUND, _SECURE_BITS, _AMBIENT, _CLEAR_ALL, _SECCOMP, _FILTER = 38, 24, 28, 47, 4, 22, 2  # of prctl
_DEATH_SIGNAL = 1  # of prctl: what a process is sent when its parent dies
_ALL_LOCKED = 0xEF  # SECBIT_*: root is nobody special, no capability is kept or raised, and nobody can change that
HIDDEN = ("/dev", "/home", "/media", "/mnt", "/proc", "/root", "/run", "/sys", "/tmp", "/var")
"""Shown empty, save one that holds the interpreter."""

# System calls by machine (x86_64, aarch64; None where it has no such one), from the kernel's tables.
_REFUSED = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "swapon": (167, 224), "quotactl": (179, 60), "acct": (163, 89), "reboot": (169, 142),
    "unshare": (272, 97), "setns": (308, 268), "socket": (41, 198), "socketpair": (53, 199),
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "kcmp": (312, 272), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "personality": (135, 92),
    # Memory that RLIMIT_AS does not count, and a way past this filter.
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # Opening for writing: device nodes and pipes take it on a file system that is read-only.
    "openat2": (437, 437), "creat": (85, None), "mknod": (133, None), "mknodat": (259, 33),
}  # fmt: skip
_OPEN, _OPEN_AT, _CLONE, _CLONE3, _PRCTL = (2, None), (257, 56), (56, 220), (435, 435), (157, 167)
_WRITING, _THREAD = 3, 0x00010000  # O_WRONLY | O_RDWR, CLONE_THREAD
_AUDIT = (0xC000003E, 0xC00000B7)
MACHINES = ("x86_64", "aarch64")
"""The machines whose system calls are known here."""


def _must(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _enclose(libc: ctypes.CDLL) -> None:
    """Leaves network, mounts, processes and users behind. Raises OSError where the kernel refuses."""
    user, group = os.getuid(), os.getgid()
    _must(libc.unshare(_USER | _NET | _MOUNT | _PROCESS | _IPC))
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"65534 {user} 1")
    _write("/proc/self/gid_map", f"65534 {group} 1")
    _must(libc.mount(None, b"/", None, _PRIVATE | _RECURSIVE, None))
    needed = [os.path.realpath(path) + "/" for path in (sys.base_prefix, sys.base_exec_prefix, *sys.path)]
    for folder in HIDDEN:
        if os.path.isdir(folder) and not any(path.startswith(os.path.realpath(folder) + "/") for path in needed):
            _must(libc.mount(b"none", folder.encode(), b"tmpfs", _EMPTY, b"size=4k"))
    attributes = (ctypes.c_uint64 * 4)(_READ_ONLY | _NO_SETUID | _NO_DEVICES, 0, 0, 0)
    _must(libc.syscall(_MOUNT_SETATTR, -100, b"/", _AT_RECURSIVE, ctypes.byref(attributes), 32))


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


def _give_up(libc: ctypes.CDLL) -> None:
    """Drops all capabilities for good, then has the kernel filter system calls. Raises OSError where it refuses."""
    last = 0
    while libc.prctl(_DROP_BOUND, last, 0, 0, 0) == 0:  # until there is no capability of that number
        last += 1
    _must(libc.prctl(_SECURE_BITS, _ALL_LOCKED, 0, 0, 0))
    _must(libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0))
    _must(libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()))
    _must(libc.prctl(_NO_NEW_RIGHTS, 1, 0, 0, 0))
    code = program_of(MACHINES.index(os.uname().machine))
    rules = ctypes.create_string_buffer(code, len(code))
    given = struct.pack("@HP", len(code) // 8, ctypes.addressof(rules))  # struct sock_fprog
    _must(libc.prctl(_SECCOMP, _FILTER, ctypes.c_char_p(given), 0, 0))


def program_of(machine: int) -> bytes:
    """The filter as the kernel's BPF, for a machine's place in MACHINES."""
    load, equal, least, any_bit, leave = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, kill, refuse, unknown = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38  # EPERM, ENOSYS
    lines = [(load, 0, 0, 4), (equal, 1, 0, _AUDIT[machine]), (leave, 0, 0, kill), (load, 0, 0, 0)]
    if MACHINES[machine] == "x86_64":  # the calls of its 32-bit form
        lines += [(least, 0, 1, 0x40000000), (leave, 0, 0, refuse)]
    for numbers in _REFUSED.values():
        if (number := numbers[machine]) is not None:
            lines += [(equal, 0, 1, number), (leave, 0, 0, refuse)]
    for numbers, argument, test, value, there, absent in (
        (_OPEN, 1, any_bit, _WRITING, refuse, allow),
        (_OPEN_AT, 2, any_bit, _WRITING, refuse, allow),
        (_CLONE, 0, any_bit, _THREAD, allow, refuse),  # threads, but no processes
        (_PRCTL, 0, equal, _DEATH_SIGNAL, refuse, allow),
    ):
        if (number := numbers[machine]) is not None:
            lines += [(equal, 0, 4, number), (load, 0, 0, 16 + 8 * argument), (test, 0, 1, value)]
            lines += [(leave, 0, 0, there), (leave, 0, 0, absent)]
    # Its arguments are behind a pointer that a filter cannot follow; "unknown" makes the C library take clone instead.
    lines += [(equal, 0, 1, _CLONE3[machine]), (leave, 0, 0, unknown), (leave, 0, 0, allow)]
    return b"".join(struct.pack("=HBBI", code, then, otherwise, value) for code, then, otherwise, value in lines)


def main() -> int:
    seconds, megabytes, refused = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    program = sys.stdin.buffer.read().decode("utf-8", "replace")
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        _enclose(libc)
    except OSError:
        return refused
    well = random.randrange(2, 90)  # so that a program which leaves by os._exit(0) has not passed
    heard, said = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(heard)
            os.setsid()  # or os.kill(0, 9) would end the parent, which has the clock
            _must(libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0))
            _limit(seconds, megabytes)
            _give_up(libc)
            os.write(said, b"1")  # fails where the parent died before that call: nobody else holds the other end
            os.close(said)
            exec(compile(program, "program", "exec"), {"__name__": "program"})
            status = well
        finally:
            os._exit(status)  # no handler of the program's own runs after it

    def end(*_: object) -> None:
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    os.close(said)
    enclosed = os.read(heard, 1) == b"1"  # nothing is said where the child could not be locked in
    _, status = os.waitpid(child, 0)
    if not enclosed:
        return refused
    return 0 if os.WIFEXITED(status) and os.WEXITSTATUS(status) == well else 1


if __name__ == "__main__":
    sys.exit(main())
