"""An export is the model that was trained: the same logits, loaded as anybody would load it."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from core import storage
from core.config import ConfigError
from core.run import Run
from tests.trainer.small_run import TEXTS, VOCABULARY, network, write_run
from tokenizer.given import take
from trainer.checkpoint import Checkpoint, CheckpointError, consolidate
from trainer.config import ModelConfig
from trainer.export.check import Parity, compare
from trainer.export.config import ExportConfig
from trainer.export.forms import canonical_names, form, shape_of
from trainer.export.generate import exported, generate
from trainer.export.stage import export
from trainer.export.weights import INDEX, plan_files

SHAPES: list[dict[str, Any]] = [
    {},
    {"kv_heads": 2},
    {"tied": True},
    {"tied": True, "input_mult": 0.35, "output_mult": 0.7},  # one factor for both ends: Llama may stay tied
    {"hidden": 48, "heads": 3, "norm_eps": 1e-3, "rope_theta": 500.0},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["granite", "llama"])
def test_transformers_computes_our_logits(tmp_path: Path, name: Any, shape: dict[str, Any]) -> None:
    config = replace(write_run(tmp_path, **shape), export=ExportConfig(form=name, check_tokens=0))
    facts = export(config, Run(config.run))
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "export")
    assert (
        type(loaded).__name__ == facts["architecture"] == {"granite": "GraniteForCausalLM", "llama": "LlamaForCausalLM"}[name]
    )
    ours = network(ModelConfig(**{**vars(config.model), "vocab": VOCABULARY}))
    tokens = torch.randint(0, VOCABULARY, (3, 32), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        difference = (ours(tokens.t()).transpose(0, 1) - loaded(tokens).logits).abs().max()
    assert difference <= 1e-5


def test_the_check_at_export_finds_another_model(tmp_path: Path) -> None:
    config = replace(write_run(tmp_path), export=ExportConfig(check_tokens=16))
    assert export(config, Run(config.run))["check"]["difference"] <= 1e-5
    path = str(tmp_path / "export" / "config.json")
    storage.write_json(path, {**storage.read_json(path), "logits_scaling": 1.01})
    ours = network(ModelConfig(**{**vars(config.model), "vocab": VOCABULARY}))
    with pytest.raises(ConfigError, match="logits differ from the checkpoint's"):
        compare(ours, str(tmp_path / "export"), torch.arange(16)[None])


def test_an_export_that_is_refused_is_no_model_for_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    exported(str(tmp_path / "export"))

    def another_model(*given: Any) -> Parity:
        assert (tmp_path / "export/config.json").exists()
        raise ConfigError("the exported model's logits differ")

    def no_room(*given: Any) -> list[str]:
        raise OSError("no space left")

    for name, ends, error in (("check", another_model, ConfigError), ("write_weights", no_room, OSError)):
        with monkeypatch.context() as patch:
            patch.setattr(f"trainer.export.stage.{name}", ends)
            with pytest.raises(error):
                export(config, Run(config.run))
        with pytest.raises(ConfigError, match="holds no exported model"):
            exported(str(tmp_path / "export"))
        export(config, Run(config.run))
        exported(str(tmp_path / "export"))


def test_a_checkpoint_that_rotted_is_refused_by_name_or_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of sizes alone it would be whole, and the check at export would read the same damage on both sides."""
    config = replace(write_run(tmp_path), export=ExportConfig(check_tokens=0))
    folder = tmp_path / "pretrain/checkpoints"
    older = Checkpoint.open(folder / "step-00000020")
    newer = consolidate(folder, 30, {"model": older.model}, older.weights())
    file = newer / "consolidated/embedding.safetensors"
    content = bytearray(file.read_bytes())
    content[-3] ^= 0x40
    file.write_bytes(content)
    assert export(config, Run(config.run))["checkpoint"] == "step-00000020"
    assert f"{file}: its contents are not what was written (checksum). It is passed over." in capsys.readouterr().err
    named = replace(config, export=replace(config.export, checkpoint=newer.name))
    with pytest.raises(CheckpointError, match="step-00000030/consolidated/embedding.safetensors: its contents are not what"):
        export(named, Run(config.run))
    shutil.rmtree(older.path)
    with pytest.raises(ConfigError, match="holds no whole checkpoint"):
        export(config, Run(config.run))


