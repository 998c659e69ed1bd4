"""pass@k, and that the sandbox holds what it is given."""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.config import ConfigError
from trainer.evaluate.benchmarks.code import _JAIL, REFUSED, check_sandbox, ends_well, pass_at_k, run_program
from trainer.evaluate.benchmarks.config import CodeConfig
from trainer.evaluate.benchmarks.jail import MACHINES, program_of

LIMITS = CodeConfig(run=True, seconds=2.0, megabytes=256)


def test_pass_at_k_is_the_share_of_draws_with_a_program_that_passes() -> None:
    for samples, passed, k in itertools.product(range(1, 7), range(7), range(1, 7)):
        if passed <= samples and k <= samples:
            draws = list(itertools.combinations([place < passed for place in range(samples)], k))
            assert pass_at_k(samples, passed, k) == pytest.approx(sum(map(any, draws)) / len(draws))
    with pytest.raises(ValueError, match="pass@3 of 2"):
        pass_at_k(2, 1, 3)


def test_a_program_that_ends_well_and_some_that_do_not() -> None:
    good = "from typing import List\nimport math\nassert math.gcd(4, 6) == 2\n"
    assert ends_well([good, "assert False", "x = ", "import os; os._exit(0)", "raise SystemExit(0)"], LIMITS) == [
        True, False, False, False, False,
    ]  # fmt: skip


