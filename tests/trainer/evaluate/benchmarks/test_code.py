"""pass@k, and that the sandbox holds what it is given."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from trainer.evaluate.benchmarks.code import ends_well, pass_at_k, run_program
from trainer.evaluate.benchmarks.config import CodeConfig

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


def test_it_sees_no_network_but_its_own_silent_one() -> None:
    assert run_program("import socket; assert [n for _, n in socket.if_nameindex()] == ['lo']", LIMITS) == 0


def test_it_cannot_take_more_memory_or_time_than_it_was_given() -> None:
    limits = CodeConfig(run=True, seconds=0.5, megabytes=256)
    assert run_program("x = bytearray(400 << 20)", limits) != 0
    assert run_program("while True: pass", limits) != 0
    child = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\nos.wait()"
    assert run_program(child, limits) != 0
