"""What each stage of the data line is worth: one model trained on what each stage keeps of a crawl with planted junk; BPB.

The crawl is made from clean prose (see `_junk`); more than half of it is junk, and every document carries its kind, so that
what each stage took of which kind stands beside the figures. The line runs over it once, with its own rules and one vocabulary
for all points. `raw` is what `extract` gave. At every point the same model sees as many tokens, half of them English, half
Chinese, and is measured in bits per byte on independent text: prose of other books and articles, none of it in the crawl. A
seed draws the first weights and the order of the data. The last point is the prose that the crawl was made of, without
anything planted: no cleaning can do better.

What to mind: the quality classifier learns from reference text of the same kind, which is the best case. Contamination is
planted in good pages, so taking it out cannot help on this text: its worth is in honest scores. Less text is seen more often:
the epochs of each point are given. All of it is small; a stage's worth depends on the junk that there is.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _junk
from benchmarks._trials import CONFIG, ROOT, result, say, trained
from core.config import load
from core.line import foreign
from core.run import Run
from core.storage import local_path, write_json, write_text
from datapipe.shards import read_kept
from tokenizer.encode import Encoder, Vocabulary
from tokenizer.shards import ShardWriter, dtype_for
from trainer.config import TrainConfig
from trainer.search import plot
from trainer.search.trials import Trial

STAGES = ("extract", "clean", "dedup_paragraphs", "filter_quality", "dedup_documents", "decontaminate")
POINTS = {stage: f"after {stage}" if place else "raw" for place, stage in enumerate(STAGES)} | {"pages": "nothing planted"}
LINE = """
extends: {cleaning}
seed: 1
run: {run}
corpus: {corpus}
spark: {{master: "local[2]", driver_memory: 2g, partitions: 4}}
extract:
  shards: 4
  inputs:
    - {{glob: web/en.jsonl, source: records, domain: WebText, language: en, options: {{url: url, keep: [kind]}}}}
    - {{glob: web/zh.jsonl, source: records, domain: WebText, language: zh, options: {{url: url, keep: [kind]}}}}
    - {{glob: reference/en.jsonl, source: records, domain: Book, language: en, options: {{url: url}}}}
    - {{glob: reference/zh.jsonl, source: records, domain: Book, language: zh, options: {{url: url}}}}
train_quality:
  unseen_domains: false
  languages:
    en: {{positives: [{{domains: [Book]}}], negatives: [{{domains: [WebText]}}]}}
    zh: {{positives: [{{domains: [Book]}}], negatives: [{{domains: [WebText]}}]}}
