"""All thirteen benchmarks on a real network, by its export, tokenizer and `Reader`: as drawn, and taught the answers."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from core.run import Run
from tests.trainer.evaluate.benchmarks.small_sets import write_sets
from tests.trainer.small_run import network, write_run
from tokenizer.config import TokenizerConfig
from tokenizer.train import save, train
from trainer.checkpoint import consolidate
from trainer.config import ModelConfig, TrainConfig
from trainer.evaluate.benchmarks.config import KNOWN, BenchmarkConfig, CodeConfig
from trainer.evaluate.benchmarks.item import Benchmark, Item
from trainer.evaluate.benchmarks.prompts import Prompter
from trainer.evaluate.benchmarks.score import Score, load, score
from trainer.evaluate.benchmarks.sets import BENCHMARKS
from trainer.evaluate.benchmarks.stage import exported
from trainer.export.stage import export

END = 2
SOLUTION = "    return 2 * n\n"


def scores_of(config: TrainConfig, settings: BenchmarkConfig) -> dict[str, Score]:
    export(config, Run(config.run))
    return score(exported(f"{config.run}/export", settings, 1, ours=True), settings, 1)


def test_all_thirteen_run_on_a_small_model(tmp_path: Path) -> None:
    folder = str(write_sets(tmp_path / "sets"))
    code = CodeConfig(run=True, samples=2, k=1)
    found = scores_of(
        write_run(tmp_path / "run", context=96), BenchmarkConfig(folder=folder, limit=2, batch=8, code=code, device="cpu")
    )
    assert tuple(found) == KNOWN
    for name, one in found.items():
        assert one.items == min(2, one.of) and 0 <= one.score <= 100 and 0 <= one.chance < 100, name
        assert one.cut <= one.items and one.fitted <= one.shots, name
    assert found["truthfulqa"].cut == 1  # behind its six fixed questions
    assert all(found[name].score == 0 for name in ("gsm8k", "humaneval", "bbh"))


def lessons(benchmark: Benchmark, item: Item) -> list[str]:
    """What a model must have read to know an item's answer; with the end of the document where the answer is generated."""
    if benchmark.name == "humaneval":
        return [f"{item.prompts[0]}{SOLUTION}</s>"]
    if benchmark.tokens:
        answer = f"#### {item.answer}" if benchmark.name == "gsm8k" else f"So the answer is {item.answer}."
        return [f"{item.prompts[0]} {answer}</s>"]
    if len(item.prompts) > 1:  # the same end behind two sentences: the wrong one goes on otherwise
        ends = [item.options[place] if place in item.right else " is well." for place in range(len(item.prompts))]
        return [prompt + end for prompt, end in zip(item.prompts, ends, strict=True)]
    return [item.prompts[0] + item.options[place] for place in item.right]


def taught(root: Path, folder: str, steps: int) -> TrainConfig:
    """A run whose network has read the answers `steps` times; none leaves it as it was drawn."""
    config = write_run(
        root, context=320, hidden=96, ffn=128, init_std=0.05, init_std_matrix=0.1, input_mult=1.0, output_mult=1.0
    )
    asked = []
    for benchmark in BENCHMARKS.values():
        loaded = load(benchmark, folder)
        prompter = Prompter(benchmark, loaded, 0, "", len, 1 << 20)
        asked += [text for item in loaded.items for text in lessons(benchmark, prompter.ask(item).item)]
    tokenizer = train([text.removesuffix("</s>") for text in asked], TokenizerConfig(vocabulary=700, spares=0))
    save(tokenizer, str(root / "train_tokenizer"))
    model = ModelConfig(**{**vars(config.model), "vocab": tokenizer.get_vocab_size()})
    net = network(model).train()
    rows = sorted(([END, *tokenizer.encode(text, add_special_tokens=False).ids] for text in asked), key=len)
    assert len(rows[-1]) <= model.context
    batches = [pad_sequence([torch.tensor(row) for row in rows[n : n + 12]], padding_value=-1) for n in range(0, len(rows), 12)]
    optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 4e-3 * min(1.0, (step + 1) / 20, 2 * (1 - step / steps))
        optimizer.zero_grad()
        for ids in batches:  # [sequence, batch]
            logits = net(ids[:-1].clamp(min=0)).flatten(0, 1)
            nats = F.cross_entropy(logits, ids[1:].flatten(), ignore_index=-1, reduction="sum")
            (nats / sum(map(len, rows))).backward()
        optimizer.step()
    weights = {name: value.detach() for name, value in net.named_parameters()}
    consolidate(root / "pretrain" / "checkpoints", 40, {"model": model}, weights)
    return replace(config, model=model)


def every_item(folder: str) -> BenchmarkConfig:
    code = CodeConfig(run=True, samples=2, k=1, temperature=0.1)
    return BenchmarkConfig(folder=folder, limit=None, shots=dict.fromkeys(KNOWN, 0), code=code, device="cpu")


@pytest.mark.slow
def test_a_network_that_read_the_answers_scores_high(tmp_path: Path) -> None:
    folder = str(write_sets(tmp_path / "sets"))
    knowing = scores_of(taught(tmp_path / "taught", folder, 150), every_item(folder))
    assert {name: round(one.score) for name, one in knowing.items()} == {
        name: 100 if name != "truthfulqa" else pytest.approx(95, abs=5) for name in KNOWN
    }


@pytest.mark.slow
def test_the_same_network_as_drawn_scores_as_chance(tmp_path: Path) -> None:
    folder = str(write_sets(tmp_path / "sets"))
    drawn = scores_of(taught(tmp_path / "drawn", folder, 0), every_item(folder))
    chosen = [one for name, one in drawn.items() if not BENCHMARKS[name].tokens]
    items = sum(one.items for one in chosen)
    level, chance = (sum(getattr(one, key) * one.items for one in chosen) / items / 100 for key in ("score", "chance"))
    assert abs(level - chance) < 3 * math.sqrt(chance * (1 - chance) / items)
    assert all(drawn[name].score == 0 for name in ("gsm8k", "humaneval", "bbh"))
