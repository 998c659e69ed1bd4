"""A model as lm-evaluation-harness asks one: likelihoods of continuations, and generated text.

Requests of a benchmark mostly begin alike (shots, then the question before each of its options). What several have in
common is read once, its keys and values are kept, and the rest is read in batches behind it; rows that differ only in their
last token are one row. A network with recurrent layers, whose state is not kept so, reads each row whole. In training every
document stands behind the end of another, so here every text does too.

A text longer than the context is read in windows where a continuation fills more than half of it, so that all of it is
scored; otherwise its beginning is left out. How many items that were is counted with the prompts (see `prompts.py`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from torch import Tensor
from transformers import GenerationConfig, StoppingCriteria

from core.progress import Progress
from trainer.evaluate.benchmarks.prompts import answer_room
from trainer.evaluate.ids import as_text, context_of, continuation

LEAST_SHARED = 32
"""A common beginning shorter than this many tokens is not worth a pass of its own."""
TRUNK = 256
"""Rows behind one beginning at most, so that neighbours with a longer one in common can have a trunk of their own."""


@dataclass(frozen=True)
class Row:
    """Token ids to read and those to be predicted at its end; `place` is the row's number."""

    ids: list[int]
    targets: int
    place: int

    @property
    def read(self) -> list[int]:
        return self.ids[:-1]


