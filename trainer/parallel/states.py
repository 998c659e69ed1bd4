"""Between the optimizer's shards and whole tensors: what a layout-free checkpoint is made of, and made into.

ZeRO-1 keeps fp32 weights and moments in flat pieces, one a data rank and group; a parameter lies in one piece or across
several. `_hp_mapping`, which DeepSpeed hangs on each parameter, says which of its elements this rank holds and where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from trainer.checkpoint import MOMENTS, Checkpoint, CheckpointError, Writer, file_of
from trainer.parallel.agree import first_finding
from trainer.parallel.collectives import TensorGroup
from trainer.parallel.engine import Engine

_STEP = "step"


def _unwatched(doing: str) -> None:
    """For who is not watched by a watchdog."""


def save(engine: Engine, writer: Writer, state: dict[str, Any], beat: Callable[[str], None] = _unwatched) -> None:
    """Writes a checkpoint; every rank takes part, and tells `beat` before each round what comes.

    In a round each data rank collects one file of its stage, then the first tensor ranks of all of them write at once.
    """
    ranks = engine.ranks
    if ranks.main:
        writer.prepare()
    dist.barrier()
    files = list(_files(name for name in engine.named if ranks.first or not name.startswith("embedding.")).items())
    places = _places(engine)
    written = {}
    for first in range(0, len(files), ranks.data_size):
        part = files[first : first + ranks.data_size]
        beat(f"{writer.final.name}, writing files {first + 1} to {first + len(part)} of the {len(files)} of its stage")
        held = _collect(engine, [names for _, names in part], places)
        if held:
            file = part[ranks.data][0]
            written[file] = writer.write(file, held)
    beat(f"{writer.final.name}, waiting for the other ranks' files")
    facts: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(facts, written)
    if ranks.main:
        writer.commit({**state, "adam_step": adam_step(engine)}, {file: fact for part in facts for file, fact in part.items()})
    dist.barrier()


def restore(engine: Engine, checkpoint: Checkpoint, beat: Callable[[str], None] = _unwatched) -> None:
    """Gives this rank its share of weights and moments, whatever layout wrote them; every rank takes part.

    A rank reads what its optimizer holds and no more; the weights that it computes with come from the data ranks' optimizers,
    as after every step.
    """
    ranks = engine.ranks
    step = int(checkpoint.state["adam_step"])
    for group in _groups(engine):
        flat = group["params"][0]
        state = engine.optimizer.optimizer.state[flat]
        state[_STEP] = torch.tensor(float(step), dtype=torch.float32, device=flat.device)
        for moment in MOMENTS:
            state[moment] = torch.zeros_like(flat)
    for file, names in _files(engine.named).items():
        beat(f"reading {checkpoint.path / file}")
        shapes = checkpoint.shapes(file)
        for name in names:
            parameter = engine.named[name]
            dim, shape = getattr(parameter, "cut", None), list(parameter.shape)
            if dim is not None:
                shape[dim] *= ranks.tensor.size
            if shapes.get(name) != shape:
                raise CheckpointError(
                    f"{checkpoint.path}: {name} is {shapes.get(name, 'missing')}, the model asks for {shape}; resume with the "
                    "model that was saved."
                )
            for key in ("", *MOMENTS):
                fragment = _fragment(engine, parameter, key)
                if fragment is not None:
                    start, values = fragment
                    whole = f"{name}.{key}" if key else name
                    share = ranks.tensor.rank, ranks.tensor.size
                    values.copy_(checkpoint.elements(whole, dim, *share, start, values.numel()))
    beat("waiting for the other ranks' weights")
    engine.optimizer.update_lp_params()
    engine.deepspeed.global_steps = checkpoint.step


def damage(checkpoint: Checkpoint, beat: Callable[[str], None] = _unwatched) -> str | None:
    """Compares all files with their checksums, shared among the ranks; the first finding, the same on every rank."""
    found = None
    for file in checkpoint.files[dist.get_rank() :: dist.get_world_size()]:
        beat(f"reading {checkpoint.path / file}")
        try:
            checkpoint.verify(file)
        except CheckpointError as error:
            found = str(error)
    beat(f"waiting for the other ranks to read {checkpoint.path}")
    return first_finding(found)


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


def _files(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by file, in order."""
    files: dict[str, list[str]] = {}
    for name in names:
        files.setdefault(file_of(name), []).append(name)
    return files


