"""MinHash signatures, shingling included, in MB of text a second and core, English and Chinese, beside public peers.

Ours: texts to shingle sets to signatures and band keys, at the pipeline's settings (120 permutations, 5-shingles). Peers, in
the same run and on the same texts, each on shingles of the same length cut the usual way (a regular expression for words,
slices of characters for Chinese): datasketch's bulk interface; rensa and datatrove where they are installed (they are no
dependencies of this project). CPU seconds of this process, the best of several repeats, so that neighbours count little.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasketch
import zstandard

from datapipe.config import DedupDocumentsConfig
from datapipe.dedup.shingles import shingle_sets
from datapipe.dedup.units import portions
from datapipe.dedup.minhash import MinHash

WORD = re.compile(r"\w+")
CONFIG = DedupDocumentsConfig()


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="minhash-speed", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a folder with corpus/en.jsonl.zst and corpus/zh.jsonl.zst")
    parser.add_argument("--megabytes", type=float, default=8.0, help="text of each language")
    parser.add_argument("--repeats", type=int, default=3, help="the fastest counts")
    parser.add_argument("--document", type=int, default=6000, help="characters a document: long ones are cut into such pieces")
    options = parser.parse_args(arguments)
    for language in ("en", "zh"):
        texts = read_texts(Path(options.corpus), language, options.megabytes, options.document)
        size = sum(len(text.encode()) for text in texts) / 1e6
        ours = size / fastest(sign, texts, options.repeats)
        for peer, run in peers(language).items():
            theirs = size / fastest(run, texts, 1 if peer == "datatrove" else options.repeats)
            yield {
                "name": f"minhash-speed.{language}.{peer.replace(' ', '-')}",
                "value": round(ours, 2),
                "unit": "MB/s/core",
                "reference": peer,
                "reference_value": round(theirs, 2),
                "ratio": round(ours / theirs, 2),
                "documents": len(texts),
            }


def read_texts(corpus: Path, language: str, megabytes: float, piece: int) -> list[str]:

    texts: list[str] = []
    size = 0.0
    path = corpus / "corpus" / f"{language}.jsonl.zst"
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            text = json.loads(line)["text"]
            for start in range(0, len(text), piece):
                texts.append(text[start : start + piece])
                size += len(texts[-1].encode()) / 1e6
                if size > megabytes:
                    return texts
    return texts


def fastest(run: Callable[[list[str]], Any], texts: list[str], repeats: int) -> float:
    """The least CPU time of some runs, in seconds."""
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        run(texts)
        best = min(best, time.process_time() - began)
    return best


def sign(texts: list[str]) -> None:
    hashes = MinHash.of(CONFIG)
    for part in portions(texts):
        hashes.band_hashes(hashes.sign(shingle_sets(texts[part], CONFIG.words, CONFIG.characters)))


def peers(language: str) -> dict[str, Callable[[list[str]], Any]]:
    """Name -> what signs a list of texts."""
    length = CONFIG.characters if language == "zh" else CONFIG.words

    def shingles(text: str) -> list[str]:
        if language == "zh":
            return [text[start : start + length] for start in range(len(text) - length + 1)]
        words = WORD.findall(text.lower())
        return [" ".join(words[start : start + length]) for start in range(len(words) - length + 1)]

    def bulk(texts: list[str]) -> None:
        datasketch.MinHash.bulk([[s.encode() for s in set(shingles(text))] for text in texts], num_perm=CONFIG.permutations)

    found: dict[str, Callable[[list[str]], Any]] = {"datasketch bulk": bulk}
    if importlib.util.find_spec("rensa"):
        import rensa

        def quick(texts: list[str]) -> None:
            for text in texts:
                signature = rensa.RMinHash(CONFIG.permutations, 1)
                signature.update(shingles(text))
                signature.digest()

        found["rensa"] = quick
    if importlib.util.find_spec("datatrove"):
        from datatrove.pipeline.dedup import MinhashDedupSignature
        from datatrove.pipeline.dedup.minhash import MinhashConfig

        config = MinhashConfig(n_grams=length, num_buckets=CONFIG.bands, hashes_per_bucket=CONFIG.rows)
        signer = MinhashDedupSignature("memory://signatures", config, language="cmn_Hani" if language == "zh" else "eng")

        def trove(texts: list[str]) -> None:
            for text in texts:
                if len(hashes := signer.get_shingles(text)):
                    signer.get_signature(hashes)

        found["datatrove"] = trove
    return found
