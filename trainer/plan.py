"""What a run will take: parameters, arithmetic, memory, idle pipeline, traffic and days, from the config alone.

Exact where it can be (parameters, FLOPs, optimizer states), counted from what the layers keep where not (activations).
Memory is in bytes of one device, for its fullest stage; GB are 10^9 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.config import ConfigError
from trainer.config import ModelConfig, ParallelConfig, TrainConfig
from trainer.config.parallel import CHUNK_ELEMENTS

_SECONDS_A_DAY = 86400
_GIGA = 1e9


def core_parameters(model: ModelConfig) -> int:
    """Parameters of all matrices inside blocks."""
    keys = model.key_heads * model.head_dim
    return model.layers * model.hidden * (2 * model.heads_width + 2 * keys + 3 * model.ffn)


def parameters(model: ModelConfig) -> int:
    """The exact count: L (4 h^2 + 3 h f + 2 h) + h + 2 V h where every head has its own keys and nothing is tied."""
    gains = 2 * model.hidden * model.layers + model.hidden
    return core_parameters(model) + gains + (1 if model.tied else 2) * model.rows * model.hidden


def flops_per_token(model: ModelConfig) -> float:
    """FLOPs of one token forward and backward, 6 N: the number that model FLOPs utilisation is usually quoted by."""
    return 6.0 * parameters(model)


def flops_per_token_with_attention(model: ModelConfig) -> float:
    """The same as Megatron counts: matrices and head, no look-up in the embedding, and 12 L h s for attention."""
    return 6.0 * (core_parameters(model) + model.rows * model.hidden) + 12.0 * model.layers * model.heads_width * model.context


@dataclass(frozen=True)
class Memory:
    """Bytes on one device. `activations` wait for their backward pass; `working` is what that pass needs beside them."""

    weights: float
    gradients: float
    optimizer: float
    activations: float
    logits: float
    working: float

    @property
    def total(self) -> float:
        return float(sum(vars(self).values()))


def rank_parameters(model: ModelConfig, parallel: ParallelConfig) -> float:
    """Parameters of a rank of the fullest stage: the first and last hold a matrix of the vocabulary each, a tied one twice."""
    blocks = -(-model.layers // parallel.pipeline)
    ends = 2 if parallel.pipeline == 1 and not model.tied else 1
    matrices = core_parameters(model) / model.layers * blocks + ends * model.rows * model.hidden
    return matrices / parallel.tensor + (2 * blocks + 1) * model.hidden


def kept_per_token(model: ModelConfig, parallel: ParallelConfig, low: float, recompute: str) -> float:
    """Bytes that one block keeps of one token for its backward pass, on one tensor rank; `low`: bytes of a value.

    Two residual states and two normed ones (shared among tensor ranks under sequence parallelism); queries, keys, values
    and the mix; gate, up and their product. A CPU's RMSNorm keeps its input and the scaled input in fp32 besides. Selective
    recomputation keeps the block's input and the results of matrix products and attention, sums over tensor ranks whole.
    """
    shared = parallel.tensor if parallel.sequence else 1
    state = low * model.hidden / shared
    if recompute == "full":
        return state
    keys = model.key_heads * model.head_dim
    inside = low * (2.0 * model.heads_width + 2.0 * keys + 3.0 * model.ffn) / parallel.tensor
    if recompute == "selective":
        return state + 2.0 * low * model.hidden + inside - low * model.ffn / parallel.tensor
    norms = 2.0 * state
    if parallel.device == "cpu":
        norms += 2.0 * 4.0 * model.hidden / shared * (1.0 if low == 4.0 else 2.0)
        state = state if low == 4.0 else 0.0  # the residual state is kept as the norm's input, in fp32
    return 2.0 * state + norms + inside


def memory(config: TrainConfig) -> Memory:
    """Memory by part, each of its fullest stage: the first waits for most micro-batches, the last has the logits."""
    model, parallel = config.model, config.parallel
    low = 2.0 if config.pretrain.precision == "bf16" else 4.0
    own = rank_parameters(model, parallel)
    tokens = model.context * parallel.micro_batch
    flying = min(parallel.pipeline, config.accumulation)  # micro-batches between their forward and backward pass
    blocks = -(-model.layers // parallel.pipeline)
    rows = model.rows / parallel.tensor
    chunk = min(float(CHUNK_ELEMENTS["cpu" if parallel.device == "cpu" else "cuda"]), tokens * rows)
    logits = chunk * (4.0 if low == 4.0 else 4.0 + low)
    return Memory(
        weights=low * own,
        gradients=4.0 * own,
        optimizer=12.0 * own / parallel.data,  # master and two moments, also where the weights are fp32 themselves
        activations=tokens * blocks * flying * kept_per_token(model, parallel, low, parallel.recompute),
        logits=logits,
        working=max(_head(model, parallel, low, chunk, tokens), _block(model, parallel, low, tokens) - logits),
    )


def _head(model: ModelConfig, parallel: ParallelConfig, low: float, chunk: float, tokens: int) -> float:
    """Beside the logits: the head's gradient (summed in fp32 where there are several chunks), and the states with theirs."""
    weight = model.hidden * model.rows / parallel.tensor
    several = chunk < tokens * model.rows / parallel.tensor
    return weight * (low + 4.0 if several else low) + 2.0 * low * tokens * model.hidden


def _block(model: ModelConfig, parallel: ParallelConfig, low: float, tokens: int) -> float:
    """In the middle of a block's backward pass: gradients of its feed-forward layer and residual states; what was not kept."""
    gradients = low * (4.0 * model.ffn / parallel.tensor + 2.0 * model.hidden)
    again = parallel.recompute != "none"
    return tokens * (gradients + (kept_per_token(model, parallel, low, "none") if again else 0.0))