decontaminate: {{benchmarks: {{made: "benchmarks/*.jsonl"}}}}
train_tokenizer: {{vocabulary: {vocabulary}}}
"""

Text = tuple[str, str, str]
"""Language, kind, text."""


@dataclass(frozen=True)
class Point:
    """What is trained on at one place of the line: a run with token shards, bytes by kind, epochs, and what came of it."""

    run: Run
    kinds: dict[str, int]
    epochs: dict[str, float]
    trials: list[Trial]
    held: dict[str, int]

    def bpb(self, language: str = "") -> np.ndarray:
        """Bits per byte of the independent text, one for each seed; of one language, or of all by their bytes."""
        return np.array([self._of(one, one.steps, language) for one in self.trials])

    def curve(self) -> list[tuple[float, float]]:
        """Tokens seen, and the mean over seeds."""
        config = self.trials[0].config
        steps = sorted(validations(self.trials[0]))
        return [(step * config.tokens_per_step, float(np.mean([self._of(one, step) for one in self.trials]))) for step in steps]

    def _of(self, one: Trial, step: int, language: str = "") -> float:
        found = validations(one).get(step)
        if found is None:  # it broke before
            return float("inf")
        wanted = [language] if language else list(self.held)
        return sum(found[name]["bpb"] * self.held[name] for name in wanted) / sum(self.held[name] for name in wanted)


def main(given: list[str]) -> Iterable[dict[str, Any]]:
    asked = argparse.ArgumentParser(prog="data-ablation", description=__doc__)
    asked.add_argument("--corpus", required=True, help="a folder with corpus/en.jsonl.zst and corpus/zh.jsonl.zst")
    asked.add_argument("--run", default="runs/data-ablation", help="working folder; the same command goes on where it stopped")
    asked.add_argument("--megabytes", type=float, default=10.0, help="size of the made crawl")
    asked.add_argument("--vocabulary", type=int, default=4096)
    asked.add_argument("--steps", type=int, default=256, help="of each training: 4,096 tokens a step")
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--slots", type=int, default=1, help="trainings at a time")
    asked.add_argument("settings", nargs="*", metavar="key=value", help="settings of the trainings, as model.layers=2")
    options = asked.parse_args(given)
    every = max(1, options.steps // 4)
    asked_for = [f"pretrain.steps={options.steps}", f"pretrain.validate_every={every}", "pretrain.validate_sequences=0"]
    asked_for.append(f"pretrain.schedule.length={options.steps}")
    config = load(CONFIG, [*asked_for, *options.settings], TrainConfig, foreign("trainer"))
    configs = [replace(config, seed=config.seed + number) for number in range(options.seeds)]
    root = Path(options.run).resolve()
    line = cleaned(root, Path(options.corpus), options.megabytes, options.vocabulary)
    points = {}
    for name in POINTS:
        run, facts = encoded(root, line, name)
        tokens = options.steps * config.tokens_per_step / len(_junk.LANGUAGES)
        epochs = {language: tokens / row["train_tokens"] for language, row in facts["mix"].items()}
        trials = trained(configs, run, options.slots)
        points[name] = Point(run, facts["kinds"], epochs, trials, facts["held_out_bytes"])
        say(f"{POINTS[name]:24} BPB {numbers(points[name].bpb(), 4)}")
    say(table(points))
    drawing = root / "data-ablation.svg"
    curves = {name: point.curve() for name, point in points.items()}
    write_text(str(drawing), plot.figure([("bits per byte of independent text", curves)], POINTS, "decontaminate", log_x=True))
    say(f"curves: {drawing}")
    yield from results(points)


def cleaned(root: Path, corpus: Path, megabytes: float, vocabulary: int) -> Run:
    """The line, run over the made crawl up to the tokenizer, as far as it has not been already."""
    program = inspect.getsource(_junk) + inspect.getsource(_junk.words)
    wanted = {"megabytes": megabytes, "vocabulary": vocabulary, "program": hashlib.sha256(program.encode()).hexdigest()}
    mark = root / "made.json"
    found = json.loads(mark.read_text(encoding="utf-8")) if mark.exists() else None
    if found is None:
        found = {"asked": wanted, "bytes": _junk.write(corpus, root, megabytes)}
        write_json(str(mark), found)
    if found["asked"] != wanted:
        raise SystemExit(f"error: {root}: holds a crawl made otherwise ({found['asked']}); give another --run.")
    for language, kinds in found["bytes"].items():
        shares = ", ".join(f"{kind} {100 * size / sum(kinds.values()):.0f} %" for kind, size in kinds.items())
        say(f"made, {language}: {sum(kinds.values()) / 1e6:.1f} MB: {shares}")
    run = Run(str(root / "line"))
    config = root / "line.yaml"
    cleaning = ROOT / "configs" / "cleaning.yaml"
    write_text(str(config), LINE.format(cleaning=cleaning, run=run.uri, corpus=root / "crawl", vocabulary=vocabulary))
    command = [sys.executable, "jobs/extract.py", "--config", str(config), "--through", "train_tokenizer"]
    if subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode:
        raise SystemExit("error: the line ended with an error; what it said stands above. The same command goes on from there.")
    return run


def encoded(root: Path, line: Run, name: str) -> tuple[Run, dict[str, Any]]:
    """Token shards of one point: its text for training, the independent text for validation, a language an entry of the mix."""
    run = Run(str(root / "points" / name))
    directory, tokenizer = run.stage("encode"), line.stage("train_tokenizer")
    before = line.stage("decontaminate" if name == "pages" else name).require()["fingerprint"]
    fingerprint = hashlib.sha256(f"{name} {before} {tokenizer.require()['fingerprint']}".encode()).hexdigest()[:32]
    if directory.is_done(fingerprint):
        return run, directory.require()
    directory.begin(fingerprint)
    link = Path(local_path(run.stage("train_tokenizer").uri))
    if not os.path.lexists(link):
        link.symlink_to(os.path.relpath(Path(local_path(tokenizer.uri)).resolve(), link.parent.resolve()))
    uri = tokenizer.path("tokenizer.json")
    vocabulary = Vocabulary.read(uri)
    encoder = Encoder(Path(local_path(uri)).read_text(encoding="utf-8"))
    texts = {"train": list(kept(root, line, name)), "validation": list(apart(root, "independent"))}
    shards, mix = [], {}
    for language in _junk.LANGUAGES:
        for split, every in texts.items():
            own = [text for code, _, text in every if code == language]
            if not own:
                raise SystemExit(f"error: {POINTS[name]}: no {language} text is left; make more (--megabytes).")
            ids, lengths = encoder.end_documents(*encoder.encode(own))
            sizes = np.array([len(text.encode()) for text in own])
            path = f"tokens/{language}/{split}-00000"
            with ShardWriter(directory.path(path), dtype_for(vocabulary.vocab_size)) as writer:
                writer.add_many(ids, lengths, [language] * len(own), sizes)
            assert writer.written is not None
            shards.append({"path": path, "domain": language, "split": split, **vars(writer.written)})
        counts = {f"{entry['split']}_tokens": entry["tokens"] for entry in shards if entry["domain"] == language}
        mix[language] = {"proportion": 0.5, "epochs": 1.0, **counts}
    kinds: Counter[str] = Counter()
    for _, kind, text in texts["train"]:
        kinds[kind] += len(text.encode())
    held = {entry["domain"]: entry["utf8_bytes"] for entry in shards if entry["split"] == "validation"}
    about = {"path": "../train_tokenizer/tokenizer.json", **vars(vocabulary)}
    facts = {"tokenizer": about, "shards": shards, "mix": mix, "kinds": dict(kinds), "held_out_bytes": held}
    directory.commit(fingerprint, facts, 0.0)
    return run, directory.require()


def kept(root: Path, line: Run, name: str) -> Iterator[Text]:
    """The crawl's text that a stage kept; of the last point, the prose itself. Reference text is not trained on."""
    if name == "pages":
        yield from apart(root, name)
        return
    for path in sorted(Path(local_path(line.stage(name).path("shards"))).glob("*.parquet")):
        for batch in read_kept(str(path)):
            for row in batch.select(["domain", "language", "metadata", "text"]).to_pylist():
                if row["domain"] == "WebText":
                    yield row["language"], dict(row["metadata"])["kind"], row["text"]


