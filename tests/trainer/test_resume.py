"""A run that stops and goes on in another layout is the run that never stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from core.config import ConfigError
from tests.trainer import plain, worlds
from tests.trainer.launched import verify_all
from tests.trainer.test_loop import settings, train
from tests.trainer.test_parity import SHARES, STEPS, gap, layout, reference
from tests.trainer.tokens import write_encoded
from trainer import schedule
from trainer.checkpoint import Checkpoint, Writer, consolidate, newest
from trainer.config import ParallelConfig, TrainConfig
from trainer.model.initial import build
from trainer.resume import check_network

CHAIN = [layout(2, 2, 1, sequence=True), layout(1, 2, 2), layout(4, 1, 1), layout(1, 1, 4), layout(2, 1, 2)]


def train_chains(chains: dict[str, list[TrainConfig]]) -> dict[str, dict[str, Any]]:
    """Runs on every rank: for each folder, legs that go on from the checkpoint that the one before left."""
    return {folder: train_chain(folder, legs) for folder, legs in chains.items()}


def train_chain(folder: str, legs: list[TrainConfig]) -> dict[str, Any]:
    from trainer.parallel import states
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    steps_each = STEPS // len(legs)
    history: list[tuple[float, float]] = []
    norms: list[list[tuple[str, float]]] = []
    for config in legs:
        found = newest(folder)
        engine = Engine(config, place(config.parallel, start(config.parallel)), draw=found is None)
        if found is not None:
            assert states.damage(found) is None
            states.restore(engine, found)
        assert states.adam_step(engine) == len(history)
        for step in range(len(history), len(history) + steps_each):
            tokens = worlds.batches(config, step + 1)[step]
            schedule.apply(engine.optimizer.param_groups, SHARES[step])
            rows = engine.rows(len(tokens))
            result = engine.step(Batch(tokens[rows], torch.zeros(len(tokens[rows]), dtype=torch.int64)))
            history.append((result.loss, result.grad_norm))
        states.save(engine, Writer(folder, len(history)), {"step": len(history), "model": config.model})
        norms.append(list(states.norms(engine)))
        engine.deepspeed.destroy()
    return {"history": history, "norms": norms}


def legs(parallels: list[ParallelConfig], **more: Any) -> list[TrainConfig]:
    return [worlds.tiny(parallel, **more) for parallel in parallels]


def test_four_ranks_go_on_in_any_other_layout(tmp_path: Path) -> None:
    chain = legs(CHAIN)
    made = worlds.run(4, train_chains, {str(tmp_path): chain})[str(tmp_path)]
    loss, norm = gap(made["history"], reference(chain[0]))
    assert loss < 1e-5 and norm < 1e-5

    last = Checkpoint.open(tmp_path / f"step-{STEPS:08d}")
    weights = {name: parameter.detach().clone() for name, parameter in build(chain[0].model, 5).named_parameters()}
    plain.train(weights, worlds.batches(chain[0], STEPS), chain[0], SHARES)
    assert sorted(last.names()) == sorted(weights)
    for name, weight in weights.items():
        assert torch.allclose(last.tensor(name), weight, atol=2e-5), name
    inside = torch.cat([w.detach().flatten() for n, w in weights.items() if n.startswith("layers.") and w.ndim == 2])
    assert dict(made["norms"][-1])["matrix-like"] == pytest.approx(float(inside.norm()), rel=1e-5)


def test_tied_matrices_bf16_and_dropout_go_on_as_well(tmp_path: Path) -> None:
    tied = legs([layout(1, 2, 1), layout(2, 1, 1, sequence=True)], tied=True)
    rough = legs([layout(2, 1, 1)] * 2, precision="bf16")
    # In bf16 no layout equals another to 1e-5, but fp32 masters and moments must survive a restart in the same one. So must
    # the draws of dropout, which follow from the step.
    random = legs([layout(1, 2, 1)] * 2, dropout=0.2)
    chains = {str(tmp_path / "tied"): tied}
    for name, stopped in (("rough", rough), ("random", random)):
        chains |= {str(tmp_path / name / "stopped"): stopped, str(tmp_path / name / "through"): stopped[:1]}
    one, *others = (made["history"] for made in worlds.run(2, train_chains, chains).values())
    for history, expected, within in ((one, reference(tied[0]), 1e-5), (*others[:2], 1e-6), (*others[2:], 1e-6)):
        loss, norm = gap(history, expected)
        assert loss < within and norm < within


def carry(folder: str, legs: list[TrainConfig]) -> list[dict[str, Any]]:
    """Runs on every rank: two steps in the first layout, whose checkpoint each layout restores and saves again, untrained."""
    from trainer.parallel import states
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    found = None
    reports = []
    for number, config in enumerate(legs):
        ranks = place(config.parallel, start(config.parallel))
        read, beats = Counted(), list[str]()
        with pytest.MonkeyPatch.context() as patch:
            if found is not None:
                patch.setattr("trainer.model.initial.drawn", None)
            engine = Engine(config, ranks, draw=found is None)
            patch.setattr("trainer.checkpoint.safe_open", read)
            if found is not None:
                states.restore(engine, found, beats.append)
        held = 0
        for name, parameter in engine.named.items():
            fragment = parameter._hp_mapping  # type: ignore[attr-defined]
            if fragment is not None:
                held += 3 * (fragment.lp_fragment_address.numel + 2 * parameter[0].numel())  # part rows at both ends
            if found is not None:
                whole, dim = found.tensor(name), getattr(parameter, "cut", None)
                share = whole if dim is None else whole.chunk(ranks.tensor.size, dim)[ranks.tensor.rank]
                assert torch.equal(parameter, share.to(parameter.dtype)), name
        assert read.elements <= held
        if found is None:
            for tokens in worlds.batches(config, 2):
                engine.step(Batch(tokens[engine.rows(8)], torch.zeros(8 // ranks.data_size, dtype=torch.int64)))
        saving = list[str]()
        writer = Together(f"{folder}/{number}", 2, ranks.data_size * ranks.stages)
        states.save(engine, writer, {"step": 2, "model": config.model}, saving.append)
        found = Checkpoint.open(writer.final)
        reports.append({"files": found.state["files"], "restoring": beats, "saving": saving})
        engine.deepspeed.destroy()
    return reports


class Counted:
    """safe_open that counts the elements which are read."""

    def __init__(self) -> None:
        self.elements = 0

    def __call__(self, *given: Any, **more: Any) -> Counted:
        self.handle = safe_open(*given, **more)
        return self

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def keys(self) -> list[str]:
        return list(self.handle.keys())

    def get_tensor(self, name: str) -> torch.Tensor:
        found: torch.Tensor = self.handle.get_tensor(name)
        self.elements += found.numel()
        return found

    def get_slice(self, name: str) -> Any:
        self.name = name
        return self

    def get_shape(self) -> list[int]:
        return list(self.handle.get_slice(self.name).get_shape())

    def __getitem__(self, place: Any) -> torch.Tensor:
        found: torch.Tensor = self.handle.get_slice(self.name)[place]
        self.elements += found.numel()
        return found


class Together(Writer):
    """Goes on with the first file only when `writers` ranks have begun one each."""

    def __init__(self, folder: str, step: int, writers: int) -> None:
        super().__init__(folder, step)
        self.writers = writers

    def write(self, file: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, Any]:
        begun = Path(f"{self.final}.begun")
        begun.mkdir(exist_ok=True)
        (begun / f"{os.getpid()}").touch()
        limit = time.monotonic() + 20
        while len(os.listdir(begun)) < self.writers:
            assert time.monotonic() < limit, f"{file}: the other ranks wait until this one has written"
            time.sleep(0.01)
        return super().write(file, tensors)


def test_a_checkpoint_goes_through_any_layout_bit_for_bit(tmp_path: Path) -> None:
    """Read by the elements, not by the share; written by all data ranks at once; no first values drawn in vain."""
    chain = [layout(2, 1, 2), layout(1, 1, 4), layout(1, 2, 2), layout(4, 1, 1)]
    reports = worlds.run(4, carry, str(tmp_path), legs(chain))
    assert len(reports) == len(chain) and all(report["files"] == reports[0]["files"] for report in reports)
    # Rank 0 of two stages reads embedding and block, file by file, and both are written in one round.
    staged, alone = reports[2], reports[3]
    assert [line.rpartition("/")[2] for line in staged["restoring"][:2]] == ["embedding.safetensors", "layers.0.safetensors"]
    assert len(staged["restoring"]) == 3
    assert staged["saving"][:-1] == ["step-00000002, writing files 1 to 2 of the 2 of its stage"]
    assert len(alone["saving"]) == 6, "one data rank writes all five files, a beat for each"


def test_bf16_weights_come_back_from_the_masters_bit_for_bit(tmp_path: Path) -> None:
    reports = worlds.run(2, carry, str(tmp_path), legs([layout(1, 1, 2), layout(2, 1, 1), layout(1, 1, 2)], precision="bf16"))
    assert all(report["files"] == reports[0]["files"] for report in reports)


def go_on(begun: TrainConfig, gone_on: TrainConfig) -> list[dict[str, Any]]:
    """Runs on the one rank: to the end; then, with the last two checkpoints damaged, from the one before to step 8."""
    whole = train([begun])
    stage = Path(begun.run) / "pretrain"
    (stage / "manifest.json").unlink()
    for step, damage in ((8, lambda content: content[:-1] + bytes([content[-1] ^ 1])), (12, lambda content: content[:-1])):
        file = stage / f"checkpoints/step-{step:08d}/consolidated/head.safetensors"
        file.write_bytes(damage(file.read_bytes()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.model.initial.drawn", None)
        return [whole, train([gone_on], end_after=8)]


def test_a_resume_draws_no_weights_and_lets_no_damaged_checkpoint_count(tmp_path: Path) -> None:
    """With keep = 1, the one of step 8 stays and not the damaged one of step 12, which is there under another name."""
    write_encoded(tmp_path)
    whole, rest = worlds.run(1, go_on, settings(tmp_path), settings(tmp_path, keep=1))
    assert "step-00000012" in rest["said"][0] and "step-00000008" in rest["said"][0]
    assert whole["read"][0] == list(range(48)) and rest["read"][0] == list(range(16, 32))
    left = sorted(path.name for path in (tmp_path / "pretrain/checkpoints").iterdir())
    assert left == ["step-00000008", "step-00000012.damaged"]
    verify_all(Checkpoint.open(tmp_path / "pretrain/checkpoints/step-00000008"))


def all_damaged(config: TrainConfig) -> list[dict[str, Any]]:
    """Runs on the one rank: to step 8, then with all checkpoints damaged, then with them set aside as an earlier start did."""
    made = [train([config], end_after=8)]
    folder = Path(config.run) / "pretrain/checkpoints"
    for step, damage in ((4, lambda content: content[:-1]), (8, lambda content: content[:-1] + bytes([content[-1] ^ 1]))):
        file = folder / f"step-{step:08d}/consolidated/head.safetensors"
        file.write_bytes(damage(file.read_bytes()))
    made.append(train([config]))
    for step in (4, 8):
        (folder / f"step-{step:08d}").rename(folder / f"step-{step:08d}.damaged")
    return [*made, train([config])]


def test_a_run_whose_checkpoints_are_all_damaged_is_refused_and_loses_nothing(tmp_path: Path) -> None:
    write_encoded(tmp_path)
    begun, refused, again = worlds.run(1, all_damaged, settings(tmp_path))
    log = (tmp_path / "pretrain/log.jsonl").read_text(encoding="utf-8")
    assert len(begun["read"][0]) == 32 and log.count('"loss"') == 8
    assert refused["read"] == again["read"] == [[]], "it would have begun anew, from weights drawn afresh"
    assert "none of the checkpoints there is whole (step-00000004, step-00000008); mend one, or move" in refused["said"][0]
    assert "(step-00000004.damaged, step-00000008.damaged)" in again["said"][0]


def test_an_imported_run_whose_first_checkpoint_is_damaged_is_refused(tmp_path: Path) -> None:
    """What was brought in cannot be made again by training; and a save that was cut short counts for nothing."""
    write_encoded(tmp_path)
    config = settings(tmp_path, steps=1)
    folder = tmp_path / "pretrain/checkpoints"
    Writer(folder, 4).prepare()
    assert worlds.run(1, train, [config], 0)["said"] == ["cut short\n"], "a run killed before its first checkpoint begins"
    weights = {name: weight.detach() for name, weight in build(replace(config.model, vocab=58), 1).named_parameters()}
    path = consolidate(folder, 0, {"model": replace(config.model, vocab=58), "restarts": -1}, weights)
    file = path / "consolidated/layers.0.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    made = worlds.run(1, train, [config])
    assert made["read"] == [[]] and "none of the checkpoints there is whole (step-00000000)" in made["said"][0]
    assert path.exists()


def test_a_first_start_with_another_padding_of_the_vocabulary_is_refused_where_it_changes_the_rows() -> None:
    """58 entries are 64 rows at a multiple of 16 or 32, and 58 at one of 2: those fit no grown or imported weights."""
    model = replace(worlds.tiny(vocab_multiple=16).model, vocab=58)
    found = Checkpoint(Path("step-00000004"), {"model": asdict(model)})
    check_network(found, replace(model, vocab_multiple=32))
    with pytest.raises(ConfigError, match=r"model\.rows \(vocab, padded by vocab_multiple\) = 58, there 64; give the run"):
        check_network(found, replace(model, vocab_multiple=2))
