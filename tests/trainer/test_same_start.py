"""All ranks go on from one checkpoint, whatever their nodes show them of the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch.distributed as dist

from core.config import ConfigError
from tests.trainer import worlds
from tests.trainer.test_checkpoint import save
from trainer.checkpoint import Checkpoint, CheckpointError
from trainer.config import ParallelConfig

PARALLEL = ParallelConfig(data=2, micro_batch=4, device="cpu", threads=1)


def choose(run: str, other: str, ways: list[str]) -> list[list[str]]:
    """Runs on both ranks, the second of which sees its node's own picture of RUN/pretrain: for each way of that, what each
    rank was to go on from, or why it was refused."""
    from trainer import resume
    from trainer.parallel.start import start

    start(PARALLEL)
    second = dist.get_rank() == 1
    found = []
    for way in ways:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(resume, "_SECONDS_TO_SEE", 2.0)
            patch.setattr(resume, "_SECONDS_BETWEEN_LOOKS", 0.1)
            folder = run
            if second and way == "listed none":
                patch.setattr("trainer.checkpoint.steps_in", lambda folder: [])
            elif second and way == "listed the older":
                patch.setattr("trainer.checkpoint.steps_in", lambda folder: [4])
            elif second and way == "not mounted":
                folder = other
            elif second and way in ("late", "never", "replaced"):
                patch.setattr(Checkpoint, "open", opened(way, Path(other)))
            try:
                chosen = resume.newest_whole(Path(folder) / "checkpoints", worlds.tiny(PARALLEL), not second)
                found.append("none" if chosen is None else chosen.path.name)
            except ConfigError as error:
                found.append(str(error))
    all_found: list[list[str]] = [[], []]
    dist.all_gather_object(all_found, found)
    return all_found


def opened(way: str, other: Path) -> Callable[[Path], Checkpoint]:
    """Checkpoint.open on a node that sees a new checkpoint late or never, or the one that had its name before."""
    looks, read = 0, Checkpoint.open

    def look(path: Path) -> Checkpoint:
        nonlocal looks
        looks += 1
        if way == "never" or (way == "late" and looks < 4):
            raise CheckpointError("no such checkpoint")
        return read(other / "checkpoints" / path.name if way == "replaced" else path)

    return look


def test_a_node_that_lists_the_folder_as_it_was_goes_on_with_the_others(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    for step in (4, 8):
        save(run / "checkpoints", step)
    ways = ["listed none", "listed the older", "late"]
    assert worlds.run(2, choose, str(run), str(other), ways) == [["step-00000008"] * 3] * 2
    assert [path.name for path in run.iterdir()] == ["checkpoints"]


def test_a_folder_that_a_node_has_not_mounted_is_refused_on_all_ranks(tmp_path: Path) -> None:
    run, other, fresh = (tmp_path / name for name in ("run", "other", "fresh"))
    for folder in (run, other):
        save(folder / "checkpoints", 8)
    fresh.mkdir()
    first, second = worlds.run(2, choose, str(run), str(other), ["not mounted", "never"])
    assert first == second
    for said, folder in zip(first, (other, run), strict=True):  # on a cluster both would be of one name
        assert f"{folder}" in said and ": rank 1 on " in said
        assert said.endswith("; it must be mounted on every node, as one and the same folder.")
    assert "step-00000008" not in first[0] and "no such checkpoint" in first[1]
    # A run that begins would else fail at its first checkpoint only.
    first, second = worlds.run(2, choose, str(fresh), str(other), ["not mounted", "shared"])
    assert first == second and "does not see what rank 0 sees" in first[0] and first[1] == "none"
    assert not list(fresh.iterdir())


def test_a_node_that_still_sees_the_checkpoint_which_had_the_name_before_is_refused(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    save(run / "checkpoints", 8)
    save(other / "checkpoints", 4)
    (other / "checkpoints/step-00000004").rename(other / "checkpoints/step-00000008")
    first, second = worlds.run(2, choose, str(run), str(other), ["replaced"])
    assert first == second and "is another than rank 0 has opened" in first[0]
