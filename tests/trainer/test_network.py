"""The network: what it computes, how it starts, how many parameters it has."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import LlamaConfig, LlamaForCausalLM

from core.config import load
from core.line import foreign
from tests.trainer import plain
from tests.trainer.worlds import ROOT, tiny
from trainer import plan
from trainer.config import ModelConfig, TrainConfig
from trainer.model.attention import attend
from trainer.model.initial import build, drawn
from trainer.model.network import Network
from trainer.parallel.collectives import ALONE
from trainer.parallel.loss import CHUNK_ELEMENTS, score

COUNTS = {
    "tele-flm-52b": (52_817_829_888, 52_824_121_344),
    "tele-flm-52b-proxy": (281_215_488, 281_215_488),
    "tele-flm-102b": (102_198_487_040, None),
    "tele-flm-1t": (1_083_735_265_280, None),
}


def tokens(model: ModelConfig, batch: int = 3) -> torch.Tensor:
    return torch.randint(0, model.vocab or 1, (model.context, batch), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", COUNTS)
def test_the_reports_models_have_exactly_as_many_parameters(name: str) -> None:
    config = load(ROOT / f"configs/models/{name}.yaml", [], TrainConfig, foreign("trainer"))
    bare, padded = COUNTS[name]
    unpadded = dataclasses.replace(config.model, vocab_multiple=1)
    assert plan.parameters(unpadded) == bare
    if padded is not None:
        assert plan.parameters(config.model) == padded
    with torch.device("meta"):
        few = dataclasses.replace(unpadded, layers=2)
        assert sum(parameter.numel() for parameter in Network(few).parameters()) == plan.parameters(few)


@pytest.mark.parametrize("path", sorted((ROOT / "configs/models").glob("*.yaml")), ids=lambda path: Path(path).stem)
def test_every_models_config_parses_and_its_layout_fits_its_devices(path: Path) -> None:
    config = load(path, [], TrainConfig, foreign("trainer"))
    assert plan.memory(config).total < config.plan.gpu_memory * 1e9


@pytest.mark.parametrize("change", [{}, {"kv_heads": 2}, {"tied": True}, {"base_hidden": None}])
def test_it_computes_what_the_formulas_say(change: dict[str, Any]) -> None:
    config = tiny(**change)
    network, ids = build(config.model, 1), tokens(config.model)
    expected = plain.logits(dict(network.named_parameters()), ids.t(), config).transpose(0, 1)
    assert torch.allclose(network(ids), expected, atol=2e-6)


def test_logits_equal_those_of_transformers_llama() -> None:
    model = ModelConfig(
        layers=2, hidden=64, heads=4, kv_heads=2, ffn=96, vocab=120, vocab_multiple=1, context=32, init_std_matrix=0.2
    )
    network = build(model, 1)
    shape: dict[str, Any] = dict(
        vocab_size=120, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, rms_norm_eps=1e-5, max_position_embeddings=32, tie_word_embeddings=False,
        attn_implementation="sdpa",
    )  # fmt: skip
    llama = LlamaForCausalLM(LlamaConfig(**shape))
    theirs = {"attention_norm.gain": "input_layernorm", "feed_forward_norm.gain": "post_attention_layernorm"}
    theirs |= {"attention.out.weight": "self_attn.o_proj", "feed_forward.down.weight": "mlp.down_proj"}
    theirs |= {f"attention.qkv.{n}": f"self_attn.{n}_proj" for n in "qkv"}
    theirs |= {f"feed_forward.gate_up.{n}": f"mlp.{n}_proj" for n in ("gate", "up")}
    ends = {"embedding.weight": "model.embed_tokens", "norm.gain": "model.norm", "head.weight": "lm_head"}
    state = {}
    for name, parameter in network.named_parameters():
        _, _, inner = name.split(".", 2) if name.startswith("layers.") else ("", "", "")
        target = ends.get(name) or f"model.layers.{name.split('.')[1]}.{theirs[inner]}"
        state[f"{target}.weight"] = parameter.detach()
    llama.load_state_dict(state, strict=True)
    ids = tokens(model)
    with torch.no_grad():
        difference = (network(ids) - llama(ids.t()).logits.transpose(0, 1)).abs().max()
    assert float(difference) <= 1e-5


def test_documents_of_a_packed_sequence_do_not_see_each_other() -> None:
    q, k, v = torch.randn(3, 12, 2, 4, 8, generator=torch.Generator().manual_seed(2))
    segments = torch.tensor([[0] * 5 + [1] * 7, [0] * 12]).t().int()
    together = attend(q, k, v, segments)
    assert torch.allclose(together[5:, :1], attend(q[5:, :1], k[5:, :1], v[5:, :1]), atol=1e-6)
    assert torch.allclose(together[:, 1:], attend(q[:, 1:], k[:, 1:], v[:, 1:]), atol=1e-6)
    assert not torch.allclose(together[5:, :1], attend(q, k, v)[5:, :1], atol=1e-3)


def test_the_chunked_loss_is_cross_entropy_with_its_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHUNK_ELEMENTS, "cpu", 3 * 40)
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(5, 2, 16, generator=generator, requires_grad=True)
    weight = torch.randn(40, 16, generator=generator, requires_grad=True)
    targets = torch.randint(0, 40, (5, 2), generator=generator)
    weights = torch.rand(5, 2, generator=generator)
    scored = score(x, weight, targets, weights, 0.7, ALONE)
    (scored.total * 3).backward()
    ours = x.grad, weight.grad
    x2, weight2 = x.detach().requires_grad_(), weight.detach().requires_grad_()
    losses = F.cross_entropy((x2 @ weight2.t() * 0.7).flatten(0, 1), targets.flatten(), reduction="none").view(5, 2)
    ((losses * weights).sum() * 3).backward()
    assert torch.allclose(scored.losses, losses, atol=1e-5)
    assert ours[0] is not None and ours[1] is not None and x2.grad is not None and weight2.grad is not None
    assert torch.allclose(ours[0], x2.grad, atol=1e-5) and torch.allclose(ours[1], weight2.grad, atol=1e-5)


class Largest(TorchDispatchMode):
    """The most elements that any operation's result had, forward and backward."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        self.elements = max([self.elements, *(leaf.numel() for leaf in tree_leaves(made) if isinstance(leaf, torch.Tensor))])
        return made


