"""What ranks saved together is exported as what one rank saved: the same logits in either form."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer import worlds
from tests.trainer.test_parity import STEPS, layout
from tests.trainer.test_resume import legs, train_chains
from tokenizer.encode import Vocabulary
from trainer.checkpoint import Checkpoint
from trainer.export.check import Parity
from trainer.export.forms import form, shape_of
from trainer.export.stage import check, write_settings
from trainer.export.weights import write_weights


def exported(checkpoint: Checkpoint, name: Any, folder: Path) -> Parity:
    """Writes an export and compares it with the checkpoint; raises where they differ."""
    made = form(name, checkpoint.model)
    sizes = {piece.name: math.prod(shape_of(piece.source, checkpoint.model)) for piece in made.pieces}
    write_weights(str(folder), made.pieces, sizes, checkpoint.tensor, torch.float32, 40_000)
    write_settings(str(folder), made, "float32", Vocabulary("", 60, 0, 1, 2, 3))
    return check(checkpoint, str(folder), 16, torch.float32)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["granite", "llama"])
def test_logits_of_an_export_from_four_ranks_are_those_from_one(tmp_path: Path, name: Any) -> None:
    layouts = {"TP2xPP2": (4, layout(2, 2, 1)), "one rank": (1, layout(1, 1, 1))}
    for label, (ranks, parallel) in layouts.items():
        worlds.run(ranks, train_chains, {str(tmp_path / label): legs([parallel])})
        checkpoint = Checkpoint.open(tmp_path / label / f"step-{STEPS:08d}")
        assert exported(checkpoint, name, tmp_path / f"{label} as {name}").difference <= 1e-5