def _places(engine: Engine) -> list[dict[str, tuple[int, int]]]:
    """For each data rank of this share of the model: where the elements begin that it holds of each parameter, and how many."""
    own = {}
    for name, parameter in engine.named.items():
        fragment = _fragment(engine, parameter, "")
        if fragment is not None:
            own[name] = fragment[0], fragment[1].numel()
    places: list[Any] = [own] * engine.ranks.data_size
    if engine.ranks.data_size > 1:
        dist.all_gather_object(places, own, group=engine.ranks.data_group)
    return places


def _collect(engine: Engine, parts: list[list[str]], places: list[dict[str, tuple[int, int]]]) -> dict[str, Tensor]:
    """Whole weights and moments of the n-th of `parts` on the first tensor rank of data rank n; nothing on other ranks."""
    ranks = engine.ranks
    own = parts[ranks.data] if ranks.data < len(parts) else []
    held = {}
    for key in ("", *MOMENTS):
        for name, share in _exchange(engine, parts, own, places, key):
            whole = _joined(share, getattr(engine.named[name], "cut", None), ranks.tensor)
            if whole is not None:
                held[f"{name}.{key}" if key else name] = whole.cpu()
    return held


def _exchange(
    engine: Engine, parts: list[list[str]], own: list[str], places: list[dict[str, tuple[int, int]]], key: str
) -> Iterator[tuple[str, Tensor]]:
    """Sends each data rank what this one holds of its part; what comes of this rank's `own` makes whole shares, by name."""
    ranks = engine.ranks
    mine = places[ranks.data]
    sent = [_values(engine, name, key) for names in parts for name in names if name in mine]
    sizes = [sum(mine[name][1] for name in names if name in mine) for names in parts]
    sizes += [0] * (ranks.data_size - len(parts))
    due = [sum(place[name][1] for name in own if name in place) for place in places]
    buffer = torch.cat(sent) if sent else torch.empty(0, device=ranks.device)
    received = buffer
    if ranks.data_size > 1:
        received = torch.empty(sum(due), device=ranks.device)
        dist.all_to_all_single(received, buffer, due, sizes, group=ranks.data_group)
    pieces: dict[str, list[tuple[int, Tensor]]] = {name: [] for name in own}
    for source, values in zip(places, received.split(due), strict=True):
        names = [name for name in own if name in source]
        for name, piece in zip(names, values.split([source[name][1] for name in names]), strict=True):
            pieces[name].append((source[name][0], piece))
    for name, found in pieces.items():
        found.sort(key=lambda piece: piece[0])
        yield name, torch.cat([piece for _, piece in found]).view(engine.named[name].shape)


def _joined(share: Tensor, dim: int | None, tensor: TensorGroup) -> Tensor | None:
    """The whole tensor on the first tensor rank; None on the others."""
    if dim is not None and not tensor.alone:
        shares = [torch.empty_like(share) for _ in range(tensor.size)] if tensor.rank == 0 else None
        dist.gather(share, shares, dist.get_global_rank(tensor.group, 0), group=tensor.group)
        share = torch.cat(shares, dim) if shares is not None else share
    return share if tensor.rank == 0 else None


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


def _values(engine: Engine, name: str, key: str) -> Tensor:
    """The elements that this rank holds of a parameter or of its moment, which is zero before the first step."""
    weights, found = (_fragment(engine, engine.named[name], kind) for kind in ("", key))
    assert weights is not None
    return found[1] if found is not None else torch.zeros_like(weights[1])
