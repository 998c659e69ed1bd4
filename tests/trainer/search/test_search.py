"""A search from end to end, with a stand-in for training: a few lines that write the log and manifest of a run.

What a real trial leaves is checked in the slow test; here it is which trials are started, and when.
"""

from __future__ import annotations

import fcntl
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.config import ConfigError
from core.run import Run
from tests.trainer.tokens import write_encoded
from tests.trainer.worlds import tiny
from trainer.config import SearchConfig, TrainConfig
from trainer.config.search import EarlyStop
from trainer.search import trials
from trainer.search.search import combinations, search

# Loss falls towards a floor that is lowest at lr = 0.01 and init_std = 0.02; at lr = 0.5 it is no number from step 5 on.
STAND_IN = """
import json, math, pathlib, re, sys
folder, steps, started = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
with started.open("a") as handle:
    handle.write(f"{folder.name} {steps}\\n")
text = (folder / "trial.yaml").read_text()
lr, std = (float(re.search(rf"^ +{name}: (.*)$", text, re.M).group(1)) for name in ("lr", "init_std"))
floor = 2 + abs(math.log10(lr / 0.01)) + 0.1 * abs(math.log2(std / 0.02))
rows = []
for step in range(1, steps + 1):
    loss = math.nan if lr == 0.5 and step >= 5 else floor + 1 / step
    rows.append(json.dumps({"step": step, "tokens": 128 * step, "loss": loss, "grad_norm": 1.0}))
    if math.isnan(loss):
        break
(folder / "pretrain").mkdir(exist_ok=True)
(folder / "pretrain/log.jsonl").write_text("\\n".join(rows) + "\\n")
if len(sys.argv) > 4 and started.read_text().count("\\n") > int(sys.argv[4]):
    print("error: the machine went away.")
    sys.exit(1)
if len(rows) < steps:
    sys.exit(3)
(folder / "pretrain/manifest.json").write_text(json.dumps({"steps": steps}))
"""


