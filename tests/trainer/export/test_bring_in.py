"""Out and in again: the same function, whatever the form on the way; other networks are refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from core import storage
from core.config import ConfigError
from core.run import Run
from tests.trainer.small_run import VOCABULARY, settings, write_run
from trainer.checkpoint import newest
from trainer.config import ModelConfig, TrainConfig
from trainer.evaluate.load import load_network
from trainer.evaluate.stage import evaluate
from trainer.export.bring_in import bring_in
from trainer.export.config import ExportConfig
from trainer.export.source import model_of, open_source
from trainer.export.stage import export
from trainer.model.mup import logit_scale


def second_run(first: Path, root: Path, **model: Any) -> TrainConfig:
    """Another run on the same shards, without a checkpoint."""
    root.mkdir()
    for stage in ("encode", "train_tokenizer"):
        (root / stage).symlink_to(first / stage)
    return settings(root, **model)


@pytest.mark.parametrize("shape", [{}, {"tied": True}, {"kv_heads": 2}], ids=str)
@pytest.mark.parametrize("form", ["granite", "llama"])
def test_export_and_import_give_the_same_losses(tmp_path: Path, form: Any, shape: dict[str, Any]) -> None:
    if shape.get("tied") and form == "llama":
        shape = {**shape, "input_mult": 0.35, "output_mult": 0.7}  # one factor, or the export cannot stay tied
    first = replace(write_run(tmp_path / "a", **shape), export=ExportConfig(form=form, file_gigabytes=2e-5))
    export(first, Run(first.run))
    second = second_run(tmp_path / "a", tmp_path / "b", **shape)
    path = bring_in(second, str(tmp_path / "a" / "export"))
    assert path.name == "step-00000000"
    before, after = (evaluate(c, Run(c.run))["bpb"] for c in (first, second))
    for domain in before:
        assert after[domain]["loss"] == pytest.approx(before[domain]["loss"], rel=1e-6)
    found = newest(tmp_path / "b" / "pretrain" / "checkpoints")
    assert found is not None and found.state["adam_step"] == 0
    assert not found.tensor("head.weight.exp_avg" if not shape.get("tied") else "embedding.weight.exp_avg").any()


def test_a_tied_export_comes_in_again_though_its_logit_scale_is_rounded(tmp_path: Path) -> None:
    shape: dict[str, Any] = {"tied": True, "hidden": 48, "base_hidden": 8, "output_mult": 0.7}
    first = write_run(tmp_path / "a", **shape)
    export(first, Run(first.run))
    source = open_source(str(tmp_path / "a" / "export"))
    assert logit_scale(source.model) != logit_scale(first.model)  # else this shows nothing
    bring_in(second_run(tmp_path / "a", tmp_path / "b", **shape), first.run + "/export")
    found = newest(tmp_path / "b" / "pretrain" / "checkpoints")
    assert found is not None and torch.equal(found.tensor("embedding.weight"), source.tensor("embedding.weight"))
    with pytest.raises(ConfigError, match="embedding and head take different factors"):
        bring_in(second_run(tmp_path / "a", tmp_path / "c", **{**shape, "output_mult": 0.7001}), first.run + "/export")


def test_a_published_llama_computes_the_same_as_in_transformers(tmp_path: Path) -> None:
    config = LlamaConfig(
        vocab_size=304, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=32, rms_norm_eps=1e-6, rope_parameters={"rope_type": "default", "rope_theta": 5e5},
    )  # fmt: skip
    torch.manual_seed(0)
    published = LlamaForCausalLM(config).eval()
    published.save_pretrained(tmp_path / "published")
    write_run(tmp_path / "a")
    run = second_run(tmp_path / "a", tmp_path / "b", kv_heads=2, norm_eps=1e-6, rope_theta=5e5, input_mult=2.0, output_mult=0.7)
    bring_in(run, str(tmp_path / "published"))
    found = newest(tmp_path / "b" / "pretrain" / "checkpoints")
    assert found is not None
    tokens = torch.arange(2, 34)[None]
    with torch.no_grad():
        ours = load_network(found)(tokens.t()).transpose(0, 1)
        assert (ours - published(tokens).logits).abs().max() <= 1e-5


def test_tele_flms_own_directory_computes_what_its_inference_code_does(tmp_path: Path) -> None:
    """Sharded .bin files under Llama's names, and muP's three factors as its public code applies them."""
    config = LlamaConfig(
        vocab_size=304, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=32, rms_norm_eps=1e-5, rope_parameters={"rope_type": "default", "rope_theta": 1e4},
    )  # fmt: skip
    torch.manual_seed(0)
    published = LlamaForCausalLM(config).eval()
    tele_flm(tmp_path / "published", published, mup_scale_factor=4.0, input_mult=3.0, output_mult=0.5)
    write_run(tmp_path / "a")
    run = second_run(tmp_path / "a", tmp_path / "b", norm_eps=1e-5)
    bring_in(run, str(tmp_path / "published"))
    found = newest(tmp_path / "b" / "pretrain" / "checkpoints")
    assert found is not None
    tokens = torch.arange(2, 34)[None]
    with torch.no_grad():
        theirs = published(inputs_embeds=3.0 * published.model.embed_tokens(tokens)).logits * 0.5 / 4.0
        ours = load_network(found)(tokens.t()).transpose(0, 1)
        assert (ours - theirs).abs().max() <= 1e-5


def tele_flm(folder: Path, model: LlamaForCausalLM, **mup: float) -> None:
    """A directory as Tele-FLM is published: the names and the kinds of files, with the weights of `model`."""
    folder.mkdir()
    names = list(model.state_dict())
    files = {f"pytorch_model-0000{n + 1}-of-00002.bin": names[n * 10 : (n + 1) * 10 + 10 * n] for n in range(2)}
    for file, members in files.items():
        torch.save({name: model.state_dict()[name].clone() for name in members}, folder / file)
    where = {name: file for file, members in files.items() for name in members}
    storage.write_json(str(folder / "pytorch_model.bin.index.json"), {"metadata": {}, "weight_map": where})
    about = {key: value for key, value in model.config.to_dict().items() if key not in ("model_type", "rope_parameters")}
    storage.write_json(str(folder / "config.json"), {**about, "model_type": "TeleFLM", "use_mup": True, **mup})


def test_another_tokenizer_is_refused(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a")
    export(first, Run(first.run))
    path = tmp_path / "a" / "export" / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8").replace("</s>", "<|end|>"), encoding="utf-8")
    with pytest.raises(ConfigError, match="id 2 .* is in one of them only; encode with train_tokenizer.path"):
        bring_in(second_run(tmp_path / "a", tmp_path / "b"), str(tmp_path / "a" / "export"))


def test_what_was_not_fetched_or_not_encoded_is_said_in_a_sentence(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a")
    export(first, Run(first.run))
    there = tmp_path / "a" / "export"
    with pytest.raises(ConfigError, match="manifest.json: does not exist; run the stage `encode` first"):
        bring_in(settings(tmp_path / "new"), str(there))
    second = second_run(tmp_path / "a", tmp_path / "b")
    (there / "tokenizer.json").write_text("version https://git-lfs.github.com/spec/v1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"tokenizer.json: is no tokenizer that can be read .*git lfs pull"):
        bring_in(second, str(there))
    shard = next((tmp_path / "a" / "encode").rglob("*.bin"))
    shard.write_bytes(shard.read_bytes()[:-2])
    with pytest.raises(ConfigError, match=shard.name):
        bring_in(second, str(there))


def test_another_network_is_refused_by_what_differs(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a")
    export(first, Run(first.run))
    other = second_run(tmp_path / "a", tmp_path / "b", layers=3, ffn=64)
    with pytest.raises(ConfigError, match="model.layers = 3, there 2; model.ffn = 64, there 48"):
        bring_in(other, str(tmp_path / "a" / "export"))
    assert not (tmp_path / "b" / "pretrain" / "checkpoints").exists()


def test_a_run_that_was_trained_is_not_written_over(tmp_path: Path) -> None:
    first = write_run(tmp_path)
    export(first, Run(first.run))
    with pytest.raises(ConfigError, match="has been trained already"):
        bring_in(first, str(tmp_path / "export"))


def test_the_vocabulary_may_be_padded_otherwise() -> None:
    ours = ModelConfig(layers=1, hidden=8, heads=2, ffn=8, vocab=VOCABULARY, vocab_multiple=16, context=8)
    theirs = model_of(
        dict(
            hidden_size=8,
            num_attention_heads=2,
            num_hidden_layers=1,
            intermediate_size=8,
            vocab_size=304,
            max_position_embeddings=8,
        ),
        "x",
    )
    assert ours.rows == theirs.rows