def apart(root: Path, name: str) -> Iterator[Text]:
    """Text that was put beside the crawl."""
    for language in _junk.LANGUAGES:
        for row in (root / "apart" / name / f"{language}.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
            yield language, name, json.loads(row)["text"]


def validations(one: Trial) -> dict[int, dict[str, dict[str, float]]]:
    """Step -> language -> loss and bits per byte of the independent text, from a training's log."""
    lines = (one.folder / "pretrain/log.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["step"]: row["validation"] for row in map(json.loads, lines) if "validation" in row}


def numbers(values: np.ndarray, digits: int) -> str:
    return "  ".join(f"{value:.{digits}f}" for value in values.tolist())


def spread(values: np.ndarray) -> float:
    """The standard deviation over seeds; NaN where there is one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def table(points: dict[str, Point]) -> str:
    """Bits per byte by point and seed, and what was left of each kind."""
    lines = ["point                      MB  epochs en   zh   BPB of each seed             mean    spread   en      zh"]
    for name, point in points.items():
        all_of = point.bpb()
        epochs = "  ".join(f"{value:4.2f}" for value in point.epochs.values())
        by_language = "  ".join(f"{point.bpb(language).mean():.4f}" for language in point.held)
        lines.append(
            f"{POINTS[name]:24} {sum(point.kinds.values()) / 1e6:5.2f}  {epochs:14}  {numbers(all_of, 4):26}   "
            f"{all_of.mean():.4f}  {spread(all_of):.4f}   {by_language}"
        )
    lines.append("")
    lines.append("kB left of each kind  " + "".join(f"{stage[:16]:>18}" for stage in STAGES))
    for kind in ("pages", *_junk.SHARES):
        lines.append(f"{kind:22}" + "".join(f"{points[stage].kinds.get(kind, 0) / 1e3:18.0f}" for stage in STAGES))
    return "\n".join(lines)


def results(points: dict[str, Point]) -> Iterator[dict[str, Any]]:
    """One line a point: mean BPB beside raw's, the spread over seeds, and what this point changed against the one before it."""
    raw = points[STAGES[0]].bpb()
    before = raw
    for name, point in points.items():
        own = point.bpb()
        line = result(f"data-ablation: {POINTS[name]}", float(own.mean()), "bits a byte", "raw", float(raw.mean()))
        line["seeds"] = [round(value, 5) for value in own.tolist()]
        line["against the point before"] = round(float((own - before).mean()), 5)
        if len(own) > 1:
            line["spread"], line["spread of that"] = round(spread(own), 5), round(spread(own - before), 5)
        line.update({language: round(float(point.bpb(language).mean()), 5) for language in point.held})
        line["megabytes"] = round(sum(point.kinds.values()) / 1e6, 3)
        line["epochs"] = {language: round(value, 3) for language, value in point.epochs.items()}
        yield line
        before = own
