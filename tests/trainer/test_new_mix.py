"""A run that goes on with another mix of data: each domain where it was, and what was read counted truly."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import worlds
from tests.trainer.test_loop import CONTEXT, manifest, settings, train, train_tokens
from tests.trainer.tokens import write_encoded
from trainer.checkpoint import Checkpoint, consolidate
from trainer.config import TrainConfig
from trainer.data import Blend, TokenData
from trainer.log import rows


def new_mix(config: TrainConfig) -> list[dict[str, Any]]:
    """Runs on the one rank: with a third of Code to step 6, then with more of it and another batch, stopped once."""
    made = [train([config], end_after=6)]
    write_encoded(Path(config.run), code=0.8)
    other = replace(config, pretrain=replace(config.pretrain, allow_new_mix=True, batch=6, ramp=[[6, 2]]))
    return [*made, train([other], end_after=9), train([other])]


def test_after_a_new_mix_each_domain_goes_on_where_it_was(tmp_path: Path) -> None:
    write_encoded(tmp_path)
    old = Blend(TokenData.read(str(tmp_path / "encode")), CONTEXT, 1)
    made = worlds.run(1, new_mix, settings(tmp_path))
    assert [part["read"][0] for part in made] == [list(range(24)), list(range(16, 38)), list(range(32, 56))]
    new = Blend(TokenData.read(str(tmp_path / "encode")), CONTEXT, 1)
    # 16 sequences of the first mix (its checkpoint is of step 4), then 40 of the second.
    read = {name: old.read(16)[name] + new.read(56)[name] - new.read(16)[name] for name in new.domains}
    state = Checkpoint.open(tmp_path / "pretrain/checkpoints/step-00000012").state
    assert state["read"] == read != new.read(56) and sum(read.values()) == 56
    for name, epochs in manifest(tmp_path)["epochs"].items():
        assert epochs == pytest.approx(read[name] * CONTEXT / train_tokens(tmp_path, name))
    (mark,) = [row for row in rows(tmp_path / "pretrain/log.jsonl") if row.get("event") == "new_mix"]
    assert mark["message"].startswith("step 4: another mix") and "is not known" not in mark["message"]


def before_it_was_noted(config: TrainConfig) -> list[dict[str, Any]]:
    """Runs on the one rank: a checkpoint of a version that did not note what was read, gone on from; then with a new mix."""
    made = [train([config], end_after=4)]
    path = Path(config.run) / "pretrain/checkpoints/step-00000004"
    state, tensors = dict(Checkpoint.open(path).state), Checkpoint.open(path).weights()
    del state["read"]
    for code in (0.3, 0.8):
        shutil.rmtree(path.parent)
        consolidate(path.parent, 4, state, tensors)
        write_encoded(Path(config.run), code=code)
        made.append(train([replace(config, pretrain=replace(config.pretrain, allow_new_mix=True))], end_after=6))
    return made


def test_a_checkpoint_that_does_not_say_what_was_read_goes_on_as_before_and_says_so_at_a_new_mix(tmp_path: Path) -> None:
    write_encoded(tmp_path)
    made = worlds.run(1, before_it_was_noted, settings(tmp_path, save_every=2))
    assert [part["read"][0] for part in made] == [list(range(16)), list(range(16, 24)), list(range(16, 24))]
    blend = Blend(TokenData.read(str(tmp_path / "encode")), CONTEXT, 1)
    assert Checkpoint.open(tmp_path / "pretrain/checkpoints/step-00000006").state["read"] == blend.read(24)
    (mark,) = [row for row in rows(tmp_path / "pretrain/log.jsonl") if row.get("event") == "new_mix"]
    assert mark["message"].endswith("; how far each domain was read is not known, so some text is passed over or read twice")
