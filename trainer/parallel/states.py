"""Between the optimizer's shards and whole tensors: what a layout-free checkpoint is made of, and made into.

ZeRO-1 keeps fp32 weights and moments in flat pieces, one a data rank and group; a parameter lies in one piece or across
several. `_hp_mapping`, which DeepSpeed hangs on each parameter, says which of its elements this rank holds and where.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from trainer.checkpoint import MOMENTS, Checkpoint, CheckpointError, Writer, file_of
from trainer.parallel.engine import Engine

_STEP = "step"


def save(engine: Engine, writer: Writer, state: dict[str, Any]) -> None:
    """Writes a checkpoint; every rank takes part. Files are spread over the data ranks, in the first tensor rank of each."""
    ranks = engine.ranks
    if ranks.main:
        writer.prepare()
    dist.barrier()
    written = {}
    for number, (file, names) in enumerate(_own_files(engine).items()):
        on = number % ranks.data_size
        held = {}
        for name in names:
            for key in ("", *MOMENTS):
                whole = _whole(engine, name, key, on)
                if whole is not None:
                    held[f"{name}.{key}" if key else name] = whole
        if held:
            written[file] = writer.write(file, held)
    facts: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(facts, written)
    if ranks.main:
        writer.commit({**state, "adam_step": adam_step(engine)}, {file: fact for part in facts for file, fact in part.items()})
    dist.barrier()


def restore(engine: Engine, checkpoint: Checkpoint) -> None:
    """Gives this rank its share of weights and moments, whatever layout wrote them."""
    ranks = engine.ranks
    step = int(checkpoint.state["adam_step"])
    for group in _groups(engine):
        flat = group["params"][0]
        state = engine.optimizer.optimizer.state[flat]
        state[_STEP] = torch.tensor(float(step), dtype=torch.float32, device=flat.device)
        for moment in MOMENTS:
            state[moment] = torch.zeros_like(flat)
    for name, parameter in engine.named.items():
        dim = getattr(parameter, "cut", None)
        for key in ("", *MOMENTS):
            share = checkpoint.share(f"{name}.{key}" if key else name, dim, ranks.tensor.rank, ranks.tensor.size)
            if share.shape != parameter.shape:
                raise CheckpointError(
                    f"{checkpoint.path}: {name} is {tuple(share.shape)} for this rank, the model asks for "
                    f"{tuple(parameter.shape)}; resume with the model that was saved."
                )
            if not key:
                parameter.data.copy_(share)
            fragment = _fragment(engine, parameter, key)
            if fragment is not None:
                start, values = fragment
                values.copy_(share.flatten()[start : start + values.numel()])
    engine.deepspeed.global_steps = checkpoint.step


def damage(checkpoint: Checkpoint) -> str | None:
    """Compares all files with their checksums, shared among the ranks; the first finding, the same on every rank."""
    found = None
    for file in checkpoint.files[dist.get_rank() :: dist.get_world_size()]:
        try:
            checkpoint.verify(file)
        except CheckpointError as error:
            found = str(error)
    findings: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(findings, found)
    return next((finding for finding in findings if finding), None)


def adam_step(engine: Engine) -> int:
    """Updates that Adam has made, which its bias correction counts."""
    flat = _groups(engine)[0]["params"][0]
    return int(engine.optimizer.optimizer.state[flat].get(_STEP, 0))


def masters(engine: Engine) -> list[Tensor]:
    """A copy of the fp32 weights that this rank's optimizer holds, a flat tensor a group."""
    return [group["params"][0].detach().clone() for group in _groups(engine)]


def norms(engine: Engine, since: list[Tensor] | None = None) -> Iterator[tuple[str, float]]:
    """The norm of the fp32 weights of each group over all ranks, by group name; or of their change `since` a copy."""
    ranks = engine.ranks
    squares = torch.zeros(len(_groups(engine)), dtype=torch.float64)
    for parameter in engine.named.values():
        alone = hasattr(parameter, "cut") or ranks.tensor.rank == 0
        fragment = _fragment(engine, parameter, "")
        if fragment is not None and alone and not getattr(parameter, "ds_pipe_replicated", False):
            mapping, values = _mapping(parameter), fragment[1]
            if since is not None:
                place = mapping.hp_fragment_address
                values = values - since[mapping.param_group_index][place.start : place.start + place.numel]
            squares[mapping.param_group_index] += values.double().square().sum().cpu()
    total = squares.to(ranks.device, torch.float32)
    dist.all_reduce(total)
    for group, value in zip(_groups(engine), total.sqrt().tolist(), strict=True):
        yield group["name"], value


def _own_files(engine: Engine) -> dict[str, list[str]]:
    """Names by file of what this stage writes: all it holds, but for the second copy of a tied matrix."""
    files: dict[str, list[str]] = {}
    for name in engine.named:
        if name.startswith("embedding.") and not engine.ranks.first:
            continue
        files.setdefault(file_of(name), []).append(name)
    return files


def _whole(engine: Engine, name: str, key: str, on: int) -> Tensor | None:
    """The whole tensor on the first tensor rank of data rank `on`; None elsewhere."""
    ranks, parameter = engine.ranks, engine.named[name]
    share = torch.zeros(parameter.numel(), dtype=torch.float32, device=ranks.device)
    fragment = _fragment(engine, parameter, key)
    if fragment is not None:
        start, values = fragment
        share[start : start + values.numel()] = values.detach()
    if ranks.data_size > 1:
        dist.reduce(share, dist.get_global_rank(ranks.data_group, on), group=ranks.data_group)
    if ranks.data != on:
        return None
    share = share.view(parameter.shape)
    dim = getattr(parameter, "cut", None)
    tensor = ranks.tensor
    if dim is not None and not tensor.alone:
        shares = [torch.empty_like(share) for _ in range(tensor.size)] if tensor.rank == 0 else None
        dist.gather(share, shares, dist.get_global_rank(tensor.group, 0), group=tensor.group)
        share = torch.cat(shares, dim) if shares is not None else share
    return share.cpu() if tensor.rank == 0 else None


def _groups(engine: Engine) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = engine.optimizer.optimizer.param_groups
    return groups


def _mapping(parameter: nn.Parameter) -> Any:
    return parameter._hp_mapping  # type: ignore[attr-defined]


def _fragment(engine: Engine, parameter: nn.Parameter, key: str) -> tuple[int, Tensor] | None:
    """The elements of a parameter (or of a moment) that this rank's optimizer holds: the first one's place, and a view."""
    mapping = _mapping(parameter)
    if mapping is None:
        return None
    flat: Tensor = _groups(engine)[mapping.param_group_index]["params"][0]
    if key:
        state = engine.optimizer.optimizer.state[flat]
        if key not in state:
            return None  # no step was made yet: zeros
        flat = state[key]
    place = mapping.hp_fragment_address
    return mapping.lp_fragment_address.start, flat.detach()[place.start : place.start + place.numel]
