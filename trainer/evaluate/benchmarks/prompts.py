"""Which items are asked, and what stands before them: drawn by the seed, the same shots for a whole subject.

All items of a subject see the same shots, so their beginnings are read once (see `reader.py`). Shots are the benchmark's own
where it has such (dev questions, worked examples), or else other items of the same subject, never the asked one. Where a
model's context cannot hold all of them it gets as many whole ones as fit; how many that were stands beside the score, and
how many items were longer than the context by themselves.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded


@dataclass(frozen=True)
class Asked:
    """An item with its prompts complete, the number of shots in them, and whether even without shots it is longer than the
    model's context."""

    item: Item
    shots: int
    cut: bool = False


def answer_room(tokens: int, context: int) -> int:
    """How many of the `tokens` that an answer may have it gets: half of the context at most, the rest is the prompt's."""
    return min(tokens, max(1, context // 2))


def draw(items: Sequence[Item], limit: int | None, seed: str) -> list[Item]:
    """At most `limit` items, in their order; which, follows from the seed alone and grows with the limit."""
    if limit is None or limit >= len(items):
        return list(items)
    chosen = sorted(random.Random(f"{seed} items").sample(range(len(items)), len(items))[:limit])
    return [items[place] for place in chosen]


class Prompter:
    """Puts shots before items.

    `length` counts a text's tokens, `context` is how many the model reads; an answer's room is kept free.
    """

    def __init__(
        self, benchmark: Benchmark, loaded: Loaded, shots: int, seed: str, length: Callable[[str], int], context: int
    ) -> None:
        self._benchmark, self._loaded, self._shots = benchmark, loaded, shots
        self._length, self._context = length, context
        self._answer = answer_room(benchmark.tokens, context)
        self._pools: dict[str, list[Item]] = {}
        self._sizes: dict[str, int] = {}
        if shots and not loaded.shots:
            for item in loaded.items:
                self._pools.setdefault(item.subject, []).append(item)
            for subject, pool in self._pools.items():
                random.Random(f"{seed} shots {subject}").shuffle(pool)

    def ask(self, item: Item) -> Asked:
        """The item with all that stands before its question."""
        above = self._loaded.above.get(item.subject, "")
        shots = self._chosen(item)
        room = self._context - 1 - max(self._length(prompt) for prompt in item.prompts)
        room -= max((self._length(option) for option in item.options), default=self._answer)
        room -= self._size(f"{above}\n\n") if above else 0
        fitting, tight = 0, room < 0
        for shot in shots:
            room -= self._size(f"{shot}\n\n")
            if room < 0:
                break
            fitting += 1
        before = "".join(f"{part}\n\n" for part in ([above] if above else []) + shots[:fitting])
        whole = replace(item, prompts=tuple(before + prompt for prompt in item.prompts))
        return Asked(whole, fitting, tight and self._longest(whole) > self._context)

    def _longest(self, item: Item) -> int:
        """Tokens that are read and predicted behind the id in front of a text."""
        if not item.options:
            return self._length(item.prompts[0]) + 1 + self._answer
        prompts = item.prompts * len(item.options) if len(item.prompts) == 1 else item.prompts
        return max(self._length(prompt + option) for prompt, option in zip(prompts, item.options, strict=True))

    def _chosen(self, item: Item) -> list[str]:
        if not self._shots:
            return []
        if self._loaded.shots:
            return list(self._loaded.shots.get(item.subject, []))[: self._shots]
        others = (other for other in self._pools[item.subject] if other.key != item.key)
        return [other.shown for other, _ in zip(others, range(self._shots), strict=False)]

    def _size(self, text: str) -> int:
        if text not in self._sizes:
            self._sizes[text] = self._length(text)
        return self._sizes[text]
