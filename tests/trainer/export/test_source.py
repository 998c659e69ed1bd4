"""Which networks are known for ours: by their kind, their settings and their tensors; all others are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from core import storage
from core.config import ConfigError
from core.run import Run
from tests.trainer.small_run import write_run
from trainer.export.source import model_of, open_source
from trainer.export.stage import export
from trainer.model.mup import logit_scale

SHAPE: dict[str, Any] = dict(
    vocab_size=304, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    head_dim=8, max_position_embeddings=32,
)  # fmt: skip


def published(kind: str, folder: Path, **settings: Any) -> Path:
    """A small directory as transformers saves a model of that kind."""
    AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **SHAPE, **settings)).save_pretrained(folder)
    return folder


def rewritten(folder: Path, **settings: Any) -> str:
    path = str(folder / "config.json")
    storage.write_json(path, {**storage.read_json(path), **settings})
    return str(folder)


def test_tele_flms_own_config_is_understood() -> None:
    shape = dict(hidden_size=8192, num_attention_heads=64, num_hidden_layers=64, intermediate_size=21824, vocab_size=80384)
    mup = dict(use_mup=True, mup_scale_factor=16.0, output_mult=0.5, input_mult=1.0)
    model = model_of({**shape, **mup, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5}, "Tele-FLM")
    assert (model.base_hidden, model.output_mult, model.input_mult, model.width_ratio) == (512, 0.5, 1.0, 16.0)
    assert model.rows == 80384


def test_a_width_factor_that_gives_no_whole_width_is_kept_as_it_is() -> None:
    mup = dict(use_mup=True, mup_scale_factor=6.0, output_mult=0.5, input_mult=1.0)
    model = model_of({**SHAPE, **mup}, "x")
    assert model.base_hidden is None and logit_scale(model) == 0.5 / 6.0


@pytest.mark.parametrize("kind", ["qwen2", "qwen3", "gemma", "gemma2", "cohere", "olmo2", "helium", "smollm3"])
def test_a_network_of_another_kind_is_refused_whatever_its_tensors_are_called(kind: str) -> None:
    with pytest.raises(ConfigError, match=f"model_type = {kind} cannot be brought in; we have the networks of llama"):
        model_of({**SHAPE, "model_type": kind}, "x")


def test_a_network_whose_settings_have_other_names_is_refused_by_its_kind() -> None:
    with pytest.raises(ConfigError, match="x: model_type = gpt2 cannot be brought in"):
        model_of({"model_type": "gpt2", "n_head": 4, "n_embd": 32, "n_layer": 2, "vocab_size": 304}, "x")


@pytest.mark.parametrize("kind", ["llama", "granite", "TeleFLM"])
def test_what_a_config_lacks_is_named(kind: str) -> None:
    given = {name: value for name, value in SHAPE.items() if name != "intermediate_size"} | {"model_type": kind}
    more = {"llama": "", "granite": ", embedding_multiplier, logits_scaling", "TeleFLM": ", mup_scale_factor"}
    with pytest.raises(ConfigError, match=f"x: its config.json lacks intermediate_size{more[kind]}"):
        model_of({**given, **({"use_mup": True} if kind == "TeleFLM" else {})}, "x")


@pytest.mark.parametrize(
    ("kind", "tensor"),
    [("qwen2", "self_attn.k_proj.bias"), ("qwen3", "self_attn.k_norm.weight"), ("gemma2", "post_feedforward_layernorm.weight")],
)
def test_a_tensor_that_nobody_would_read_is_refused_by_name(tmp_path: Path, kind: str, tensor: str) -> None:
    folder = rewritten(published(kind, tmp_path), model_type="llama", sliding_window=None)
    with pytest.raises(ConfigError, match=rf"no place: model.layers.0.{tensor} and \d+ more"):
        open_source(folder)


def test_what_follows_from_the_settings_may_stand_in_the_file(tmp_path: Path) -> None:
    folder = published("llama", tmp_path, tie_word_embeddings=True)
    held = load_file(folder / "model.safetensors")
    held["lm_head.weight"] = held["model.embed_tokens.weight"].clone()
    held["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
    save_file(held, folder / "model.safetensors", metadata={"format": "pt"})
    assert open_source(str(folder)).model.tied
    del held["lm_head.weight"]
    save_file(held, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConfigError, match="has no tensor lm_head.weight"):
        open_source(rewritten(folder, tie_word_embeddings=False))


def test_mistral_is_llama_save_for_its_window(tmp_path: Path) -> None:
    folder = published("mistral", tmp_path, sliding_window=None)
    assert open_source(str(folder)).model.key_heads == 2
    with pytest.raises(ConfigError, match="sliding_window = 16"):
        open_source(rewritten(folder, sliding_window=16))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attention_bias", True),
        ("residual_multiplier", 0.22),
        ("attention_multiplier", 1.0),
        ("hidden_act", "gelu"),
        ("partial_rotary_factor", 0.5),
    ],
)
def test_what_our_network_has_not_is_refused(tmp_path: Path, name: str, value: Any) -> None:
    first = write_run(tmp_path)
    export(first, Run(first.run))
    with pytest.raises(ConfigError, match=name):
        open_source(rewritten(tmp_path / "export", **{name: value}))
