"""Text to token ids, exactly as Hugging Face `tokenizers` gives them, by the fastest engine that does.

Control tokens written in a text are text: `</s>` on a web page must not end a document. Only `end_documents` puts a
control id anywhere.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from core import storage
from tokenizer.config import END, ROLES

Ids = npt.NDArray[np.int32]
Lengths = npt.NDArray[np.int64]
Engine = Literal["auto", "fastokens", "tokenizers"]

# What engines have been known to differ in: white space at ends, marks, joined emoji, NUL; and control tokens as text.
_PROBES = (
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
    """What others need to know of a tokenizer file. A published one may have no unk and no bos."""

    sha256: str
    vocab_size: int
    """One above the largest id."""
    unk: int | None
    bos: int | None
    eos: int
    pad: int

    @classmethod
    def read(cls, uri: str) -> Vocabulary:
        """From a tokenizer.json, and the names in the tokenizer_config.json beside it; where there is none, our own names.

        Raises ValueError where a control token that is named is not there.
        """
        text = storage.read_text(uri)
        tokenizer = Tokenizer.from_str(text)
        beside = uri.removesuffix("tokenizer.json") + "tokenizer_config.json"
        names: dict[str, str | None] = dict(ROLES)
        if uri.endswith("tokenizer.json") and storage.exists(beside):
            about = storage.read_json(beside)
            names = {role: about.get(f"{role}_token") for role in ROLES}
        ids = {role: control_id(tokenizer, name) for role, name in names.items() if name is not None}
        size = 1 + max(tokenizer.get_vocab().values())
        return cls(hashlib.sha256(text.encode()).hexdigest(), size, ids.get("unk"), ids.get("bos"), ids["eos"], ids["pad"])


def control_id(tokenizer: Tokenizer, token: str) -> int:
    identity = tokenizer.token_to_id(token)
    if identity is None:
        raise ValueError(f"the tokenizer has no control token {token}; train one with the stage `train_tokenizer`.")
    return int(identity)


@lru_cache(maxsize=2)
def reference(json: str) -> Tokenizer:
    """The library's tokenizer of a file, as texts are read by it: whole, not filled up, control tokens as text."""
    tokenizer = Tokenizer.from_str(json)
    tokenizer.encode_special_tokens = True
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@lru_cache(maxsize=2)
def _fast_engine(json: str) -> tuple[Any, str | None]:
    """fastokens for this tokenizer, or why not. Made once a process: it takes as long as encoding many megabytes of text."""
    try:
        fast = importlib.import_module("fastokens").Tokenizer.from_json_str(json)
    except ImportError:
        return None, "fastokens is not installed"
    except Exception as error:  # whatever it cannot do, the reference can: the reason goes into the manifest
        return None, f"fastokens failed: {error}"
    slow = reference(json)
    names = [token.content for token in slow.get_added_tokens_decoder().values()]
    return fast, _difference(slow, fast, [*_PROBES, *(f"a{name}b {name}\n" for name in names)])


def one_thread() -> None:
    """Keeps both engines to the calling thread: a Spark task has one core, its neighbours have the others.

    They read this when they first encode, so it comes before that. To fastokens a second thread is no gain anyway: each
    has a cache of its own to fill.
    """
    for name, value in (("FASTOKENS_BPE_THREADS", "1"), ("RAYON_NUM_THREADS", "1"), ("TOKENIZERS_PARALLELISM", "false")):
        os.environ.setdefault(name, value)


class Encoder:
    """Encodes texts in batches; `engine` says which library does it and `fallback` why it is not the faster one.

    json: the content of tokenizer.json. sample: texts on which the fast engine's ids are compared with Hugging Face's
    first, besides a list of awkward ones; any difference and the slower engine is used. eos: the id that ends a document;
    None is that of a vocabulary trained here.
    """

    def __init__(self, json: str, engine: Engine = "auto", sample: Sequence[str] = (), eos: int | None = None) -> None:
        self._reference = reference(json)
        self.eos = control_id(self._reference, END) if eos is None else eos
        self.engine = "tokenizers"
        self.fallback: str | None = None
        self._fast: Any = None
        if engine != "tokenizers":
            self._fast, reason = _fast_engine(json)
            self.fallback = reason or _difference(self._reference, self._fast, sample)
            if engine == "fastokens" and self.fallback:
                raise RuntimeError(f"the engine fastokens was asked for, but {self.fallback}.")
            self.engine = "tokenizers" if self.fallback else "fastokens"

    def encode(self, texts: Sequence[str]) -> tuple[Ids, Lengths]:
        """Token ids of all texts back to back [tokens], and how many each text has [texts]. No control ids."""
        return _by_fastokens(self._fast, texts) if self.engine == "fastokens" else _by_library(self._reference, texts)

    def end_documents(self, ids: Ids, lengths: Lengths) -> tuple[Ids, Lengths]:
        """The same with the end-of-document id after each text."""
        places = np.cumsum(lengths) + np.arange(len(lengths))
        ended = np.empty(len(ids) + len(lengths), np.int32)
        inner = np.ones(len(ended), bool)
        inner[places] = False
        ended[inner], ended[places] = ids, self.eos
        return ended, lengths + 1


def _by_library(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[Ids, Lengths]:
    encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    lengths = np.fromiter((len(encoding) for encoding in encodings), np.int64, len(encodings))
    ids = np.fromiter((token for encoding in encodings for token in encoding.ids), np.int32, int(lengths.sum()))
    return ids, lengths


def _by_fastokens(fast: Any, texts: Sequence[str]) -> tuple[Ids, Lengths]:
    ids, offsets = fast.encode_batch_flat(list(texts), add_special_tokens=False, split_special_tokens=True)
    ends: Lengths = np.frombuffer(offsets, "<u8").astype(np.int64)
    return np.frombuffer(ids, "<i4"), ends[1:] - ends[:-1]  # ids are below 2^31: the same bytes


def _difference(reference: Tokenizer, fast: Any, texts: Sequence[str]) -> str | None:
    """Why the fast engine will not do for these texts; None where its ids are the reference's."""
    try:
        mine, theirs = _by_fastokens(fast, texts), _by_library(reference, texts)
    except Exception as error:  # as above
        return f"fastokens failed: {error}"
    if np.array_equal(mine[0], theirs[0]) and np.array_equal(mine[1], theirs[1]):
        return None
    return "fastokens gave other ids than tokenizers on the sample"
