"""Runs a command so that none of the processes that it starts outlives it, or this one.

What DeepSpeed's launcher starts does not end with it: ranks that are left would go on training in the folder that the next
start trains in.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from types import FrameType

_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_TO_END = 10.0
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """The command's exit status, 128 + its number where a signal has ended it.

    Its processes are a group of their own, to which the terminal sends nothing: what this process is told, to end or to
    pause, they are told. Raises KeyboardInterrupt at SIGINT and SystemExit(128 + its number) at other signals that end.
    """
    told: list[int] = []

    def tell(number: int, frame: FrameType | None) -> None:
        told.append(number)

    # One that is ignored stays so, as SIGHUP under nohup.
    heard = [number for number in (*_ENDS, signal.SIGTSTP) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, tell) for number in heard}
    try:
        with subprocess.Popen(command, env=environment, start_new_session=True) as first:
            guard = _guard(first.pid)
            try:
                while first.poll() is None and not set(told) & set(_ENDS):
                    if signal.SIGTSTP in told:
                        told.remove(signal.SIGTSTP)
                        _pause(first.pid)
                    time.sleep(_SECONDS_BETWEEN_LOOKS)
            finally:
                _end(first)
                guard.communicate(b"ended\n")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if ends := [number for number in told if number in _ENDS]:
        if ends[0] == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + ends[0])
    return first.returncode if first.returncode >= 0 else 128 - first.returncode


def _guard(group: int) -> subprocess.Popen[bytes]:
    """A process that ends the group when this one is gone without a word, as after `kill -9`: then its pipe closes."""
    kill = "kill -s {} -- -{} 2>/dev/null".format
    ends = f"{kill('TERM', group)} && sleep {_SECONDS_TO_END} && {kill('KILL', group)}"
    return subprocess.Popen(["sh", "-c", f"read word || {{ {ends}; }}"], stdin=subprocess.PIPE, start_new_session=True)


def _pause(group: int) -> None:
    """This process with the group, until somebody lets this one go on."""
    os.killpg(group, signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)
    os.killpg(group, signal.SIGCONT)


def _end(first: subprocess.Popen[bytes]) -> None:
    """Ends what is left of the group: with a word first, for that process whose word reaches other nodes."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + _SECONDS_TO_END
        try:
            os.killpg(first.pid, number)
            while time.monotonic() < until:
                first.poll()  # else it would stay in the group when it has ended
                os.killpg(first.pid, 0)
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        except ProcessLookupError:
            return
