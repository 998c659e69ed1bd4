"""A plain one-process training loop, written without any of the project's layers: what every layout must equal.

The network is spelled out in functions of a dictionary of weights; clipping is torch's, the optimizer is torch's with one
group a kind. Only the initial weights (by name) and the hyper-parameters come from outside.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainer.config import TrainConfig


def _norm(x: Tensor, gain: Tensor, eps: float) -> Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * gain


def _turn(x: Tensor, theta: float) -> Tensor:
    """x [batch, heads, sequence, size]."""
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[-2])[:, None] * theta ** (-torch.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()), -1)


def logits(weights: dict[str, Tensor], tokens: Tensor, config: TrainConfig, document_end: int | None = None) -> Tensor:
    """tokens [batch, sequence] -> [batch, sequence, vocabulary]; with `document_end`, documents do not see each other."""
    model = config.model
    length = tokens.shape[1]
    mask = torch.full((length, length), -math.inf).triu(1)
    if document_end is not None:
        ends = (tokens == document_end).int()
        document = ends.cumsum(1) - ends
        apart = document[:, None, :, None] != document[:, None, None, :]
        mask = mask + torch.zeros(apart.shape).masked_fill(apart, -math.inf)
    x = weights["embedding.weight"][tokens] * model.input_mult
    for n in range(model.layers):
        w = {name.removeprefix(f"layers.{n}."): value for name, value in weights.items() if name.startswith(f"layers.{n}.")}
        y = _norm(x, w["attention_norm.gain"], model.norm_eps)
        q, k, v = ((y @ w[f"attention.qkv.{name}"].T).unflatten(-1, (-1, model.head_dim)).transpose(1, 2) for name in "qkv")
        q, k = _turn(q, model.rope_theta), _turn(k, model.rope_theta)
        k, v = (part.repeat_interleave(q.shape[1] // part.shape[1], dim=1) for part in (k, v))
        scores = q @ k.transpose(-1, -2) / math.sqrt(model.head_dim) + mask
        y = (scores.softmax(-1) @ v).transpose(1, 2).flatten(-2)
        x = x + y @ w["attention.out.weight"].T
        y = _norm(x, w["feed_forward_norm.gain"], model.norm_eps)
        gate, up = y @ w["feed_forward.gate_up.gate"].T, y @ w["feed_forward.gate_up.up"].T
        x = x + (gate * torch.sigmoid(gate) * up) @ w["feed_forward.down.weight"].T
    x = _norm(x, weights["norm.gain"], model.norm_eps)
    head = weights["embedding.weight"] if model.tied else weights["head.weight"]
    return (x @ head.T) * model.output_mult * (model.base_hidden or model.hidden) / model.hidden


def train(
    weights: dict[str, Tensor],
    batches: list[Tensor],
    config: TrainConfig,
    shares: list[float],
    skipped: frozenset[int] = frozenset(),
) -> list[tuple[float, float]]:
    """(loss, gradient norm before clipping) of each step; `shares` scale each group's peak rate; the update of `skipped`
    steps (from 0) is not made. Changes `weights`."""
    settings, model = config.pretrain.optimizer, config.model
    for value in weights.values():
        value.requires_grad_(True)
    inside = {name for name, value in weights.items() if name.startswith("layers.") and value.ndim == 2}
    ratio = model.hidden / (model.base_hidden or model.hidden)
    peaks = [settings.lr, settings.lr_matrix / ratio]
    members = [[v for k, v in weights.items() if k not in inside], [v for k, v in weights.items() if k in inside]]
    form = settings.weight_decay_form
    decays = [settings.weight_decay_vector, settings.weight_decay * (1 if form == "decoupled" else ratio)]
    optimizer = (torch.optim.Adam if form == "coupled" else torch.optim.AdamW)(
        [{"params": part, "lr": peak, "weight_decay": w} for part, peak, w in zip(members, peaks, decays, strict=True)],
        betas=(settings.beta1, settings.beta2),
        eps=settings.eps,
        foreach=False,
    )
    history = []
    for step, (tokens, share) in enumerate(zip(batches, shares, strict=True)):
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * share
        optimizer.zero_grad()
        scores = logits(weights, tokens[:, :-1], config)
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(list(weights.values()), settings.clip)
        if step not in skipped:
            optimizer.step()
        history.append((float(loss.detach()), float(norm)))
    return history
