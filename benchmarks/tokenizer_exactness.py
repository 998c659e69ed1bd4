"""Documents of a run whose ids differ from Hugging Face's (0 is right), and generated strings that do not come back.

Every document of the stage, kept or removed, is encoded by both engines (--run, --file). The strings mix invalid UTF-8,
control characters, combining marks, emoji, U+2581, tabs, CRLF, NUL and control tokens written out.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from benchmarks._run_text import arguments_of, every_text, read, vocabulary
from tokenizer.encode import Encoder
from tokenizer.raw_bytes import ByteCodec

_PARTS = [
    "</s>", "<_user>", " ", "\t", "\r\n", "\n\n", "\x00", "\x7f", "\u2581", "e\u0301\u0327", "\u200d", "\ufeff", "0", "12345",
    "word", " The", "江水", "。", "मानक", "ไทย", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e8\U0001f1f3", "'ll",
]  # fmt: skip
_BROKEN = [b"\xff", b"\xc3", b"\xe6\xb1", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\x80"]


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = arguments_of("tokenizer-exactness", __doc__)
    parser.add_argument("--strings", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    json = vocabulary(options, {} if options.file else read(options.run, options.stage)[0])
    fast, slow = Encoder(json), Encoder(json, "tokenizers")
    documents = different = size = 0
    for texts in every_text(options.run, options.stage):
        mine, theirs = (np.split(ids, np.cumsum(lengths)[:-1]) for ids, lengths in (fast.encode(texts), slow.encode(texts)))
        different += sum(not np.array_equal(one, other) for one, other in zip(mine, theirs, strict=True))
        documents += len(texts)
        size += sum(len(text.encode()) for text in texts)
    yield {**_line("documents", different, documents, f"ids of tokenizers, engine {fast.engine}"), "megabytes": size / 1e6}
    codec, rng = ByteCodec(Tokenizer.from_str(json)), random.Random(options.seed)
    lost = 0
    for _ in range(options.strings):
        raw = b"".join(_piece(rng) for _ in range(rng.randint(0, 12)))
        lost += codec.decode(codec.encode(raw)) != raw
    yield _line("strings", lost, options.strings, "the bytes that went in")


def _piece(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(_PARTS).encode()
    if kind < 0.7:
        return rng.choice(_BROKEN)
    point = rng.randrange(0x110000)
    return chr(point).encode("utf-8", "surrogatepass")


def _line(name: str, value: int, of: int, reference: str) -> dict[str, Any]:
    line = {"name": f"tokenizer-exactness.{name}", "value": value, "unit": f"different of {of:,}"}
    return {**line, "reference": reference, "reference_value": 0, "ratio": None}
