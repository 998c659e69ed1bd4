"""Tele-FLM (report, section 3.1): a pre-norm transformer with RMSNorm, SwiGLU and rotary positions, without biases.

Hidden states are [sequence, batch, hidden]. Nothing here knows of ranks: the layers do.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional as F

from trainer.config import ModelConfig
from trainer.model.attention import attend, rotate
from trainer.model.mup import logit_scale
from trainer.model.swiglu import swiglu
from trainer.parallel.layers import ColumnLinear, Norm, RowLinear, Vocabulary
from trainer.parallel.loss import Scored


class Embedding(Vocabulary):
    """Token ids [sequence, batch] -> [sequence, batch, hidden], times the input multiplier."""

    def __init__(self, model: ModelConfig) -> None:
        super().__init__(model.rows, model.hidden)
        self.mult = model.input_mult

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.look_up(tokens)
        return x if self.mult == 1.0 else x * self.mult


class Attention(nn.Module):
    """Causal self-attention with rotary positions; with fewer key heads, several query heads share one."""

    mask: Tensor | None = None  # while new heads are growing in: [heads of this rank, 1]

    def __init__(self, model: ModelConfig) -> None:
        super().__init__()
        self.head_dim, self.theta = model.head_dim, model.rope_theta
        keys = model.key_heads * model.head_dim
        self.qkv = ColumnLinear(model.hidden, q=model.heads_width, k=keys, v=keys)
        self.out = RowLinear(model.heads_width, model.hidden)

    def forward(self, x: Tensor, segments: Tensor | None = None) -> Tensor:
        q, k, v = (part.unflatten(-1, (-1, self.head_dim)) for part in self.qkv(x))  # [sequence, batch, heads, head_dim]
        q, k = rotate(q, self.theta), rotate(k, self.theta)
        heads = attend(q, k, v, segments)
        if self.mask is not None:
            heads = heads * self.mask
        mixed: Tensor = self.out(heads.flatten(-2))
        return mixed


class FeedForward(nn.Module):
    """SwiGLU (Shazeer 2020): down(silu(gate(x)) * up(x))."""

    mask: Tensor | None = None  # while new units are growing in: [units of this rank]

    def __init__(self, model: ModelConfig) -> None:
        super().__init__()
        self.gate_up = ColumnLinear(model.hidden, gate=model.ffn, up=model.ffn)
        self.down = RowLinear(model.ffn, model.hidden)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x)
        units = swiglu(gate, up)
        if self.mask is not None:
            units = units * self.mask
        down: Tensor = self.down(units)
        return down


class Block(nn.Module):
    """Pre-norm transformer block. [sequence, batch, hidden] -> the same."""

    share: float = 1.0  # what counts of both branches; below 1 while a new block is growing in

    def __init__(self, model: ModelConfig) -> None:
        super().__init__()
        self.dropout = model.dropout
        self.attention_norm = Norm(model.hidden, model.norm_eps)
        self.attention = Attention(model)
        self.feed_forward_norm = Norm(model.hidden, model.norm_eps)
        self.feed_forward = FeedForward(model)

    def forward(self, x: Tensor, segments: Tensor | None = None) -> Tensor:
        x = x + self._branch(self.attention(self.attention_norm(x), segments))
        return x + self._branch(self.feed_forward(self.feed_forward_norm(x)))

    def _branch(self, branch: Tensor) -> Tensor:
        if self.share != 1.0:
            branch = branch * self.share
        return F.dropout(branch, self.dropout, self.training) if self.dropout else branch


class FinalNorm(Norm):
    """The norm in front of the head."""

    def __init__(self, model: ModelConfig) -> None:
        super().__init__(model.hidden, model.norm_eps)


class Head(Vocabulary):
    """[sequence, batch, hidden] -> logits [sequence, batch, vocabulary], times output_mult / m."""

    def __init__(self, model: ModelConfig) -> None:
        super().__init__(model.rows, model.hidden)
        self.scale = logit_scale(model)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(x) * self.scale

    def loss(self, x: Tensor, targets: Tensor, weights: Tensor) -> Scored:
        """Weighted cross-entropy of the next tokens, without ever holding all logits."""
        return self.score(x, targets, weights, self.scale)


def parts(model: ModelConfig) -> Iterator[tuple[str, type[nn.Module]]]:
    """The network as a chain: (canonical name, class), in order. A pipeline cuts it anywhere between two blocks."""
    yield "embedding", Embedding
    for index in range(model.layers):
        yield f"layers.{index}", Block
    yield "norm", FinalNorm
    yield "head", Head


class Network(nn.Module):
    """The whole network on one device: what evaluation, export and tests run. Tokens [sequence, batch] -> logits."""

    def __init__(self, model: ModelConfig) -> None:
        super().__init__()
        self.embedding = Embedding(model)
        self.layers = nn.ModuleList(Block(model) for _ in range(model.layers))
        self.norm = FinalNorm(model)
        self.head = Head(model)
        self.tied = model.tied
        self.tie()

    def tie(self) -> None:
        """Makes head and embedding one matrix where the config says so; to be called again when a parameter is replaced."""
        if self.tied:
            self.head.weight = self.embedding.weight

    def hidden(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        """The normalised hidden states in front of the head."""
        x = self.embedding(tokens)
        for block in self.layers:
            x = block(x, segments)
        normed: Tensor = self.norm(x)
        return normed

    def forward(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(self.hidden(tokens, segments))
        return logits

    def losses(self, tokens: Tensor, targets: Tensor, segments: Tensor | None = None) -> Tensor:
        """Nats of each target [sequence, batch] given the tokens up to its place."""
        weights = targets.new_ones(targets.shape, dtype=self.norm.gain.dtype).float()
        return self.head.loss(self.hidden(tokens, segments), targets, weights).losses
