"""MinHash signatures, shingling included, in MB of text a second and core, English and Chinese, beside public peers.

Ours: texts to shingle sets to signatures and band keys, at the pipeline's settings (120 permutations, 5-shingles). Peers, in
the same run and on the same texts, in an environment of their own, each on shingles of the same length cut the usual way (a
regular expression for words, slices of characters for Chinese): datasketch's bulk interface, rensa (its own signatures), and
datatrove's own step, with its own words. CPU seconds of the process, the best of several repeats, so that neighbours count
little.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from benchmarks._environment import environment
from benchmarks._minhash_peers import fastest
from datapipe.config import DedupDocumentsConfig
from datapipe.dedup.minhash import MinHash
from datapipe.dedup.shingles import shingle_sets
from datapipe.dedup.units import portions

CONFIG = DedupDocumentsConfig()
PEERS = (
    "datasketch==2.0.0", "rensa", "datatrove", "spacy", "jieba", "nltk", "xxhash<4", "regex", "fasteners", "ftfy", "tokenizers",
)  # fmt: skip
"""What the peers import; datatrove hashes strings, which xxhash 4 refuses."""
BARS = {"datasketch bulk": 2.0, "datatrove": 20.0}  # the issue's, as ratios


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="minhash-speed", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a folder with corpus/en.jsonl.zst and corpus/zh.jsonl.zst")
    parser.add_argument("--megabytes", type=float, default=8.0, help="text of each language")
    parser.add_argument("--repeats", type=int, default=3, help="the fastest counts")
    parser.add_argument("--document", type=int, default=6000, help="characters a document: long ones are cut into such pieces")
    options = parser.parse_args(arguments)
    python = environment("minhash-speed", PEERS)
    for language in ("en", "zh"):
        texts = read_texts(Path(options.corpus), language, options.megabytes, options.document)
        size = sum(len(text.encode()) for text in texts) / 1e6
        ours = size / fastest(sign, texts, options.repeats)
        for peer, seconds in peers(python, texts, language, options.repeats).items():
            yield {
                "name": f"minhash-speed.{language}.{peer.replace(' ', '-')}",
                "value": round(ours, 2),
                "unit": "MB/s/core",
                "reference": peer,
                "reference_value": round(size / seconds, 2),
                "ratio": round(ours * seconds / size, 2),
                "bar": BARS.get(peer),
                "documents": len(texts),
            }


def read_texts(corpus: Path, language: str, megabytes: float, piece: int) -> list[str]:
    """Pieces of CORPUS/corpus/LANGUAGE.jsonl.zst of that many characters, that many MB in all."""
    texts: list[str] = []
    size = 0.0
    path = corpus / "corpus" / f"{language}.jsonl.zst"
    if not path.exists():
        raise SystemExit(f"error: {path}: no such file; give CORPUS=dir, a folder with corpus/en.jsonl.zst and zh.jsonl.zst.")
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            text = json.loads(line)["text"]
            for start in range(0, len(text), piece):
                texts.append(text[start : start + piece])
                size += len(texts[-1].encode()) / 1e6
                if size > megabytes:
                    return texts
    return texts


def sign(texts: list[str]) -> None:
    hashes = MinHash.of(CONFIG)
    for part in portions(texts):
        hashes.band_hashes(hashes.sign(shingle_sets(texts[part], CONFIG.words, CONFIG.characters)))


def peers(python: Path, texts: list[str], language: str, repeats: int) -> dict[str, float]:
    """Name -> CPU seconds for these texts."""
    length = CONFIG.characters if language == "zh" else CONFIG.words
    numbers = (length, CONFIG.permutations, CONFIG.bands, CONFIG.rows, repeats)
    script = Path(__file__).with_name("_minhash_peers.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        path.write_text(json.dumps(texts), encoding="utf-8")
        command = [str(python), str(script), str(path), language, *map(str, numbers)]
        apart = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=apart)
    return dict(json.loads(done.stdout.splitlines()[-1]))
