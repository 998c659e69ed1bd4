"""Tokens per UTF-8 byte by kind of text, ours beside GPT-4's, Llama-2's and Llama-3's vocabularies (report, Table 3).

Lower is better. The peers' vocabulary files are given by path; reading them needs `tiktoken` and `sentencepiece`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizer.encode import Encoder

Count = Callable[[Sequence[str]], int]
"""Texts -> how many tokens they are."""

KINDS = ("English", "Chinese", "Classical Chinese", "Code", "Multilingual", "Mathematical")

# Table 3 as printed, and the weights that reproduce its four weighted averages within 0.0015.
REPORT = {
    "GPT-4": (0.221, 0.420, 0.478, 0.267, 0.303, 0.508),
    "Llama-1/2": (0.262, 0.515, 0.558, 0.367, 0.314, 0.974),
    "Llama-3": (0.220, 0.294, 0.353, 0.267, 0.274, 0.508),
    "Tele-FLM": (0.248, 0.235, 0.307, 0.363, 0.340, 0.965),
}
WEIGHTS = (0.554, 0.313, 0.0002, 0.098, 0.029, 0.006)

_FILES = {"GPT-4": "cl100k_base.tiktoken", "Llama-1/2": "llama2_tokenizer.model", "Llama-3": "llama3_tokenizer.model"}
_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def ours(json: str) -> Count:
    """Counts by a tokenizer.json."""
    encoder = Encoder(json)
    return lambda texts: int(encoder.encode(texts)[1].sum())


def peers(folder: str) -> dict[str, Count]:
    """Counts by each of the three peers. Raises FileNotFoundError where a vocabulary file is missing."""
    for name, file in _FILES.items():
        if not (Path(folder) / file).exists():
            raise FileNotFoundError(f"{folder}/{file}: the vocabulary of {name} is missing; give the folder that holds it.")
    path = {name: str(Path(folder) / file) for name, file in _FILES.items()}
    return {
        "GPT-4": _tiktoken(path["GPT-4"], _CL100K),
        "Llama-1/2": _sentencepiece(path["Llama-1/2"]),
        "Llama-3": _tiktoken(path["Llama-3"], _LLAMA3),
    }


def rates(count: Count, texts: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Tokens per UTF-8 byte of each kind of text."""
    return {kind: count(group) / sum(len(text.encode()) for text in group) for kind, group in texts.items()}


def average(by_kind: Mapping[str, float]) -> float:
    """The mean weighted as the report's, over the kinds that are there."""
    weights = {kind: weight for kind, weight in zip(KINDS, WEIGHTS, strict=True) if kind in by_kind}
    return sum(by_kind[kind] * weight for kind, weight in weights.items()) / sum(weights.values())


def table(measured: Mapping[str, Mapping[str, float]]) -> str:
    """A Markdown table: tokenizers down, kinds across, the report's rows below for comparison."""
    kinds = [kind for kind in KINDS if any(kind in row for row in measured.values())]
    lines = ["| tokens per byte | " + " | ".join([*kinds, "weighted"]) + " |", "|-" * (len(kinds) + 2) + "|"]
    rows = dict(measured)
    for name, printed in REPORT.items():
        rows[f"report: {name}"] = {kind: rate for kind, rate in zip(KINDS, printed, strict=True) if kind in kinds}
    for name, row in rows.items():
        cells = [f"{row[kind]:.3f}" if kind in row else "" for kind in kinds]
        lines.append(f"| {name} | " + " | ".join([*cells, f"{average(row):.3f}"]) + " |")
    return "\n".join(lines)


def plot(measured: Mapping[str, Mapping[str, float]], path: str) -> None:
    """A bar for each tokenizer and kind, as a picture at `path`."""
    figure_class: Any = importlib.import_module("matplotlib.figure").Figure
    figure = figure_class(figsize=(9, 4), layout="constrained")
    axes = figure.add_subplot()
    kinds = [kind for kind in KINDS if any(kind in row for row in measured.values())]
    for place, (name, row) in enumerate(measured.items()):
        width = 0.8 / len(measured)
        middles = [number + (place + 0.5) * width - 0.4 for number in range(len(kinds))]
        axes.bar(middles, [row.get(kind, 0) for kind in kinds], width, label=name)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set_ylabel("tokens per UTF-8 byte (lower is better)")
    axes.legend()
    figure.savefig(path, dpi=120)


def _tiktoken(path: str, pattern: str) -> Count:
    load: Any = importlib.import_module("tiktoken.load").load_tiktoken_bpe
    encoding: Any = importlib.import_module("tiktoken").Encoding(
        Path(path).name, pat_str=pattern, mergeable_ranks=load(path), special_tokens={}
    )
    return lambda texts: sum(len(encoding.encode_ordinary(text)) for text in texts)


def _sentencepiece(path: str) -> Count:
    processor: Any = importlib.import_module("sentencepiece").SentencePieceProcessor(model_file=path)
    return lambda texts: sum(len(ids) for ids in processor.encode(list(texts)))