class Reader(LM):
    """A transformers model under the harness's interface: `start` is the id in front of every text, `ends` are those that
    end one, `batch` is the rows of a pass."""

    def __init__(
        self, model: Any, tokenizer: Any, start: int, ends: Sequence[int], batch: int, seed: int, label: str = "benchmark"
    ) -> None:
        super().__init__()
        self.model, self.tokenizer, self.size, self.seed, self.label = model, tokenizer, batch, seed, label
        self.start, self.ends = start, list(ends)
        self.context = context_of(model)
        # A model's own habits (penalties, top_k) are no part of how a benchmark asks.
        self.model.generation_config = GenerationConfig()
        self._device = next(model.parameters()).device

    def encode(self, text: str) -> list[int]:
        """Ids of a text, nothing put before or after."""
        return as_text(self.tokenizer, [text])[0]

    def loglikelihood(self, requests: Sequence[Instance]) -> list[tuple[float, bool]]:
        """(log-probability of the continuation in nats, whether each of its tokens is the likeliest) of each request."""
        rows: list[Row] = []
        owners: list[int] = []
        for number, request in enumerate(requests):
            rows += self._rows(len(rows), *request.args)
            owners += [number] * (len(rows) - len(owners))
        found: list[tuple[float, bool]] = [(0.0, True)] * len(requests)
        with Progress(self.label, total=len(rows), unit="option") as bar:
            for shared, members in trunks(rows):
                for place, (nats, likeliest) in self._behind(shared if self._shares else 0, members).items():
                    before = found[owners[place]]
                    found[owners[place]] = (before[0] + nats, before[1] and likeliest)
                bar.advance(len(members))
        return found

    def loglikelihood_rolling(self, requests: Sequence[Instance]) -> list[float]:
        """Log-probability of whole texts, in windows of the context whose last reaches back to be full."""
        found = []
        for request in requests:
            ids = [self.start, *self.encode(request.args[0])]
            ends = [*range(self.context, len(ids) - 1, self.context), len(ids) - 1]
            rows = [
                Row(ids[max(0, end - self.context) : end + 1], end - before, place)
                for place, (before, end) in enumerate(zip([0, *ends], ends, strict=False))
            ]
            found.append(sum(score for score, _ in self._behind(0, rows).values()))
        return found

    def generate_until(self, requests: Sequence[Instance]) -> list[str]:
        """Continuations up to an end or a stop, without it; settings: until, max_gen_toks, temperature (0: the likeliest
        token), top_p."""
        found = [""] * len(requests)
        order = sorted(range(len(requests)), key=lambda place: len(requests[place].args[0]))
        with Progress(self.label, total=len(requests), unit="answer") as bar:
            for first in range(0, len(order), self.size):
                places = order[first : first + self.size]
                texts = self._continued([requests[place].args[0] for place in places], requests[places[0]].args[1], first)
                for place, text in zip(places, texts, strict=True):
                    found[place] = text
                bar.advance(len(places))
        return found

    def _rows(self, place: int, context: str, continuation: str) -> list[Row]:
        """One row, or several windows where the continuation does not fit; their places count up from `place`.

        Blanks at the context's end go to the continuation, as in the harness: tokens begin with theirs.
        """
        bare = context.rstrip()
        continuation = context[len(bare) :] + continuation
        before = self.encode(bare)
        whole = self.encode(bare + continuation)
        ids = [self.start, *whole]
        first, half = len(ids) - max(1, len(whole) - len(before)), max(1, self.context // 2)
        stops = [*range(max(self.context + 1, first + half), len(ids), half), len(ids)]  # half a window stands before a target
        return [
            Row(ids[max(0, stop - self.context - 1) : stop], stop - begin, place + number)
            for number, (begin, stop) in enumerate(zip([first, *stops], stops, strict=False))
        ]

    @cached_property
    def _shares(self) -> bool:
        """Whether several rows can go on from one kept beginning; the state of a recurrent layer is not made for that."""
        with torch.no_grad():
            read = self.model(input_ids=torch.tensor([[self.start]], device=self._device), use_cache=True)
        layers = getattr(getattr(read, "past_key_values", None), "layers", [])
        return bool(layers) and all(hasattr(layer, "batch_repeat_interleave") for layer in layers)

    @torch.no_grad()
    def _behind(self, shared: int, rows: Sequence[Row]) -> dict[int, tuple[float, bool]]:
        """Scores of rows by their places; their first `shared` ids are the same and are read once."""
        alike: dict[tuple[int, ...], list[Row]] = {}
        for row in rows:
            alike.setdefault(tuple(row.read), []).append(row)
        order = sorted(alike, key=len)
        trunk = None
        if shared:
            ids = torch.tensor([order[0][:shared]], device=self._device)
            trunk = self.model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
        found: dict[int, tuple[float, bool]] = {}
        for first in range(0, len(order), self.size):
            reads = order[first : first + self.size]
            most = max(row.targets for read in reads for row in alike[read])
            logits, begin = self._logits([read[shared:] for read in reads], trunk, shared, most)
            for number, read in enumerate(reads):
                for row in alike[read]:
                    stop = len(read) - shared - begin
                    own = logits[number, stop - row.targets : stop].float().log_softmax(-1)
                    targets = torch.tensor(row.ids[-row.targets :], device=own.device)
                    likely = bool((own.argmax(-1) == targets).all())
                    found[row.place] = (float(own.gather(1, targets[:, None]).double().sum()), likely)
        return found

    def _logits(self, reads: Sequence[Sequence[int]], trunk: Any, shared: int, most: int) -> tuple[Tensor, int]:
        """Logits [row, place, vocabulary] of the last places, padded at the right, and the place of the first of them."""
        longest, shortest = max(map(len, reads)), min(map(len, reads))
        begin = max(0, shortest - most)
        ids = torch.full((len(reads), longest), self.start, device=self._device)
        for number, read in enumerate(reads):
            ids[number, : len(read)] = torch.tensor(read, device=self._device)
        given: dict[str, Any] = {"input_ids": ids, "use_cache": trunk is not None, "logits_to_keep": longest - begin}
        if trunk is not None:
            cache = copy.deepcopy(trunk)
            cache.batch_repeat_interleave(len(reads))
            given["past_key_values"] = cache
            given["position_ids"] = torch.arange(shared, shared + longest, device=self._device).expand(len(reads), -1)
        return self.model(**given).logits, begin

    @torch.no_grad()
    def _continued(self, contexts: Sequence[str], asked: dict[str, Any], turn: int) -> list[str]:
        room = answer_room(int(asked["max_gen_toks"]), self.context)
        prompts = [[self.start, *self.encode(context)][-(self.context - room) :] for context in contexts]
        longest = max(map(len, prompts))
        ids = torch.full((len(prompts), longest), self.start, device=self._device)
        mask = torch.zeros_like(ids)
        for number, prompt in enumerate(prompts):
            ids[number, longest - len(prompt) :] = torch.tensor(prompt, device=self._device)
            mask[number, longest - len(prompt) :] = 1
        warmth = float(asked.get("temperature", 0.0))
        sampling: dict[str, Any] = {"do_sample": False}
        if warmth > 0:  # transformers would keep to the 50 likeliest tokens, unasked
            sampling = {"do_sample": True, "temperature": warmth, "top_p": float(asked.get("top_p", 1.0)), "top_k": 0}
        torch.manual_seed(self.seed + turn)
        made = self.model.generate(
            inputs=ids,
            attention_mask=mask,
            max_new_tokens=room,
            eos_token_id=self.ends or None,
            pad_token_id=self.start,
            use_cache=True,
            stopping_criteria=[_Stops(self.tokenizer, asked["until"], longest)],
            **sampling,
        )
        answers = zip(prompts, made[:, longest:].tolist(), strict=True)
        texts = [continuation(self.tokenizer, prompt, self._ended(row)) for prompt, row in answers]
        return [_cut(text, asked["until"]) for text in texts]

    def _ended(self, ids: list[int]) -> list[int]:
        """What stands before the first end: behind it there is padding, or another document."""
        return ids[: min((ids.index(end) for end in self.ends if end in ids), default=len(ids))]


def trunks(rows: Sequence[Row]) -> list[tuple[int, list[Row]]]:
    """Rows by common beginnings: (ids in common, rows); those that share little with their neighbours are one group at 0.

    A row's targets are never part of what is shared, nor is the id from which the first of them is predicted.
    """
    order = sorted(rows, key=lambda row: row.ids)
    groups: list[tuple[int, list[Row]]] = []
    alone: list[Row] = []
    first = 0
    while first < len(order):
        shared, stop = _room(order[first]), first + 1
        while stop < len(order) and stop - first < TRUNK:
            common = min(shared, _room(order[stop]), _common(order[first].ids, order[stop].ids))
            if common < max(LEAST_SHARED, len(order[first].ids) // 2):
                break
            shared, stop = common, stop + 1
        if stop - first > 1:
            groups.append((shared, order[first:stop]))
        else:
            alone.append(order[first])
        first = stop
    return groups + ([(0, alone)] if alone else [])


def _room(row: Row) -> int:
    return len(row.ids) - row.targets - 1


def _common(one: list[int], other: list[int]) -> int:
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))


def _cut(text: str, stops: Sequence[str]) -> str:
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


class _Stops(StoppingCriteria):
    """A row is done when its new text holds a stop."""

    def __init__(self, tokenizer: Any, stops: Sequence[str], begin: int) -> None:
        self._tokenizer, self._stops, self._begin = tokenizer, list(stops), begin

    def __call__(self, input_ids: Tensor, scores: Any, **rest: Any) -> Tensor:
        recent = max((len(stop.encode()) for stop in self._stops), default=0) + 8  # a token is a byte or more
        texts = self._tokenizer.batch_decode(input_ids[:, max(self._begin, input_ids.shape[1] - recent) :])
        done = [any(stop in text for stop in self._stops) for text in texts]
        return torch.tensor(done, device=input_ids.device)
