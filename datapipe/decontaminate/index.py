"""The n-grams of benchmark items as hashes, and looking for them in documents.

Both sides go through the same normal form (`dedup.units`: case, punctuation, width, accents and line wrapping do not
count; Chinese and Japanese by characters). An item of which no text is as long as an n-gram is looked for whole, with its
choices where the question alone says too little; public 13-gram filters pass such items over, and find half of the rest.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import storage
from datapipe.decontaminate.readers import Item
from datapipe.dedup.units import Hashes, Offsets, Units, ngrams, ngrams_at, portions, runs_of, units

_LETTERS = "ABCDEFGH"
LETTERS_A_UNIT = 2  # a run of words with fewer letters a word is an enumeration (0 1 2 3, a b c), not a text


@dataclass(frozen=True)
class Lengths:
    """Units an n-gram has, and the shortest whole item that is looked for; words, and characters of unspaced scripts.

    share_characters: of an item in an unspaced script, the share of its n-grams that a document must hold to hold the item
    (0.7, as PaLM has it: Chowdhery et al. 2022, section 8); enough_characters: characters that are a copy whatever the share.
    """

    words: int = 13
    characters: int = 30
    short_words: int = 6
    short_characters: int = 15
    share_characters: float = 0.7
    enough_characters: int = 80


@dataclass(frozen=True)
class Hits:
    """Indexed n-grams in documents, a row for each place: the document [H], the n-gram's hash [H], the first benchmark item
    that it comes from [H], and the characters that it takes in the document [H]; sorted by document and place."""

    document: Offsets
    hashes: Hashes
    item: Offsets
    begin: Offsets
    end: Offsets


@dataclass(frozen=True)
class Grams:
    """Indexed n-grams of one length: their sorted hashes [N], the first item of each [N], and `head`: how many of their
    first units are hashed to look for candidates."""

    length: int
    head: int
    hashes: Hashes
    items: NDArray[np.int32]


class Index:
    """n-grams by length, found by their heads.

    Whole items have any length from 6 words or 10 characters on. Hashing a document at twenty lengths would cost more than
    all else; so it is hashed at a few (the heads), and only where a head stands the longer ones are tried.
    """

    def __init__(self, names: list[str], grams: list[Grams], heads: dict[int, Hashes], needs: NDArray[np.int32]) -> None:
        self.names = names
        self.needs = needs
        """Different n-grams of each item [I] that a document must hold."""
        self._grams = sorted(grams, key=lambda part: part.length)
        self._heads = {head: (hashes, *_bits(hashes)) for head, hashes in sorted(heads.items())}

    def __len__(self) -> int:
        return sum(len(part.hashes) for part in self._grams)

    def benchmark(self, item: int) -> str:
        return self.names[item].split("/", 1)[0]

    def find(self, texts: Sequence[str]) -> Hits:
        """Where indexed n-grams stand in these texts."""
        cut = units(texts)
        owner = np.repeat(np.arange(len(cut)), cut.counts)
        none = np.zeros(0, np.int64)
        rows = [(none, none.astype(np.uint64), none, none, none)]
        for head, (hashes, bits, shift) in self._heads.items():
            rolled = ngrams(cut.hashes, head)
            place = np.flatnonzero(bits[(rolled >> shift).astype(np.int64)])
            place = place[_found(hashes, rolled[place]) >= 0]
            if len(place):
                rows += [self._at(part, place, cut, owner) for part in self._grams if part.head == head]
        document, hashes, item, place, last = (np.concatenate(column) for column in zip(*rows, strict=True))
        order = np.lexsort((last, place, document))
        begin, end = cut.start[place[order]], cut.end[last[order]]
        return Hits(document[order], hashes[order], item[order], begin, end)

    def partial(self, hits: Hits) -> NDArray[np.bool_]:
        """Which hits [H] are of an item of which their document holds too little: a law or a classic that both quote."""
        kinds = hits.document * len(self.names) + hits.item
        order = np.lexsort((hits.hashes, kinds))
        first = np.ones(len(order), np.bool_)
        first[1:] = (np.diff(kinds[order]) != 0) | (hits.hashes[order][1:] != hits.hashes[order][:-1])
        _, place = np.unique(kinds, return_inverse=True)
        held = np.bincount(place[order][first], minlength=int(place.max(initial=-1)) + 1)
        return np.asarray(held[place] < self.needs[hits.item])

    def _at(self, part: Grams, place: Offsets, cut: Units, owner: Offsets) -> tuple[Offsets, Hashes, Offsets, Offsets, Offsets]:
        """The n-grams of one length that stand at these places, within one document: owner, hash, item, first, last unit."""
        place = place[place + part.length <= len(owner)]
        place = place[owner[place] == owner[place + part.length - 1]]
        rolled = ngrams_at(cut.hashes, place, part.length)
        at = _found(part.hashes, rolled)
        place, rolled, at = place[at >= 0], rolled[at >= 0], at[at >= 0]
        return owner[place], rolled, part.items[at].astype(np.int64), place, place + part.length - 1

    def save(self, uri: str) -> None:
        buffer = io.BytesIO()
        heads = {f"head_{head}": hashes for head, (hashes, _, _) in self._heads.items()}
        hashes = {f"hashes_{part.length}_{part.head}": part.hashes for part in self._grams}
        items = {f"items_{part.length}_{part.head}": part.items for part in self._grams}
        names = np.frombuffer(json.dumps(self.names).encode(), np.uint8)
        np.savez(buffer, allow_pickle=False, names=names, needs=self.needs, **heads, **hashes, **items)
        with storage.aside(uri) as path, open(path, "wb") as handle:
            handle.write(buffer.getbuffer())

    @classmethod
    def load(cls, uri: str) -> Index:
        with storage.open_uri(uri) as handle, np.load(io.BytesIO(handle.read()), allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        grams, heads = [], {}
        for name in arrays:
            kind, _, rest = name.partition("_")
            if kind == "head":
                heads[int(rest)] = arrays[name]
            elif kind == "hashes":
                length, head = map(int, rest.split("_"))
                grams.append(Grams(length, head, arrays[name], arrays[f"items_{rest}"]))
        return cls(json.loads(arrays["names"].tobytes()), grams, heads, arrays["needs"])


def _bits(values: Hashes) -> tuple[NDArray[np.bool_], np.uint64]:
    """A table that is True for the leading bits of each hash, eight places for each, and the shift that gives them."""
    width = max(10, int(8 * len(values)).bit_length())
    shift = np.uint64(64 - width)
    table = np.zeros(1 << width, np.bool_)
    table[(values >> shift).astype(np.int64)] = True
    return table, shift


def _found(sorted_values: Hashes, wanted: Hashes) -> Offsets:
    """Where each wanted value stands among sorted ones; -1 where it does not."""
    if not len(sorted_values):
        return np.full(len(wanted), -1, np.int64)
    at = np.minimum(np.searchsorted(sorted_values, wanted), len(sorted_values) - 1)
    return np.where(sorted_values[at] == wanted, at, -1)


def build(benchmarks: Iterable[tuple[str, Iterable[Item]]], lengths: Lengths) -> tuple[Index, dict[str, dict[str, int]]]:
    """The index of these benchmarks, and for each of them: items, items looked for whole, items too short even for that."""
    names: list[str] = []
    items: list[Item] = []
    facts: dict[str, dict[str, int]] = {}
    for benchmark, entries in benchmarks:
        counts = facts.setdefault(benchmark, {"items": 0, "whole": 0, "too_short": 0})
        for item in entries:
            counts["items"] += 1
            names.append(f"{benchmark}/{item.key}")
            items.append(item)
    parts = _parts(items, lengths)
    whole = set(np.concatenate([part.item for part in parts if part.whole] or [np.zeros(0, np.int64)]).tolist())
    found = set(np.concatenate([part.item for part in parts] or [np.zeros(0, np.int64)]).tolist())
    for index, name in enumerate(names):
        counts = facts[name.split("/", 1)[0]]
        counts["whole"] += index in whole
        counts["too_short"] += index not in found
    grams, heads = [], {}
    for length, head in sorted({(part.length, part.head) for part in parts}):
        own = [part for part in parts if (part.length, part.head) == (length, head)]
        values, owner = (np.concatenate([getattr(part, name) for part in own]) for name in ("hashes", "item"))
        order = np.lexsort((owner, values))  # an n-gram of two items counts for the one that is read first
        hashes, first = np.unique(values[order], return_index=True)
        grams.append(Grams(length, head, hashes, owner[order][first].astype(np.int32)))
    for head in {part.head for part in parts}:
        heads[head] = np.unique(np.concatenate([part.heads for part in parts if part.head == head]))
    needs = _needs([part for part in parts if part.variant], grams, len(names), lengths)
    return Index(names, grams, heads, needs), facts


def _needs(parts: list[_Part], grams: list[Grams], items: int, lengths: Lengths) -> NDArray[np.int32]:
    """Different n-grams of each item [I] that a document must hold: one, or of an item in an unspaced script a share of those
    that are its own in one of its renderings (n-grams of two items count for the first)."""
    enough = max(1, lengths.enough_characters - lengths.characters + 1)
    needs = np.full(items, np.iinfo(np.int32).max, np.int32)
    first = {part.length: part for part in grams if part.head == part.length}
    for variant in sorted({part.variant for part in parts}):
        own = [part for part in parts if part.variant == variant]
        hashes, owner = (np.concatenate([getattr(part, name) for part in own]) for name in ("hashes", "item"))
        known = first[own[0].length]
        kept = known.items[_found(known.hashes, hashes)] == owner
        _, place = np.unique(hashes[kept], return_index=True)
        counts = np.bincount(owner[kept][place], minlength=items)
        some = np.flatnonzero(counts)
        wanted = np.clip(np.ceil(lengths.share_characters * counts[some]), 1, enough).astype(np.int32)
        needs[some] = np.minimum(needs[some], wanted)
    needs[needs == np.iinfo(np.int32).max] = 1
    return needs


@dataclass(frozen=True)
class _Part:
    """n-grams of one length: hashes [N], the hashes of their first `head` units [N], the item of each [N]; `whole`: they
    are whole items, not runs of 13; `variant`: of runs in an unspaced script, which rendering of their items they are of
    (1 the texts, 2 and 3 with the choices), else 0."""

    length: int
    head: int
    hashes: Hashes
    heads: Hashes
    item: Offsets
    whole: bool
    variant: int = 0


def _parts(items: list[Item], lengths: Lengths) -> list[_Part]:
    """The n-grams of all items: of their texts and answers; of the items that have none, the whole text; of those where
    that is too short, the text with its choices, with and without their letters."""
    parts = _grams(
        [(index, text) for index, item in enumerate(items) for text in (*item.texts, item.answer) if text], lengths, 1
    )
    rest = _without(parts, range(len(items)))
    parts += _wholes([(index, " ".join(items[index].texts)) for index in rest], lengths)
    plain, labelled = [], []
    for index in (index for index in _without(parts, rest) if items[index].choices):
        text, choices = " ".join(items[index].texts), items[index].choices
        plain.append((index, " ".join([text, *choices])))
        letters = (f"{letter}. {choice}" for letter, choice in zip(_LETTERS, choices, strict=False))
        labelled.append((index, " ".join([text, *letters])))
    rendered = [*plain, *labelled]
    longer = _grams(plain, lengths, 2) + _grams(labelled, lengths, 3)
    found = set(_without(longer, [index for index, _ in rendered]))
    return parts + longer + _wholes([entry for entry in rendered if entry[0] in found], lengths)


def _without(parts: list[_Part], items: Iterable[int]) -> list[int]:
    """Those of the items that have no n-gram yet."""
    found = {index for part in parts for index in np.unique(part.item).tolist()}
    return [index for index in items if index not in found]


def _grams(texts: list[tuple[int, str]], lengths: Lengths, variant: int) -> list[_Part]:
    parts = []
    for portion in portions([text for _, text in texts]):
        cut = units([text for _, text in texts[portion]])
        owner = np.array([index for index, _ in texts[portion]], np.int64)
        unspaced = cut.unspaced()
        for length, chosen, own in ((lengths.words, ~unspaced, 0), (lengths.characters, unspaced, variant)):
            document, place = runs_of(cut, length, chosen)
            said = _letters(cut, length)[place] >= LETTERS_A_UNIT * length
            document, place = document[said | unspaced[document]], place[said | unspaced[document]]
            if len(place):
                hashes = ngrams(cut.hashes, length)[place]
                parts.append(_Part(length, length, hashes, hashes, owner[document], whole=False, variant=own))
    return parts


def _letters(cut: Units, length: int) -> Offsets:
    """Characters in the units of each run of `length` units."""
    running = np.concatenate([[0], np.cumsum(cut.end - cut.start)])
    return np.asarray(running[length:] - running[:-length])


def _wholes(texts: list[tuple[int, str]], lengths: Lengths) -> list[_Part]:
    parts = []
    cut = units([text for _, text in texts])
    for number, (index, unspaced) in enumerate(zip((index for index, _ in texts), cut.unspaced(), strict=True)):
        own = cut.hashes[cut.offsets[number] : cut.offsets[number + 1]]
        head = lengths.short_characters if unspaced else lengths.short_words
        if len(own) >= head:
            hashes, heads = ngrams(own, len(own)), ngrams(own[:head], head)
            parts.append(_Part(len(own), head, hashes, heads, np.array([index]), whole=True))
    return parts
