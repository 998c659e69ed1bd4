"""Pages that may take long, in a child process with a budget of CPU seconds and memory; it is killed where it exceeds them.

The budget is CPU time of the child, counted by the kernel (RLIMIT_CPU), not time on the clock: on a loaded machine the child
waits longer and is given as much. A page within the bounds needs about a second, the budget is thirty times as much, so only
what does not end reaches it, and which pages those are does not depend on the load. A signal of a process's own would come
late, while it is in C code; the kernel's does not. A child that is killed from outside, as the kernel does where memory is
short, says nothing about its page: the task fails, and Spark tries it again. The child is started when a worker meets its
first such page, serves all that follow, and is started anew after a kill. It ends by itself when its worker goes away.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import resource
import signal
import struct
import subprocess
import sys
from typing import IO, Any

from datapipe.config import HtmlConfig
from datapipe.sources import html as pages

_LENGTH = struct.Struct("<Q")
_START = "import sys; sys.path[:] = sys.argv[1:]; from datapipe.sources.page.guard import serve; serve()"


def extract(html: str, config: HtmlConfig) -> pages.Page:
    """The same as `html.extract`, or a verdict where the page exceeds its budget: too_slow, too_much_memory, crashed.

    Raises RuntimeError where the child was killed from outside.
    """
    child = _child()
    try:
        _send(child.stdin, (html, config))
        outcome = _receive(child.stdout)
    except (BrokenPipeError, EOFError):
        code = child.wait()
        _forget()
        if code == -signal.SIGXCPU:
            return pages.refuse("too_slow", config.cpu_seconds, config.cpu_seconds, "CPU seconds; stopped there")
        if code in (-signal.SIGKILL, -signal.SIGTERM):
            raise RuntimeError(
                f"the process that extracts large pages was ended by {signal.Signals(-code).name} from outside, "
                "probably for want of memory; give executors more, or let fewer tasks share one."
            ) from None
        return pages.refuse("crashed", float(code), detail="the process that extracts the page ended")
    if outcome is None:
        stop()  # what has run out of memory once is not to be trusted
        return pages.refuse("too_much_memory", bound=config.max_memory, detail="bytes beyond those of an idle process")
    assert isinstance(outcome, pages.Page)
    return outcome


_running: tuple[int, subprocess.Popen[bytes]] | None = None


def _child() -> subprocess.Popen[bytes]:
    """This process's child; a process that was forked from one with a child starts its own."""
    global _running
    if _running is None or _running[0] != os.getpid():
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        command = [sys.executable, "-c", _START, *(os.path.abspath(path) for path in sys.path)]
        made = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **threads})
        _running = (os.getpid(), made)
    return _running[1]


def _forget() -> None:
    global _running
    if _running is not None:
        for stream in (_running[1].stdin, _running[1].stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
    _running = None


@atexit.register
def stop() -> None:
    """Ends this process's child, if there is one."""
    if _running is not None and _running[0] == os.getpid():
        child = _running[1]
        child.kill()
        child.wait()
        _forget()


def serve() -> None:
    """The child: pages from standard input, outcomes to standard output, until the input ends."""
    from datapipe.sources.page import scores

    given, taken = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the outcomes
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    scores.networks()
    idle = _memory()
    while True:
        try:
            html, config = _receive(given)
        except EOFError:
            return
        _limit(config, idle)
        try:
            outcome: pages.Page | None = pages.extract(html, config)
        except MemoryError:
            outcome = None
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        _send(taken, outcome)


def _limit(config: HtmlConfig, idle: int) -> None:
    """Budgets from here on: the soft limits move with what was used before."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + config.cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_DATA, (idle + config.max_memory, resource.RLIM_INFINITY))


def _memory() -> int:
    """Bytes of data that this process has mapped (Linux's VmData; 1 GB where it is not told)."""
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 1 << 30


def _send(stream: IO[bytes] | None, value: Any) -> None:
    assert stream is not None
    data = pickle.dumps(value)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def _receive(stream: IO[bytes] | None) -> Any:
    assert stream is not None
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    size = _LENGTH.unpack(head)[0]
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)