class Bench:
    """A run with shards, on which searches are made; `started` lists the trials that were started, and to which step."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run, self.log = folder / "run", folder / "started"
        write_encoded(self.run)
        (folder / "stand_in.py").write_text(STAND_IN, encoding="utf-8")
        self.dies_after: int | None = None

        def command(one: trials.Trial, step: int) -> list[str]:
            last = [] if self.dies_after is None else [str(self.dies_after)]
            return [sys.executable, "-S", "-E", str(folder / "stand_in.py"), str(one.folder), str(step), str(self.log), *last]

        monkeypatch.setattr(trials, "_command", command)

    @property
    def started(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def search(self, steps: int = 40, **settings: Any) -> dict[str, Any]:
        config = self.config(steps, **settings)
        search(config)
        found: dict[str, Any] = json.loads((self.run / "search/table.json").read_text())
        return found

    def config(self, steps: int, **settings: Any) -> TrainConfig:
        config = tiny(steps=steps)
        rule = EarlyStop(rungs=[0.25, 0.5], margin=0.5)
        asked = SearchConfig(**{"early_stop": rule, "probe": 1.0, **settings})
        return replace(config, run=str(self.run), search=asked)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


GRID = {"lr": [0.003, 0.01, 0.1, 0.5], "init_std": [0.02, 0.04]}


def test_what_falls_behind_stops_at_its_rung_and_the_rest_is_ranked(bench: Bench) -> None:
    table = bench.search(grid=GRID)["trials"]
    assert [(row["combination"]["lr"], row["combination"]["init_std"]) for row in table[:2]] == [(0.01, 0.02), (0.01, 0.04)]
    ends = {(row["combination"]["lr"], row["combination"]["init_std"]): (row["status"], row["step"]) for row in table}
    assert ends[0.1, 0.02] == ("stopped", 10) and ends[0.5, 0.02] == ("broke", 5)
    assert ends[0.003, 0.04] == ("stopped", 10) and ends[0.01, 0.04] == ("finished", 40)
    assert len(bench.started) == 8 + 2 + 2  # all to the first rung, two to the second and to the end
    chosen = json.loads((bench.run / "search/chosen.json").read_text())
    assert chosen["combination"] == table[0]["combination"] and chosen["trial"] == table[0]["name"]
    assert (bench.run / "search/curves.svg").read_text().count("<path") > 8


def test_a_search_that_was_killed_ends_as_one_that_was_not(bench: Bench, tmp_path: Path) -> None:
    bench.dies_after = 5
    with pytest.raises(ConfigError, match=r"ended with status 1: the machine went away\. The same command goes on"):
        bench.search(grid=GRID)
    before = len(bench.started)
    bench.dies_after = None
    table = bench.search(grid=GRID)
    assert len(bench.started) == 12 + 1  # the one that died is the only one to be started again for the same step
    repeated = [line for line in set(bench.started) if bench.started.count(line) > 1]
    assert len(repeated) == 1 and before == 6

    bench.log.unlink()
    again = bench.search(grid=GRID)
    assert again == table and not bench.started  # nothing is run a second time


def test_the_ranking_does_not_depend_on_slots_or_on_the_order_asked(bench: Bench) -> None:
    one = bench.search(grid=GRID)
    turned = {name: values[::-1] for name, values in reversed(GRID.items())}
    bench.run.rename(bench.run.with_name("first"))
    write_encoded(bench.run)
    assert bench.search(grid=turned, slots=3) == one


def test_a_trial_once_stopped_stays_stopped_at_its_rung_though_more_of_it_is_known(bench: Bench) -> None:
    bench.search(grid={"lr": [0.01, 0.1]}, early_stop=EarlyStop(rungs=[]))
    table = bench.search(grid={"lr": [0.01, 0.1]})["trials"]
    assert [(row["status"], row["step"]) for row in table] == [("finished", 40), ("stopped", 10)]


def test_each_of_the_seven_is_probed_where_no_pair_says(bench: Bench) -> None:
    found = bench.search(list=[{}, {"init_std": 0.04}], probe=2.0, early_stop=EarlyStop(rungs=[]))
    sensitive = {row["name"]: row for row in found["sensitivity"]}
    assert all(row["pairs"] >= 1 for row in sensitive.values())
    assert len(found["trials"]) == 2 + 6
    assert sensitive["init_std"]["change"] == pytest.approx(0.1)  # its floor is 0.1 log2 of the ratio to 0.02
    assert sensitive["input_mult"]["change"] == pytest.approx(0.0, abs=1e-9)


def test_a_trial_that_a_killed_search_left_running_is_waited_for(bench: Bench) -> None:
    config = bench.config(40, grid={"lr": [0.01]}, early_stop=EarlyStop(rungs=[]))
    (combination,) = combinations(config)
    left = trials.trial(combination.laid_on(config), Run(config.run))
    left.folder.mkdir(parents=True)
    with (left.folder / "lock").open("w") as held, ThreadPoolExecutor(1) as pool:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = pool.submit(search, config)
        time.sleep(0.3)
        assert not waiting.done() and not bench.started
        (left.folder / "pretrain").mkdir()  # it comes to its end, and its process with it
        row = {"loss": 2.0, "grad_norm": 1.0}
        log = "".join(json.dumps({**row, "step": step, "tokens": 128 * step}) + "\n" for step in range(1, 41))
        (left.folder / "pretrain/log.jsonl").write_text(log, encoding="utf-8")
        (left.folder / "pretrain/manifest.json").write_text(json.dumps({"steps": 40}), encoding="utf-8")
        fcntl.flock(held, fcntl.LOCK_UN)
        assert waiting.result(timeout=20) and not bench.started


def test_combinations_are_the_list_then_the_grid_each_once(bench: Bench) -> None:
    config = bench.config(40, list=[{}, {"lr": 0.02}], grid={"lr": [0.02, 0.04], "init_std": [0.05]})
    assert [(one.lr, one.init_std) for one in combinations(config)] == [(3e-3, 0.05), (0.02, 0.05), (0.04, 0.05)]
    with pytest.raises(ConfigError, match="both empty"):
        combinations(bench.config(40))


def test_wrong_names_and_values_are_refused() -> None:
    with pytest.raises(ConfigError, match="'depth' is none of the seven"):
        SearchConfig(grid={"depth": [1.0]})
    with pytest.raises(ConfigError, match=r"grid\.lr = \[\] has no values"):
        SearchConfig(grid={"lr": []})
    with pytest.raises(ConfigError, match="positive number"):
        SearchConfig(list=[{"lr": 0.0}])
    with pytest.raises(ConfigError, match="rising shares"):
        EarlyStop(rungs=[0.5, 0.25])


def test_a_search_without_one_that_ends_well_says_so(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="none of 1 trials ran to its end"):
        bench.search(grid={"lr": [0.5]})
