"""Public MinHash signers, timed on texts in a file; run by `minhash-speed` in an environment of their own.

Needs nothing of the project. `python _minhash_peers.py TEXTS LANGUAGE LENGTH PERMUTATIONS BANDS ROWS REPEATS` prints one JSON
object: peer -> the least CPU seconds.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

WORD = re.compile(r"\w+")
Sign = Callable[[list[str]], None]


def main(arguments: list[str]) -> None:
    texts = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    language, (length, permutations, bands, rows, repeats) = arguments[1], map(int, arguments[2:])
    peers = {
        "datasketch bulk": (bulk(language, length, permutations), repeats),
        "rensa": (rensa(language, length, permutations), repeats),
        "datatrove": (datatrove(language, length, bands, rows), 1),
    }
    print(json.dumps({name: fastest(sign, texts, times) for name, (sign, times) in peers.items()}))


def fastest(run: Sign, texts: list[str], repeats: int) -> float:
    """The least CPU time of some runs, in seconds."""
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        run(texts)
        best = min(best, time.process_time() - began)
    return best


def shingles(text: str, language: str, length: int) -> list[str]:
    if language == "zh":
        return [text[start : start + length] for start in range(len(text) - length + 1)]
    words = WORD.findall(text.lower())
    return [" ".join(words[start : start + length]) for start in range(len(words) - length + 1)]


def bulk(language: str, length: int, permutations: int) -> Sign:
    from datasketch import MinHash

    def sign(texts: list[str]) -> None:
        sets = [[shingle.encode() for shingle in set(shingles(text, language, length))] for text in texts]
        MinHash.bulk(sets, num_perm=permutations)

    return sign


def rensa(language: str, length: int, permutations: int) -> Sign:
    from rensa import RMinHash

    def sign(texts: list[str]) -> None:
        for text in texts:
            signature = RMinHash(permutations, 1)
            signature.update(shingles(text, language, length))
            signature.digest()

    return sign


def datatrove(language: str, length: int, bands: int, rows: int) -> Sign:
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig

    config = MinhashConfig(n_grams=length, num_buckets=bands, hashes_per_bucket=rows)
    signer = MinhashDedupSignature("memory://signatures", config, language="cmn_Hani" if language == "zh" else "eng")

    def sign(texts: list[str]) -> None:
        for text in texts:
            if len(hashes := signer.get_shingles(text)):
                signer.get_signature(hashes)

    return sign


if __name__ == "__main__":
    main(sys.argv[1:])
