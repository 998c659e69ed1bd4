"""Losses and bits per byte, against a plain loop over the same text."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from tokenizers import Tokenizer, decoders

from core import storage
from core.config import ConfigError
from core.run import Run
from tests.trainer.small_run import LANGUAGES, TEXTS, VOCABULARY, network, write_run
from tokenizer.config import TokenizerConfig
from tokenizer.shards import Shard
from tokenizer.train import save, train
from trainer.config import ModelConfig, TrainConfig
from trainer.data.token_data import TokenData, TokenDataError
from trainer.evaluate.config import BesideConfig, ColumnConfig, EvaluateConfig, TableConfig
from trainer.evaluate.stage import evaluate
from trainer.evaluate.texts import pieces, readable
from trainer.export.stage import export
from trainer.stage import play


def plainly(root: Path, config: TrainConfig, domain: str) -> list[float]:
    """Nats of each document of a domain, from full logits, window by window."""
    shard = Shard(str(root / "encode" / domain / "validation-00000"))
    stream = torch.tensor([2, *[int(token) for document in range(len(shard)) for token in shard[document]]])
    net = network(ModelConfig(**{**vars(config.model), "vocab": VOCABULARY}))
    owner = [document for document in range(len(shard)) for _ in shard[document]]
    nats, context = [0.0] * len(shard), config.model.context
    with torch.no_grad():
        for start in range(0, len(stream) - 1, context):
            window = stream[start : start + context + 1]
            logits = net(window[:-1, None]).float().log_softmax(-1)
            for place, target in enumerate(window[1:]):
                nats[owner[start + place]] -= float(logits[place, 0, target])
    return nats


def test_bits_per_byte_are_what_a_plain_loop_computes(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    facts = evaluate(config, Run(config.run))
    for domain, texts in TEXTS.items():
        nats = plainly(tmp_path, config, domain)
        size = sum(len(text.encode()) for text in texts)
        row = facts["bpb"][domain]
        assert row["utf8_bytes"] == size
        assert row["loss"] == pytest.approx(sum(nats) / row["tokens"], rel=1e-5)
        assert row["bpb"] == pytest.approx(sum(nats) / math.log(2) / size, rel=1e-5)
        for language in set(LANGUAGES[domain]):
            own = [n for n, code in zip(nats, LANGUAGES[domain], strict=True) if code == language]
            found = row["languages"][language]
            assert found["loss"] * found["tokens"] == pytest.approx(sum(own), rel=1e-5)
    assert "32 tokens" in facts["context"]


def test_the_batch_does_not_change_a_loss(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    found = []
    for batch in (1, 7):
        other = TrainConfig(run=config.run, model=config.model, evaluate=EvaluateConfig(batch=batch))
        found.append(evaluate(other, Run(config.run))["bpb"])
    for domain in TEXTS:
        assert found[0][domain]["loss"] == pytest.approx(found[1][domain]["loss"], rel=1e-6)


def test_a_network_that_knows_nothing_costs_the_logarithm_of_the_vocabulary(tmp_path: Path) -> None:
    config = write_run(tmp_path, output_mult=1e-9)
    row = evaluate(config, Run(config.run))["bpb"]["Code"]
    assert row["loss"] == pytest.approx(math.log(304), rel=1e-5)  # 290 entries, padded to a multiple of 16
    assert 0 < row["unigram_loss"] < row["loss"]


@pytest.mark.parametrize("ends", [True, False])
def test_the_unigram_model_is_measured_on_the_text_that_ours_is(tmp_path: Path, ends: bool) -> None:
    config = write_run(tmp_path)
    seen = {domain: [*chain.from_iterable([*ids, 2] for ids in row_ids(tmp_path, domain))] for domain in TEXTS}
    counts = {domain: Counter(ids) for domain, ids in seen.items()}
    whole = sum(map(len, seen.values()))

    def nats(token: int) -> float:
        share = sum(counts[domain][token] / len(seen[domain]) for domain in seen) / 2
        return -math.log((share * whole + 1) / (whole + VOCABULARY))

    asked = EvaluateConfig(tokens=30, ends=ends)
    rows = evaluate(TrainConfig(run=config.run, model=config.model, evaluate=asked), Run(config.run))["bpb"]
    shortest = min(row_ids(tmp_path, "WebText"), key=len)  # the only document that fits
    targets = [*shortest, 2] if ends else shortest
    assert rows["WebText"]["tokens"] == len(targets)
    assert rows["WebText"]["unigram_loss"] == pytest.approx(sum(map(nats, targets)) / len(targets))


def test_a_model_with_a_document_mask_is_evaluated_with_it(tmp_path: Path) -> None:
    with_mask = write_run(tmp_path / "a", document_mask=True)
    without = write_run(tmp_path / "b")
    masked, plain = (evaluate(c, Run(c.run))["bpb"]["WebText"]["languages"] for c in (with_mask, without))
    assert masked["zh"]["loss"] != plain["zh"]["loss"]


def test_a_table_gathers_domains_and_languages(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    columns = {
        "English web": ColumnConfig(domains=["WebText"], languages=["en"]),
        "Code": ColumnConfig(domains=["Code"], except_languages=["zh"]),
        "Books": ColumnConfig(domains=["Book"]),
    }
    table = TableConfig(columns=columns, weights={"Sum": {"English web": 30, "Code": 10, "Books": 60}})
    settings = TrainConfig(run=config.run, model=config.model, evaluate=EvaluateConfig(tables={"ours": table}))
    facts = evaluate(settings, Run(config.run))
    web, code = facts["bpb"]["WebText"]["languages"]["en"], facts["bpb"]["Code"]
    found = facts["tables"]["ours"]
    assert list(found["columns"]) == ["English web", "Code"]
    assert found["sums"]["Sum"]["bpb"] == pytest.approx((30 * web["bpb"] + 10 * code["bpb"]) / 40)
    assert found["sums"]["Sum"]["covered"] == pytest.approx(0.4)


Text = Literal["packed", "document"]


def beside(config: TrainConfig, text: Text, stride: int | None, path: Path) -> dict[str, Any]:
    settings = EvaluateConfig(
        text=text, stride=stride, ends=False, beside={"again": BesideConfig(path=str(path), start=2)}, batch=3
    )
    return evaluate(TrainConfig(run=config.run, model=config.model, evaluate=settings), Run(config.run))


@pytest.mark.parametrize(("text", "stride"), [("packed", None), ("document", None), ("document", 8)])
def test_our_own_export_beside_ours_scores_the_same(tmp_path: Path, text: Text, stride: int | None) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    facts = beside(config, text, stride, tmp_path / "export")
    for domain, row in facts["bpb"].items():
        other = facts["beside"]["again"]["bpb"][domain]
        assert other["tokens"] == row["tokens"] == sum(len(ids) for ids in row_ids(tmp_path, domain))
        assert other["bpb"] == pytest.approx(row["bpb"], rel=1e-5)


def row_ids(root: Path, domain: str) -> list[list[int]]:
    shard = Shard(str(root / "encode" / domain / "validation-00000"))
    return [shard[document][:-1].tolist() for document in range(len(shard))]


def test_another_tokenizer_changes_the_tokens_and_not_the_bytes(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    texts = [text for own in TEXTS.values() for text in own]
    save(train(texts, TokenizerConfig(vocabulary=270, spares=0)), str(tmp_path / "export"))
    facts = beside(config, "packed", None, tmp_path / "export")
    for domain, row in facts["bpb"].items():
        other = facts["beside"]["again"]["bpb"][domain]
        assert other["utf8_bytes"] == row["utf8_bytes"]
        assert other["tokens"] > row["tokens"]


def test_a_document_that_our_tokenizer_does_not_give_back_is_left_out_of_every_models_figures(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    file = str(tmp_path / "train_tokenizer" / "tokenizer.json")
    tokenizer = Tokenizer.from_file(file)
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Replace("Rain", "rai")])  # one text has it
    tokenizer.save(file)
    facts = beside(config, "document", None, tmp_path / "export")
    size = sum(len(text.encode()) for text in TEXTS["WebText"] if "Rain" not in text)
    assert facts["left_out"] == 1 and "for our tokenizer does not give them back as they were: 1." in facts["context"]
    ours, other = facts["bpb"]["WebText"], facts["beside"]["again"]["bpb"]["WebText"]
    assert ours["utf8_bytes"] == other["utf8_bytes"] == size
    assert other["bpb"] == pytest.approx(ours["bpb"], rel=1e-5)
    data = TokenData.read(f"{tmp_path}/encode")
    with pytest.raises(TokenDataError, match="gives none of 1 validation documents back.* Either another tokenizer"):
        readable(data, {"WebText": pieces(data, None)["WebText"][1:2]})


def test_a_sliding_window_is_stated_with_the_figures(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    settings = TrainConfig(run=config.run, model=config.model, evaluate=EvaluateConfig(stride=8, text="document"))
    said = evaluate(settings, Run(config.run))["context"]
    assert said == "Sliding context: windows of 32 tokens, of which 8 are predicted; each document by itself."


def test_ends_are_not_asked_of_models_beside_ours() -> None:
    with pytest.raises(ConfigError, match="use ends = false"):
        EvaluateConfig(beside={"x": BesideConfig(path="x")})


def test_the_stage_runs_once_and_again_only_for_other_settings(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    calls = []

    def work(settings: TrainConfig, run: Run) -> dict[str, int]:
        calls.append(settings.evaluate.batch)
        return {}

    play("evaluate", config, work)
    play("evaluate", config, work)
    play("evaluate", TrainConfig(run=config.run, model=config.model, evaluate=EvaluateConfig(batch=3)), work)
    assert calls == [8, 3]
    assert storage.read_json(str(tmp_path / "evaluate" / "manifest.json"))["stage"] == "evaluate"


def test_a_run_without_a_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    storage.remove(str(tmp_path / "pretrain" / "checkpoints"))
    with pytest.raises(ConfigError, match="no whole checkpoint; run `make pretrain`"):
        play("evaluate", config, evaluate)
    assert not (tmp_path / "evaluate" / "manifest.json").exists()


def test_a_checkpoint_that_is_not_there_is_named(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    settings = TrainConfig(run=config.run, model=config.model, evaluate=EvaluateConfig(checkpoint="step-00000099"))
    with pytest.raises(ConfigError, match="step-00000099"):
        play("evaluate", settings, evaluate)


def test_the_job_does_not_hide_the_library_of_its_name(tmp_path: Path) -> None:
    job = Path(__file__).parents[3] / "jobs" / "evaluate.py"
    code = (
        f"import sys, runpy; sys.argv = [{str(job)!r}]; sys.path.insert(0, {str(job.parent)!r})\n"
        f"runpy.run_path({str(job)!r}, run_name='job')\n"
        "import importlib.util\n"
        "print(importlib.util.find_spec('evaluate'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "jobs" not in done.stdout
