"""One thread a process: what is measured a core must not be spread over all of them by numpy's matrix products."""

from __future__ import annotations

import os
import sys

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def one_core() -> None:
    """Starts this program again with one thread for matrix products, as Spark starts its workers; the libraries read the number
    when they are loaded, and their idle threads wait busily, which counts as CPU time."""
    if any(os.environ.get(name) != "1" for name in _THREADS):
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        sys.stdout.flush()
        os.execv(sys.executable, sys.orig_argv)
