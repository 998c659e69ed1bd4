"""muP: how initialisation and learning rate of each kind of parameter follow from the width (Yang et al. 2022, Table 8).

Hyper-parameters are found at width `base_hidden`; a model m = hidden / base_hidden times as wide keeps them by these rules:

    kind          members                                      init std         Adam LR      in the forward pass
    vector-like   embedding, head, norm gains (start at 1)     sigma            eta          logits x output_mult / m
    matrix-like   q k v out, gate up down                      sigma / sqrt(m)  eta / m      -

`output_mult` and the 1/m are two things: the first is a hyper-parameter (report, Table 4), the second follows from the
width and must not be lost when a user sets the first. Attention keeps 1/sqrt(head size), a constant where heads keep theirs.
"""

from __future__ import annotations

import math
from typing import Literal

from trainer.config import ModelConfig, OptimizerConfig

Kind = Literal["vector-like", "matrix-like"]
KINDS: tuple[Kind, Kind] = ("vector-like", "matrix-like")
_INTO_RESIDUAL = (".attention.out.weight", ".feed_forward.down.weight")


def kind(name: str) -> Kind:
    """The kind of a parameter by its canonical name: matrices inside blocks have two dimensions that grow, all others one."""
    inside = name.startswith("layers.")
    return "matrix-like" if inside and not name.endswith(".gain") else "vector-like"


def init_std(name: str, model: ModelConfig) -> float | None:
    """The std a parameter is drawn with; None for gains, which start at 1."""
    if name.endswith(".gain"):
        return None
    if kind(name) == "vector-like":
        return model.init_std
    std = model.init_std_matrix / math.sqrt(model.width_ratio)
    if model.residual_init and name.endswith(_INTO_RESIDUAL):
        std /= math.sqrt(2 * model.layers)
    return std


def peak_lr(of: Kind, model: ModelConfig, optimizer: OptimizerConfig) -> float:
    """The peak learning rate of a kind."""
    return optimizer.lr if of == "vector-like" else optimizer.lr_matrix / model.width_ratio


def weight_decay(of: Kind, model: ModelConfig, optimizer: OptimizerConfig) -> float:
    """The decay of a kind, as the optimizer takes it.

    AdamW multiplies it by the learning rate, which in a matrix-like group holds 1/m already; the form `scaled` makes up for
    that. `coupled` adds decay x weight to the gradient, before Adam normalises it. In both of these the decay takes a factor
    of m, as in the `mup` package's MuAdamW and MuAdam.
    """
    if of == "vector-like":
        return optimizer.weight_decay_vector
    return optimizer.weight_decay * (1.0 if optimizer.weight_decay_form == "decoupled" else model.width_ratio)


def logit_scale(model: ModelConfig) -> float:
    """What the head's output is multiplied by."""
    return model.output_mult / model.width_ratio
