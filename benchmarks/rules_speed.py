"""All rules of a document together, in MB of text a second and core, English and Chinese.

What is timed is the cleaning of whole batches: decoding from Arrow, the shared view, every line and page rule of the web
set, personal data, and the batch that comes out. Beside it, in the same run, the same n-gram counts alone in plain Python,
the usual way (strings and dictionaries; the largest part of such rules).
"""

from __future__ import annotations

import argparse
import io
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from core.config import build, read_yaml
from datapipe.config import CleanConfig
from datapipe.document import Document, to_batch
from datapipe.rules.sets import Bounds
from datapipe.stages.clean import clean_batch

CONFIG = Path(__file__).resolve().parent.parent / "configs" / "cleaning.yaml"
WORDS = {"en": re.compile(r"\w+"), "zh": re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")}
BATCH = 200


def main(arguments: list[str]) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="rules-speed", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a folder with corpus/en.jsonl.zst and corpus/zh.jsonl.zst")
    parser.add_argument("--megabytes", type=float, default=6.0, help="text of each language")
    parser.add_argument("--repeats", type=int, default=3, help="the fastest counts")
    options = parser.parse_args(arguments)
    return [_measure(language, options) for language in ("en", "zh")]


def _measure(language: str, options: argparse.Namespace) -> dict[str, Any]:
    texts = list(_texts(Path(options.corpus) / "corpus" / f"{language}.jsonl.zst", options.megabytes))
    size = sum(len(text.encode()) for text in texts) / 1e6
    config = build(CleanConfig, read_yaml(CONFIG)["clean"], "clean")
    bounds = Bounds(config)
    documents = [Document("bench", str(n), "WebText", text, language) for n, text in enumerate(texts)]
    batches = [to_batch(documents[n : n + BATCH]) for n in range(0, len(documents), BATCH)]
    clean_batch(batches[0], bounds, config)  # tables are made once a process
    ours = min(_seconds(lambda: [clean_batch(batch, bounds, config) for batch in batches]) for _ in range(options.repeats))
    plain = min(_seconds(lambda: [_plain_ngrams(text, WORDS[language]) for text in texts]) for _ in range(options.repeats))
    return {
        "name": "rules-speed",
        "part": language,
        "value": round(size / ours, 2),
        "unit": "MB/s a core",
        "reference": "the n-gram counts alone, in plain Python",
        "reference_value": round(size / plain, 2),
        "ratio": round(plain / ours, 2),
    }


def _seconds(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _texts(path: Path, megabytes: float) -> Iterator[str]:
    """Documents of up to 30,000 characters, as long as web pages are."""
    left = megabytes * 1e6
    with zstandard.open(path, "rb") as raw:
        for line in io.TextIOWrapper(raw, "utf-8"):
            text = json.loads(line)["text"][:30_000]
            left -= len(text.encode())
            yield text
            if left < 0:
                return


def _plain_ngrams(text: str, words: re.Pattern[str]) -> float:
    """The most frequent 2- to 4-grams and the repeated 5- to 10-grams of a text, as most pipelines count them."""
    found = words.findall(text)
    worst = 0.0
    for n in (2, 3, 4):
        grams = Counter(" ".join(found[at : at + n]) for at in range(len(found) - n + 1))
        if grams:
            gram, count = grams.most_common(1)[0]
            worst = max(worst, len(gram) * count / max(1, len(text)))
    for n in range(5, 11):
        seen: set[str] = set()
        repeated = at = 0
        while at <= len(found) - n:
            gram = "".join(found[at : at + n])
            if gram in seen:
                repeated += len(gram)
                at += n
            else:
                seen.add(gram)
                at += 1
        worst = max(worst, repeated / max(1, len(text)))
    return worst