def test_nothing_as_large_as_a_dense_mask_or_as_all_logits_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHUNK_ELEMENTS, "cpu", 4096)
    model = dataclasses.replace(tiny().model, context=512, vocab=512, hidden=16, kv_heads=2, ffn=32, document_mask=True)
    network, ids = build(model, 1), tokens(model, batch=2)
    segments = (torch.arange(512)[:, None] >= torch.tensor([100, 300])).int()
    with Largest() as largest:
        x = network.hidden(ids, segments)
        network.head.loss(x, ids, torch.ones(ids.shape)).total.backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert largest.elements <= 512 * 2 * 32 < 300 * 300 < 512 * 512


def test_first_weights_follow_from_seed_and_name_alone() -> None:
    model = tiny().model
    weights = dict(build(model, 1).named_parameters())
    deeper = dict(build(dataclasses.replace(model, layers=5), 1).named_parameters())
    assert torch.equal(weights["layers.1.attention.qkv.k"], deeper["layers.1.attention.qkv.k"])
    assert not torch.equal(weights["layers.1.attention.qkv.k"], weights["layers.1.attention.qkv.q"])
    assert not torch.equal(weights["head.weight"], build(model, 2).head.weight)


def test_first_weights_are_truncated_normal_by_kind() -> None:
    model = dataclasses.replace(tiny().model, hidden=256, base_hidden=64, init_std=0.03, init_std_matrix=0.08)
    head, down = drawn("head.weight", (512, 256), model, 1), drawn("layers.0.feed_forward.down.weight", (256, 512), model, 1)
    assert float(head.std()) == pytest.approx(0.03, rel=0.03) and float(head.abs().max()) <= 0.09
    assert float(down.std()) == pytest.approx(0.08 / 2, rel=0.03)  # m = 4
    assert torch.equal(drawn("norm.gain", (256,), model, 1), torch.ones(256))