def test_bf16_weights_are_half_as_large_and_still_the_same_model(tmp_path: Path) -> None:
    config = replace(write_run(tmp_path), export=ExportConfig(form="llama", precision="bf16"))
    facts = export(config, Run(config.run))
    assert {tensor.dtype for tensor in load_file(tmp_path / "export" / "model.safetensors").values()} == {torch.bfloat16}
    assert facts["check"]["difference"] < 0.02 * max(1.0, facts["check"]["largest_logit"])


def test_weights_are_spread_over_files_of_a_bounded_size(tmp_path: Path) -> None:
    config = replace(write_run(tmp_path), export=ExportConfig(file_gigabytes=2e-5))
    facts = export(config, Run(config.run))
    files = [name for name in facts["files"] if name.endswith(".safetensors")]
    assert len(files) > 2
    index = storage.read_json(str(tmp_path / "export" / INDEX))
    held = {name: file for file in files for name in load_file(tmp_path / "export" / file)}
    assert index["weight_map"] == held
    assert facts["check"]["difference"] <= 1e-5


def test_files_are_filled_in_order_and_a_large_tensor_stands_alone() -> None:
    assert plan_files([("a", 4), ("b", 4), ("c", 30), ("d", 1), ("e", 9)], 10) == [["a", "b"], ["c"], ["d", "e"]]


def test_the_tokenizer_reads_text_as_training_did(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "export")
    for text in TEXTS["WebText"]:
        ids = tokenizer(text)["input_ids"]
        assert not {0, 1, 2, 3} & set(ids)
        assert tokenizer.decode(ids) == text
    assert (tokenizer.unk_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (0, 1, 2, 3)
    assert tokenizer.model_max_length == 32
    chat = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    assert tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) == "<_system>S<_user>U<_bot>"


def test_an_export_with_a_published_tokenizer_names_its_ids(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    published = tmp_path / "published"
    published.mkdir()
    text = (tmp_path / "train_tokenizer" / "tokenizer.json").read_text(encoding="utf-8")
    for ours, theirs in (("<unk>", "<x>"), ("<pad>", "<|end|>"), ("</s>", "<y>")):
        text = text.replace(f'"{ours}"', f'"{theirs}"')
    (published / "tokenizer.json").write_text(text, encoding="utf-8")
    take(str(published / "tokenizer.json"), {"eos": "<|end|>"}, str(tmp_path / "train_tokenizer"))
    export(config, Run(config.run))
    about, generation = (storage.read_json(str(tmp_path / "export" / f"{n}.json")) for n in ("config", "generation_config"))
    assert (about["bos_token_id"], about["eos_token_id"], about["pad_token_id"]) == (None, 3, 3)
    assert (generation["bos_token_id"], generation["eos_token_id"], generation["top_k"]) == (3, 3, 0)
    model, tokenizer = exported(str(tmp_path / "export"))
    assert (tokenizer.eos_token, tokenizer.bos_token_id) == ("<|end|>", None)
    assert "ended by `<|end|>`" in (tmp_path / "export" / "README.md").read_text(encoding="utf-8")
    assert "".join(generate(model, tokenizer, "Rain", 5))


def test_the_export_generates(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    model: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "export")
    ids = torch.tensor([[2, 70, 71]])
    made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=5, do_sample=False)
    again = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=5, do_sample=False, use_cache=False)
    assert made.tolist() == again.tolist()


def test_the_card_says_what_the_run_wrote_down_and_nothing_else(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    text = (tmp_path / "export" / "README.md").read_text(encoding="utf-8")
    assert "20 steps, loss from 5.700 to 5.500 nats per token." in text
    assert re.search(r"\| WebText +\| +50.00 % \|", text)
    assert "language:\n- en\n- zh" in text
    assert "Validation" not in text  # the run has not been evaluated


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_names_and_shapes_are_those_of_the_network(shape: dict[str, Any]) -> None:
    base: dict[str, Any] = dict(layers=2, hidden=32, heads=4, ffn=48, vocab=VOCABULARY, vocab_multiple=16, context=32)
    model = ModelConfig(**{**base, **shape})
    parameters = dict(network(model).named_parameters())
    assert canonical_names(model) == list(parameters)
    assert [shape_of(name, model) for name in parameters] == [tuple(value.shape) for value in parameters.values()]


def test_the_52b_network_has_the_tensors_of_its_exact_parameter_count() -> None:
    model = ModelConfig(layers=64, hidden=8192, heads=64, ffn=21824, vocab=80000, base_hidden=512, output_mult=0.5)
    shapes = [shape_of(piece.source, model) for piece in form("llama", model).pieces]
    assert sum(torch.Size(shape).numel() for shape in shapes) == 52_817_829_888
    assert form("granite", model).config["logits_scaling"] == 32.0