def test_it_has_no_network_and_no_way_to_write(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("here")
    attacks = [
        "import socket; socket.create_connection(('127.0.0.1', 80), 1)",
        f"import os; os.remove({str(kept)!r})",
        f"open({str(tmp_path / 'new.txt')!r}, 'w')",
        "import os; os.mkdir('/tmp/made-by-a-program')",
        "import os; assert os.environ.get('PATH')",
        "import os; os.kill(os.getppid() or 999999, 9)",
    ]
    assert ends_well(attacks, LIMITS) == [False] * len(attacks)
    assert kept.read_text() == "here" and list(tmp_path.iterdir()) == [kept]


KERNEL = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
CALLS = [
    ("mount", "libc.mount(b'none', b'/usr', b'tmpfs', 0, None)"),
    ("remount", "libc.mount(None, b'/', None, 32 | 4096, None)"),  # MS_REMOUNT | MS_BIND: no longer read-only
    ("mount_setattr", "libc.syscall(442, -100, b'/', 0x8000, (ctypes.c_uint64 * 4)(0, 1, 0, 0), 32)"),
    ("a user space of its own", "libc.unshare(0x10000000)"),
    ("the parent's spaces", "libc.setns(0, 0)"),
    ("AF_UNIX", "libc.socket(1, 1, 0)"),
    ("a pair", "libc.socketpair(1, 1, 0, (ctypes.c_int * 2)())"),
    ("fork", "libc.fork()"),
    ("memory that no limit counts", "libc.memfd_create(b'x', 0)"),
    ("shared memory", "libc.shmget(0, 1 << 20, 0o1600)"),
    ("another program", "libc.execv(b'/bin/true', (ctypes.c_char_p * 2)(b'true', None))"),
    ("io_uring", "libc.syscall(425, 1, (ctypes.c_uint32 * 30)())"),
    ("ptrace", "libc.ptrace(0, 0, 0, 0)"),
]  # fmt: skip


@pytest.mark.parametrize("call", [call for _, call in CALLS], ids=[name for name, _ in CALLS])
def test_the_kernel_refuses_what_an_answer_has_no_use_for(call: str) -> None:
    assert run_program(f"{KERNEL}assert {call} == -1 and ctypes.get_errno() == 1, ctypes.get_errno()", LIMITS) == 0


def test_it_has_no_capability_and_can_get_none() -> None:
    program = f"""{KERNEL}
header, held = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[1] * 6)
assert libc.capget(header, held) == 0 and list(held) == [0] * 6
assert all(libc.prctl(23, number, 0, 0, 0) == 0 for number in range(40))  # the bounding set
assert libc.prctl(39, 0, 0, 0, 0) == 1 and libc.prctl(27, 0, 0, 0, 0) == 0xEF  # no new rights; bits locked
held[0] = 1 << 21
assert libc.capset(header, held) == -1
"""
    assert run_program(program, LIMITS) == 0


def test_it_sees_no_other_process_no_device_and_nobodys_files(tmp_path: Path) -> None:
    program = f"""
import os
for folder in ("/dev", "/home", "/proc", "/run", "/tmp"):
    assert not os.path.isdir(folder) or os.listdir(folder) == [], folder
assert not os.path.exists({str(tmp_path)!r})
"""
    assert run_program(program, LIMITS) == 0


def shown() -> Path:
    """A folder of this machine that programs see and tests may write to."""
    seen = (
        path for path in (Path(__file__).parent, Path(sys.base_prefix), Path("/opt"), Path("/srv")) if os.access(path, os.W_OK)
    )
    return next(path for path in seen if run_program(f"import os; os.stat({str(path)!r})", LIMITS) == 0)


def test_nothing_is_opened_for_writing_wherever_it_is(tmp_path: Path) -> None:
    """A pipe can be written to on a file system that is read-only: who reads it may be anybody."""
    with tempfile.TemporaryDirectory(dir=shown()) as folder:
        os.mkfifo(pipe := f"{folder}/pipe")
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        try:
            assert run_program(f"import os; os.open({pipe!r}, os.O_WRONLY | os.O_NONBLOCK)", LIMITS) != 0
            assert run_program(f"import os; os.open({pipe!r}, os.O_RDONLY | os.O_NONBLOCK)", LIMITS) == 0
        finally:
            os.close(reader)


def test_what_answers_import_and_threads_still_work() -> None:
    program = """
import collections, copy, functools, hashlib, heapq, itertools, json, math, random, re, string, threading
from typing import Any, List
found = []
thread = threading.Thread(target=lambda: found.append(hashlib.md5(b"a").hexdigest()))
thread.start(); thread.join()
assert found and 0 <= random.random() < 1
"""
    assert run_program(program, LIMITS) == 0


def test_a_program_cannot_claim_that_there_was_no_sandbox() -> None:
    assert run_program("import os; os._exit(97)", LIMITS) == 1


def test_another_kind_of_machine_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    check_sandbox(LIMITS)
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="riscv64"))
    with pytest.raises(ConfigError, match="on x86_64 and aarch64 only, this machine is riscv64"):
        check_sandbox(LIMITS)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_filter_says_what_becomes_of_each_call(machine: str) -> None:
    """The filter run by hand, as the kernel would on either machine."""
    place = MACHINES.index(machine)
    code: list[tuple[int, int, int, int]] = [
        struct.unpack_from("=HBBI", program_of(place), 8 * line) for line in range(len(program_of(place)) // 8)
    ]

    def verdict(number: int, *arguments: int, audit: int | None = None) -> int:
        words = {0: number, 4: (0xC000003E, 0xC00000B7)[place] if audit is None else audit}
        words |= {16 + 8 * n: value for n, value in enumerate(arguments)}
        line = held = 0
        while True:
            what, then, otherwise, value = code[line]
            if what == 0x06:
                return value
            if what == 0x20:
                held = words[value]
                line += 1
                continue
            met = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[what]
            line += 1 + (then if met else otherwise)

    refused, allowed, unknown, killed = 0x00050001, 0x7FFF0000, 0x00050000 | 38, 0x80000000
    openat, clone, mount, socket, read = {"x86_64": (257, 56, 165, 41, 0), "aarch64": (56, 220, 40, 198, 63)}[machine]
    assert verdict(mount) == verdict(socket) == refused and verdict(read) == allowed
    assert verdict(openat, 0, 0, 0) == allowed and verdict(openat, 0, 0, 1) == verdict(openat, 0, 0, 2) == refused
    assert verdict(clone, 0x00010F00) == allowed and verdict(clone, 17) == refused and verdict(435) == unknown
    prctl = {"x86_64": 157, "aarch64": 167}[machine]
    assert verdict(prctl, 1) == refused and verdict(prctl, 15) == allowed  # the parent's death stays deadly; names may be given
    assert verdict(read, audit=0x40000003) == killed  # a 32-bit program's calls have other numbers


def test_it_cannot_take_more_memory_or_time_than_it_was_given() -> None:
    limits = CodeConfig(run=True, seconds=0.5, megabytes=256)
    assert run_program("x = bytearray(400 << 20)", limits) != 0
    assert run_program("while True: pass", limits) != 0
    sleeps = "import time; time.sleep(60)"
    assert run_program(sleeps, limits) != 0


def inmates(seconds: float) -> list[int]:
    """Living processes of the jail with this very limit, which its command line names."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if str(_JAIL).encode() in words and str(seconds).encode() in words:
                found.append(int(path.parent.name))
    return found


@contextlib.contextmanager
def nobody_left(about: float) -> Iterator[float]:
    """A limit that no other jail has; fails where soon after the body a process is left of it, and ends that."""
    seconds = about + os.getpid() / 1e8
    yield seconds
    patience = time.monotonic() + 5
    while inmates(seconds) and time.monotonic() < patience:
        time.sleep(0.02)
    left = inmates(seconds)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, 9)
    assert not left


@pytest.mark.parametrize("target", [0, -1])
def test_a_program_that_kills_all_it_can_reach_does_not_outlive_its_limit(target: int) -> None:
    program = f"""
import os, time
try:
    os.kill({target}, 9)
except OSError:
    pass
time.sleep(60)
"""
    with nobody_left(1.0) as seconds:
        assert run_program(program, CodeConfig(run=True, seconds=seconds)) != 0


def test_a_program_dies_with_the_process_that_has_its_clock() -> None:
    """However that one ends, and though the program would not be told of it."""
    with tempfile.TemporaryDirectory(dir=shown()) as folder, nobody_left(60.0) as seconds:
        os.mkfifo(pipe := f"{folder}/pipe")
        program = f"{KERNEL}import time\nlibc.prctl(1, 0, 0, 0, 0)\nopen({pipe!r}).close()\ntime.sleep(60)"
        command = [sys.executable, "-I", "-S", str(_JAIL), str(seconds), "256", str(REFUSED)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as parent:
            assert parent.stdin is not None
            parent.stdin.write(program.encode())
            parent.stdin.close()
            os.close(os.open(pipe, os.O_WRONLY))  # waits until the program reads
            assert len(inmates(seconds)) == 2
            parent.kill()
