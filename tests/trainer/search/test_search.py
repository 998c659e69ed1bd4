"""A search from end to end, with a stand-in for training: a few lines that write the log and manifest of a run.

What a real trial leaves is checked in the slow test; here it is which trials are started, and when.
"""

from __future__ import annotations

import fcntl
import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.config import ConfigError
from core.run import Run
from tests.trainer.tokens import write_encoded
from tests.trainer.worlds import tiny
from trainer.config import ScheduleConfig, SearchConfig, TrainConfig
from trainer.config.search import EarlyStop
from trainer.search import trials
from trainer.search.search import check, combinations, search

# Loss falls towards a floor that is lowest at lr = 0.01 and init_std = 0.02; at lr = 0.5 it is no number from step 5 on, and at
# init_std = 0.16 likewise. Like a real run it removes its manifest when it begins, goes on from its newest checkpoint up to the
# step asked for, drops the log's rows after that, saves every 8th step and the last, and keeps one checkpoint.
STAND_IN = """
import json, math, pathlib, re, sys
folder, steps, started = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
with started.open("a") as handle:
    handle.write(f"{folder.name} {steps}\\n")
text = (folder / "trial.yaml").read_text()
lr, std = (float(re.search(rf"^ +{name}: (.*)$", text, re.M).group(1)) for name in ("lr", "init_std"))
floor = 2 + abs(math.log10(lr / 0.01)) + 0.1 * abs(math.log2(std / 0.02))
pretrain = folder / "pretrain"
(pretrain / "checkpoints").mkdir(parents=True, exist_ok=True)
(pretrain / "manifest.json").unlink(missing_ok=True)

def saved():
    return sorted(pretrain.glob("checkpoints/step-*"))

begin = max((int(path.name[5:]) for path in saved() if int(path.name[5:]) <= steps), default=0)
log = pretrain / "log.jsonl"
rows = [row for row in map(json.loads, log.read_text().splitlines() if log.exists() else []) if row["step"] <= begin]
dies = len(sys.argv) > 4 and started.read_text().count("\\n") > int(sys.argv[4])
last = (begin + steps) // 2 if dies else steps
for step in range(begin + 1, last + 1):
    loss = math.nan if (lr == 0.5 or std == 0.16) and step >= 5 else floor + 1 / step
    rows.append({"step": step, "tokens": 128 * step, "loss": loss, "grad_norm": 1.0})
    with (folder / "trained").open("a") as handle:
        handle.write(f"{step}\\n")
    if math.isnan(loss):
        break
    if step % 8 == 0 or step == steps:
        (pretrain / f"checkpoints/step-{step:08d}").mkdir(exist_ok=True)
        for path in saved()[:-1]:
            path.rmdir()
log.write_text("".join(json.dumps(row) + "\\n" for row in rows))
if dies:
    print("error: the machine went away.")
    sys.exit(1)
if rows and math.isnan(rows[-1]["loss"]):
    sys.exit(3)
(pretrain / "manifest.json").write_text(json.dumps({"steps": steps}))
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

    def trained(self, name: str) -> list[int]:
        """The steps that a trial made, in the order in which it made them."""
        return [int(line) for line in (self.run / "search/trials" / name / "trained").read_text().split()]

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
    assert chosen["encode"] == "0.3 of Code"  # the shards that it was made on
    assert chosen["combination"] == table[0]["combination"] and chosen["trial"] == table[0]["name"]
    _, loss, norm = (bench.run / "search/curves.svg").read_text().split('font-weight="bold">')
    assert loss.startswith("loss, nats") and norm.startswith("gradient norm")
    curve = re.compile(r'<path d="M[^"]*" fill="none"')
    # Those that broke at step 5 have windows too; the choice is drawn in red, in both panels.
    assert [len(curve.findall(panel)) for panel in (loss, norm)] == [8, 8]
    assert all('stroke="#dd0000" stroke-width="1.6"' in panel for panel in (loss, norm))


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


def test_a_search_that_was_killed_in_its_last_leg_makes_no_saved_step_again(bench: Bench) -> None:
    whole = bench.search(grid=GRID)
    bench.run.rename(bench.run.with_name("whole"))
    write_encoded(bench.run)
    bench.log.unlink()
    bench.dies_after = 8 + 2
    with pytest.raises(ConfigError, match="the machine went away"):
        bench.search(grid=GRID)
    (died,) = {line.split()[0] for line in bench.started if line.endswith(" 40")}
    assert bench.trained(died) == list(range(1, 31))  # saved at 24: rungs 10 and 20 have no checkpoint any more
    bench.dies_after = None
    assert bench.search(grid=GRID) == whole
    assert bench.trained(died) == [*range(1, 31), *range(25, 41)]
    others = [row["name"] for row in whole["trials"] if row["name"] != died]
    assert all(bench.trained(name) == sorted(set(bench.trained(name))) for name in others)


def test_rungs_may_change_after_a_kill(bench: Bench) -> None:
    bench.dies_after = 2
    with pytest.raises(ConfigError, match="the machine went away"):
        bench.search(grid={"lr": [0.01]})
    bench.dies_after = None
    table = bench.search(grid={"lr": [0.01]}, early_stop=EarlyStop(rungs=[0.55]))["trials"]
    assert [(row["status"], row["step"]) for row in table] == [("finished", 40)]
    assert bench.trained(table[0]["name"]) == [*range(1, 31), *range(25, 41)]  # from 24, though 22 was asked for


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


def test_a_probe_that_breaks_is_made_the_other_way(bench: Bench) -> None:
    rule = EarlyStop(rungs=[])
    found = bench.search(list=[{"init_std": 0.08}], probe=2.0, early_stop=rule)
    stds = {row["combination"]["init_std"]: row["status"] for row in found["trials"]}
    assert stds == {0.08: "finished", 0.16: "broke", 0.04: "finished"}
    sensitive = {row["name"]: row for row in found["sensitivity"]}
    assert sensitive["init_std"]["pairs"] == 1 and sensitive["init_std"]["change"] == pytest.approx(0.1)
    assert len(found["trials"]) == 1 + 7 + 1  # the others' probes are made once


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


def test_a_value_of_zero_is_refused_before_anything_is_trained(bench: Bench) -> None:
    config = bench.config(40, grid={"lr": [0.02]})
    none = replace(config.pretrain.schedule, minimum=0.0)
    with pytest.raises(ConfigError, match=r"search: pretrain\.schedule\.minimum must be more than 0"):
        search(replace(config, pretrain=replace(config.pretrain, schedule=none)))
    assert not bench.started


def test_wrong_names_and_values_are_refused() -> None:
    with pytest.raises(ConfigError, match="'depth' is none of the seven"):
        SearchConfig(grid={"depth": [1.0]})
    with pytest.raises(ConfigError, match=r"grid\.lr = \[\] has no values"):
        SearchConfig(grid={"lr": []})
    with pytest.raises(ConfigError, match="positive number"):
        SearchConfig(list=[{"lr": 0.0}])
    with pytest.raises(ConfigError, match="rising shares"):
        EarlyStop(rungs=[0.5, 0.25])


def test_a_search_without_one_that_ends_well_says_so_and_shows_what_they_did(bench: Bench) -> None:
    bench.search(grid={"lr": [0.01]})
    with pytest.raises(ConfigError, match=r"none of 1 trials ran to its end in a stable way.*table\.json"):
        bench.search(grid={"lr": [0.5]})
    (row,) = json.loads((bench.run / "search/table.json").read_text())["trials"]
    assert (row["status"], row["step"], row["score"]) == ("broke", 5, None)
    assert "gradient norm" in (bench.run / "search/curves.svg").read_text()
    assert not (bench.run / "search/chosen.json").exists()  # an older search's choice is not this one's


def test_a_log_of_some_steps_only_is_not_asked_for(bench: Bench) -> None:
    config = bench.config(40, grid={"lr": [0.01]})
    config = replace(config, pretrain=replace(config.pretrain, log_every=10))
    assert search(config)[0].split()[-5:] == ["rate", "trend", "norm", "spread", "score"]
    (trial_yaml,) = bench.run.glob("search/trials/*/trial.yaml")
    assert yaml.safe_load(trial_yaml.read_text())["pretrain"]["log_every"] == 1
    with pytest.raises(ConfigError, match=r"window = 0\.3"):
        SearchConfig(window=0.3)


def scheduled(bench: Bench, **schedule: Any) -> TrainConfig:
    config = bench.config(40, grid={"lr": [0.01]})
    return replace(config, pretrain=replace(config.pretrain, schedule=ScheduleConfig(**schedule)))


def test_rungs_within_the_warm_up_are_refused(bench: Bench) -> None:
    with pytest.raises(ConfigError, match=r"first compared at step 10 of 40, within pretrain\.schedule\.warmup = 11 steps"):
        search(scheduled(bench, warmup=11))
    tokens = 10 * 8 * 16  # 10 steps of 8 sequences of 16 tokens
    assert check(scheduled(bench, unit="tokens", warmup=tokens)) == []
    with pytest.raises(ConfigError, match="shorten the warm-up"):
        check(scheduled(bench, unit="tokens", warmup=tokens + 1))


def test_a_schedule_that_hardly_falls_is_said_to_leave_min_lr_unjudged(bench: Bench) -> None:
    assert check(scheduled(bench, length=40)) == check(scheduled(bench, kind="linear", length=60)) == []
    assert "falls to 0.99" in search(scheduled(bench, length=4000))[-2]
    assert "falls to 1 of its peak only, so what is said of min_lr is noise" in check(scheduled(bench, kind="constant"))[0]