def bubble(config: TrainConfig) -> float:
    """Share of a step in which a stage waits: (p - 1) / (micro-batches + p - 1)."""
    stages = config.parallel.pipeline
    return (stages - 1) / (config.accumulation + stages - 1)


@dataclass(frozen=True)
class Traffic:
    """Bytes that one rank sends in a step, by whom it talks to."""

    tensor: float
    pipeline: float
    data: float


def traffic(config: TrainConfig) -> Traffic:
    """Rings throughout: a sum over n ranks sends 2 (n - 1) / n of its bytes, a gather or scatter half of that."""
    model, parallel = config.model, config.parallel
    low = 2.0 if config.pretrain.precision == "bf16" else 4.0
    state = low * model.context * parallel.micro_batch * model.hidden
    blocks, count = model.layers / parallel.pipeline, config.accumulation
    around = 2.0 * (parallel.tensor - 1) / parallel.tensor
    extra = 1.0 if parallel.sequence else 0.0  # the backward pass gathers the inputs of column-cut matrices again
    # What is made anew stops before a block's last sum, which nothing in it needs.
    again = (1.0 + extra / 2.0) if parallel.recompute != "none" else 0.0
    passes = 4.0 + extra + again
    embedding_and_head = 2.0 if parallel.pipeline == 1 else 1.0
    ends = min(2, parallel.pipeline - 1) * state / (parallel.tensor if parallel.sequence else 1)  # a middle stage has two
    own = rank_parameters(model, parallel)
    share = (parallel.data - 1) / parallel.data
    return Traffic(
        tensor=(passes * blocks + embedding_and_head) * count * state * around,
        pipeline=ends * count,
        data=share * own * (2.0 * 4.0 + low),
    )


def days(config: TrainConfig) -> float:
    """Days for the token budget at the stated utilisation, counted by 6 N."""
    asked = config.plan
    rate = config.parallel.world * asked.gpu_peak * 1e12 * asked.mfu
    return asked.tokens * flops_per_token(config.model) / rate / _SECONDS_A_DAY


def utilisation(config: TrainConfig, days_taken: float) -> tuple[float, float]:
    """Model FLOPs utilisation of a run of the token budget in so many days: by 6 N, and with attention and head."""
    seconds = days_taken * _SECONDS_A_DAY * config.parallel.world * config.plan.gpu_peak * 1e12
    per_token = flops_per_token(config.model), flops_per_token_with_attention(config.model)
    return config.plan.tokens * per_token[0] / seconds, config.plan.tokens * per_token[1] / seconds


def fitting(config: TrainConfig) -> list[tuple[ParallelConfig, Memory]]:
    """The layouts of the same number of devices that fit into their memory, those with the least splitting first."""
    world, found = config.parallel.world, []
    for tensor in (1, 2, 4, 8):
        for pipeline in range(1, config.model.layers + 1):
            if world % (tensor * pipeline) or config.model.layers % pipeline:
                continue
            layout = replace(
                config.parallel, tensor=tensor, pipeline=pipeline, data=world // (tensor * pipeline), sequence=tensor > 1
            )
            try:
                needs = memory(replace(config, parallel=layout))
            except ConfigError:
                continue  # heads, feed-forward or batch cannot be divided so
            if needs.total <= config.plan.gpu_memory * 1e9:
                found.append((layout, needs))
    return sorted(found, key=lambda pair: (pair[0].tensor * pair[0].pipeline, pair[0].tensor))


def lines(config: TrainConfig) -> list[str]:
    """The plan for a person."""
    model, parallel, asked = config.model, config.parallel, config.plan
    needs, sent, layouts = memory(config), traffic(config), fitting(config)
    ends = (1 if model.tied else 2) * model.rows * model.hidden
    by_part = ", ".join(f"{name} {value / _GIGA:.1f}" for name, value in vars(needs).items())
    rows = [
        ("parameters", f"{parameters(model):,} ({parameters(model) - ends:,} without embedding and head)"),
        ("FLOPs a token", f"{flops_per_token(model) / _GIGA:,.1f} G by 6N"),
        ("", f"{flops_per_token_with_attention(model) / _GIGA:,.1f} G with attention and head"),
        ("layout", f"{_layout(parallel)} = {parallel.world} devices"),
        ("batch", f"{config.pretrain.batch:,} sequences, {config.tokens_per_step:,} tokens"),
        ("", f"{config.accumulation} micro-batches of {parallel.micro_batch} a rank"),
        ("memory a device", f"{needs.total / _GIGA:.1f} of {asked.gpu_memory:g} GB: {by_part}"),
        ("idle pipeline", f"{bubble(config):.2%} of a step"),
        ("sent a step", ", ".join(f"{value / _GIGA:.1f} GB to {name} ranks" for name, value in vars(sent).items())),
        ("budget", f"{asked.tokens:.4g} tokens, {asked.tokens / config.tokens_per_step:,.0f} steps"),
        ("", f"{days(config):.1f} days at {asked.mfu:.1%} of {asked.gpu_peak:g} TFLOP/s a device (by 6N)"),
        ("layouts that fit", f"{len(layouts)}, those with the least splitting first"),
        *(("", f"{_layout(layout)}: {fits.total / _GIGA:.1f} GB") for layout, fits in layouts[:8]),
    ]
    return [f"{label:18}{text}" for label, text in rows]


def _layout(parallel: ParallelConfig) -> str:
    return f"tensor {parallel.tensor} x pipeline {parallel.pipeline} x data {parallel.data}"
