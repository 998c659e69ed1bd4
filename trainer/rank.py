"""Runs a rank so that its own error is what is read, and a failure ends the whole run within seconds."""

from __future__ import annotations

import faulthandler
import glob
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable

from core.config import ConfigError

MARKS = "TRAINER_MARKS"
"""The environment's name for how the files begin in which the launchers of other nodes say that their ranks have ended."""
REFUSED = 2
STOPPED = 3
_SECONDS_FOR_THE_FIRST_ERROR = 20.0
_SECONDS_BETWEEN_LOOKS = 5.0
# A launcher looks at its ranks once a second. What a rank other than the first has found is printed when it has outlived two
# looks since: then those before it on this host have not found the same.
_SECONDS_FOR_RANK_0 = 2.0
_SECONDS_FOR_EACH_BEFORE = 1.2
# What the other ranks see when one dies; the launcher ends them, and they need not say it.
_CONSEQUENCES = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Broken pipe",
    "Connection refused",
    "Socket closed",
    "remote process exited",
)


class Stopped(RuntimeError):
    """The run ended itself for a reason that a restart would not mend; the message says why. All ranks raise it."""


class Watchdog:
    """Ends this rank, with a sentence and the place where it waits, when `beat` was not called for `seconds`.

    A rank that hangs makes all others wait in their next collective; those then end, and with them the run. Time-outs of
    process groups do not serve: groups that DeepSpeed makes keep torch's own, half an hour. Time in which the process was
    suspended, as Slurm does for a job that goes first, does not count.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._beats, self._doing = 0, "its first step"
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def beat(self, doing: str) -> None:
        """This rank is alive; `doing` is what it does next."""
        self._beats, self._doing = self._beats + 1, doing

    def end(self) -> None:
        self._ended.set()

    def _watch(self) -> None:
        look = min(5.0, self._seconds / 4)
        waited, beats, before = 0.0, self._beats, time.monotonic()
        while not self._ended.wait(look):
            now = time.monotonic()
            # A look that comes far too late was made by a process that had been suspended.
            waited = waited + min(now - before, 2 * look) if beats == self._beats else 0.0
            beats, before = self._beats, now
            if waited > self._seconds:
                rank = os.environ.get("RANK", "0")
                said = f"error on rank {rank}: {self._doing} has taken {waited:.0f} s, longer than parallel.timeout_minutes: "
                print(said + "some rank hangs or is far slower than the others. This one is here:", file=sys.stderr, flush=True)
                faulthandler.dump_traceback(sys.stderr)
                os._exit(1)


def end_with_other_nodes() -> None:
    """Ends this rank when the launcher of another node says that its ranks have ended otherwise than well."""
    if marks := os.environ.get(MARKS):
        threading.Thread(target=_look_for, args=(marks,), daemon=True).start()


def _look_for(marks: str) -> None:
    while True:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        for path in glob.glob(f"{glob.escape(marks)}*"):
            try:
                with open(path, encoding="utf-8") as mark:
                    status = mark.read()
            except FileNotFoundError:  # the next submission's launchers clear the folder
                continue
            if status != "0":
                if os.environ.get("LOCAL_RANK", "0") == "0":
                    node = path.removeprefix(marks)
                    print(f"the ranks of node {node} have ended with status {status}, so do these", file=sys.stderr, flush=True)
                os._exit(1)


def as_rank(work: Callable[[], None]) -> None:
    """Runs a rank's work and ends the process.

    A rank whose work fails says why and exits at once, without waiting for the others in any clean-up. One that fails
    because another is gone leaves the word to that one. What all ranks find alike, rank 0 says; what others find and it does
    not, the first of them on its host.
    """
    rank = os.environ.get("RANK", "0")
    end_with_other_nodes()
    try:
        work()
    except (ConfigError, Stopped) as error:
        if rank == "0":
            print(f"error: {error}", file=sys.stderr, flush=True)
        else:
            time.sleep(_SECONDS_FOR_RANK_0 + _SECONDS_FOR_EACH_BEFORE * int(os.environ.get("LOCAL_RANK", "0")))
            print(f"error on rank {rank}: {error}", file=sys.stderr, flush=True)
        _leave(REFUSED if isinstance(error, ConfigError) else STOPPED)
    except KeyboardInterrupt:
        _leave(128 + 2)
    except SystemExit:  # --help, or arguments that argparse refused
        raise
    except BaseException as error:
        if any(sign in str(error) for sign in _CONSEQUENCES):
            time.sleep(_SECONDS_FOR_THE_FIRST_ERROR)  # the launcher ends this rank before the time is over
            print(f"rank {rank} lost the other ranks: {error}", file=sys.stderr, flush=True)
        else:
            said = "".join(traceback.format_exception(error))
            print(f"error on rank {rank}: {said}", file=sys.stderr, flush=True)
        _leave(1)


def _leave(status: int) -> None:
    """Ends the process now."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
