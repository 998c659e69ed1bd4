"""Benchmarks over an exported model: RUN/benchmark/scores.json, and tables.md, which is printed too."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core import storage
from core.config import ConfigError, plain
from core.run import Run
from trainer.config import TrainConfig
from trainer.evaluate import directory
from trainer.evaluate.benchmarks.config import BenchmarkConfig
from trainer.evaluate.benchmarks.score import check_folder, score
from trainer.evaluate.benchmarks.tables import written
from trainer.evaluate.ids import ends_of, start_of
from trainer.evaluate.place import Place
from trainer.export.card import renew
from trainer.stage import made_of, record

SCORES, TABLES = "scores.json", "tables.md"


def benchmark(config: TrainConfig, export: str | None = None) -> str:
    """Scores a run's export, or another Hugging Face directory, and returns the tables as text.

    Another model's scores stand in RUN/benchmark/, below the end of its path (see `_label`). Raises ConfigError for what the
    user can mend.
    """
    run, settings = Run(config.run), config.benchmark
    check_folder(settings)
    folder = export or run.stage("export").uri
    run.prepare()
    record(config, run, ["benchmark"])
    began = time.monotonic()
    training, step = made_of(run) if export is None else (None, None)  # asked now, as the weights are read now
    if export is None and training != run.training():
        print(f"benchmark: {folder} is of an earlier training; `make export` writes the newer model.", file=sys.stderr)
    reader = exported(folder, settings, config.seed, ours=export is None)
    scores = score(reader, settings, config.seed)
    if not scores:
        raise ConfigError("benchmark: nothing was scored; name benchmarks with benchmark.names.")
    label = Path(run.uri).name if export is None else _label(run, Path(export).resolve())
    text = written(label, scores, step)
    directory = run.stage("benchmark").uri if export is None else run.stage("benchmark").path(label)
    facts = {
        "model": label,
        "export": folder,
        "seed": config.seed,
        "seconds": round(time.monotonic() - began, 2),
        "settings": plain(settings),
        "scores": {one: asdict(found) for one, found in scores.items()},
    }
    if export is None:
        facts |= {"training": training, "step": step}
    storage.write_json(storage.join(directory, SCORES), facts)
    storage.write_text(storage.join(directory, TABLES), text)
    if export is None:
        renew(run)
    return text


def _label(run: Run, folder: Path) -> str:
    """The shortest end of a model's path below which no other model's scores are; what all of ours are called is left out."""
    parts = folder.parts[1:]
    for count in range(2 if folder.name == "export" else 1, len(parts)):
        label = "-".join(parts[-count:]).removesuffix("-export")
        uri = run.stage("benchmark").path(label, SCORES)
        if not storage.exists(uri) or Path(storage.read_json(uri)["export"]).resolve() == folder:
            return label
    return "-".join(parts)


def exported(folder: str, settings: BenchmarkConfig, seed: int, ours: bool) -> Any:
    """A Hugging Face directory under the harness's interface. Raises ConfigError where it cannot be loaded."""
    if not (Path(folder) / "config.json").exists():
        raise ConfigError(f"{folder}: holds no exported model; run `make export` on this run first, or give --export DIR.")
    place = Place.of("benchmark", settings)
    place.check(directory.parameters(directory.look(folder, folder)[0]), folder)
    model, tokenizer = directory.load(folder, folder, place.dtype)
    if ours:
        return reader_of(model, tokenizer, *own_ids(tokenizer, settings), settings, seed)
    start = start_of(model, tokenizer, settings.start)
    if start is None:
        raise ConfigError(
            f"{folder}: neither its tokenizer nor its generation settings name a token to begin a text with; give one by "
            "benchmark.start."
        )
    return reader_of(model, tokenizer, start, ends_of(model, tokenizer), settings, seed)


def own_ids(tokenizer: Any, settings: BenchmarkConfig) -> tuple[int, list[int]]:
    """(the id in front of a text, those that end one) for a model of ours, trained on documents behind one another's ends."""
    end = int(tokenizer.eos_token_id)
    return end if settings.start is None else settings.start, [end]


def reader_of(model: Any, tokenizer: Any, start: int, ends: Sequence[int], settings: BenchmarkConfig, seed: int) -> Any:
    """A model in memory under the harness's interface, on the device of the settings; `start` and `ends` as in `Reader`."""
    try:
        from trainer.evaluate.benchmarks.reader import Reader
    except ImportError as error:
        raise ConfigError(
            f"benchmark: lm-evaluation-harness is missing ({error}); pip install -c constraints.txt -e '.[benchmark]'."
        ) from error
    place = Place.of("benchmark", settings)
    placed = model.to(place.device, dtype=place.dtype).eval()
    return Reader(placed, tokenizer, start, ends, settings.batch, seed)
