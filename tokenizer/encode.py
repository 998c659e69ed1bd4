"""Text to token ids, exactly as Hugging Face `tokenizers` gives them, by the fastest engine that does.

Control tokens written in a text are text: `</s>` on a web page must not end a document. Only `end_documents` puts a
control id anywhere.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from core import storage
from tokenizer.config import BEGIN, END, NAMED, PADDING, UNKNOWN

Ids = npt.NDArray[np.int32]
Lengths = npt.NDArray[np.int64]
Engine = Literal["auto", "fastokens", "tokenizers"]

# What engines have been known to differ in: control tokens as text, white space at ends, marks, joined emoji, NUL.
_PROBES = (
    *(f"a{name}b {name}\n" for name in NAMED),
    "",
    " ",
    "\n\n  \t x \r\n",
    "I'LL we've 12,345.67 x=1;\n\tdef f(a):\n\t\treturn a",
    "e\u0301 \u2581 \u00a0 \u3000 \ufeff \x00 \u200b",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e8\U0001f1f3",
    "子曰:「學而時習之,不亦說乎?」 2024年",
    "Здравствуй, мир! ελληνικά ไทย हिन्दी עברית العربية",
)


@dataclass(frozen=True)
class Vocabulary:
    """What others need to know of a tokenizer file."""

    sha256: str
    vocab_size: int
    unk: int
    bos: int
    eos: int
    pad: int

    @classmethod
    def read(cls, uri: str) -> Vocabulary:
        """From a tokenizer.json; raises ValueError where it lacks one of the four control tokens."""
        text = storage.read_text(uri)
        tokenizer = Tokenizer.from_str(text)
        ids = [control_id(tokenizer, token) for token in (UNKNOWN, BEGIN, END, PADDING)]
        return cls(hashlib.sha256(text.encode()).hexdigest(), tokenizer.get_vocab_size(), *ids)


def control_id(tokenizer: Tokenizer, token: str) -> int:
    identity = tokenizer.token_to_id(token)
    if identity is None:
        raise ValueError(f"the tokenizer has no control token {token}; train one with the stage `train_tokenizer`.")
    return int(identity)


class Encoder:
    """Encodes texts in batches; `engine` says which library does it and `fallback` why it is not the faster one.

    json: the content of tokenizer.json. sample: texts on which the fast engine's ids are compared with Hugging Face's
    first, besides a list of awkward ones; any difference and the slower engine is used.
    """

    def __init__(self, json: str, engine: Engine = "auto", sample: Sequence[str] = ()) -> None:
        self._reference = Tokenizer.from_str(json)
        self._reference.encode_special_tokens = True
        self._reference.no_truncation()
        self._fast: Any = None
        self.engine = "tokenizers"
        self.fallback: str | None = None
        self.eos = control_id(self._reference, END)
        if engine != "tokenizers":
            self._choose_fast(json, [*_PROBES, *sample])
            if engine == "fastokens" and self.fallback:
                raise RuntimeError(f"the engine fastokens was asked for, but {self.fallback}.")

    def encode(self, texts: Sequence[str]) -> tuple[Ids, Lengths]:
        """Token ids of all texts back to back [tokens], and how many each text has [texts]. No control ids."""
        if self._fast is not None:
            return self._encode_fast(texts)
        return self._encode_reference(texts)

    def end_documents(self, ids: Ids, lengths: Lengths) -> tuple[Ids, Lengths]:
        """The same with the end-of-document id after each text."""
        places = np.cumsum(lengths) + np.arange(len(lengths))
        ended = np.empty(len(ids) + len(lengths), np.int32)
        inner = np.ones(len(ended), bool)
        inner[places] = False
        ended[inner], ended[places] = ids, self.eos
        return ended, lengths + 1

    def _encode_reference(self, texts: Sequence[str]) -> tuple[Ids, Lengths]:
        encodings = self._reference.encode_batch_fast(list(texts), add_special_tokens=False)
        lengths = np.fromiter((len(encoding) for encoding in encodings), np.int64, len(encodings))
        ids = np.fromiter((token for encoding in encodings for token in encoding.ids), np.int32, int(lengths.sum()))
        return ids, lengths

    def _encode_fast(self, texts: Sequence[str]) -> tuple[Ids, Lengths]:
        ids, offsets = self._fast.encode_batch_flat(list(texts), add_special_tokens=False, split_special_tokens=True)
        ends: Lengths = np.frombuffer(offsets, "<u8").astype(np.int64)
        return np.frombuffer(ids, "<u4").astype(np.int32), ends[1:] - ends[:-1]

    def _choose_fast(self, json: str, sample: Sequence[str]) -> None:
        try:
            fastokens = importlib.import_module("fastokens")
        except ImportError:
            self.fallback = "fastokens is not installed"
            return
        try:
            self._fast = fastokens.Tokenizer.from_json_str(json)
            fast = self._encode_fast(sample)
        except Exception as error:  # whatever it cannot do, the reference can: the reason goes into the manifest
            self._fast, self.fallback = None, f"fastokens failed: {error}"
            return
        reference = self._encode_reference(sample)
        if np.array_equal(fast[0], reference[0]) and np.array_equal(fast[1], reference[1]):
            self.engine = "fastokens"
        else:
            self._fast, self.fallback = None, "fastokens gave other ids than tokenizers on the sample"
