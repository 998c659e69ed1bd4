"""Public lists of hosts and addresses whose pages are not read, by URI: plain domains, hosts files, addresses, UT1's folders.

A list of millions of lines is read once, on the driver, line by line, and becomes two sorted arrays of 64-bit hashes (8 bytes
a line) that every worker loads: one of hosts, one of beginnings of addresses. A page is on a list if its host or a parent of
its host is, or if a listed address is its own up to the end of a path segment.
"""

from __future__ import annotations

import hashlib
import io
import ipaddress
import json
import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import numpy as np
import xxhash
from numpy.typing import NDArray

from core import storage
from core.config import ConfigError, plain
from core.storage import FileInfo
from datapipe.config.triage import UrlList
from datapipe.sources.files import open_buffered
from datapipe.triage.addresses import host_form, normalise

_HOST = re.compile(r"^(?=.{3,253}$)[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$")
_OF_FOLDER = re.compile(r"(?:^|/)([^/]+)/(?:domains|urls)(?:\.txt)?(?:\.gz)?$")
_LOCAL = {"localhost", "localhost.localdomain", "local", "broadcasthost", "0.0.0.0"}
_SEGMENTS = 32  # of a page's path: a listed address deeper than that is not found


@dataclass(frozen=True)
class Compiled:
    """One list: sorted hashes of hosts and of beginnings of addresses, the category of each, the names of the categories."""

    name: str
    categories: list[str]
    hosts: NDArray[np.uint64]
    host_categories: NDArray[np.uint16]
    beginnings: NDArray[np.uint64]
    beginning_categories: NDArray[np.uint16]

    def category_of(self, hosts: list[str], beginnings: list[str]) -> tuple[str, str] | None:
        """(entry, category) of the first of these that is listed."""
        for entries, table, kinds in (
            (hosts, self.hosts, self.host_categories), (beginnings, self.beginnings, self.beginning_categories),
        ):  # fmt: skip
            for entry in entries if len(table) else ():
                wanted = np.uint64(_hash(entry))
                place = int(np.searchsorted(table, wanted))
                if place < len(table) and table[place] == wanted:
                    return entry, self.categories[kinds[place]]
        return None


def files(lists: Mapping[str, UrlList]) -> list[FileInfo]:
    """The files that the lists consist of. Raises ConfigError for a list that has none."""
    return [info for name, entry in lists.items() for _, info in _members(name, entry)]


def key(lists: Mapping[str, UrlList]) -> str:
    """A name that changes with the lists and with any of their files; "" where there is no list."""
    basis = {
        name: [plain(entry), [[info.uri, info.size, info.version] for _, info in _members(name, entry)]]
        for name, entry in lists.items()
    }
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:32] if basis else ""


def compile_lists(lists: Mapping[str, UrlList], target: str) -> None:
    """Reads the lists and stores their tables as one file, whole or not at all. Raises ConfigError for a list without an
    entry."""
    tables: dict[str, NDArray[np.generic]] = {}
    for number, (name, entry) in enumerate(lists.items()):
        made = _compile(name, entry)
        tables[f"{number}.name"] = np.array([made.name, *made.categories])
        tables[f"{number}.hosts"], tables[f"{number}.host_categories"] = made.hosts, made.host_categories
        tables[f"{number}.beginnings"], tables[f"{number}.beginning_categories"] = made.beginnings, made.beginning_categories
    with storage.aside(target) as path, open(path, "wb") as handle:
        np.savez(handle, allow_pickle=False, **tables)


@lru_cache(maxsize=2)
def load_lists(uri: str) -> list[Compiled]:
    """What `compile_lists` stored; kept for the life of the process."""
    with storage.open_uri(uri) as handle:
        tables = np.load(io.BytesIO(handle.read()), allow_pickle=False)
    made = []
    for number in range(len(tables.files) // 5):
        name, *categories = tables[f"{number}.name"].tolist()
        parts = [tables[f"{number}.{part}"] for part in ("hosts", "host_categories", "beginnings", "beginning_categories")]
        made.append(Compiled(name, categories, *parts))
    return made


def listed(url: str, lists: list[Compiled]) -> str | None:
    """The list that holds a page, with the entry and its category in words; None where none does."""
    if not lists:
        return None
    hosts, beginnings = _ways_to(url)
    for one in lists:
        if (found := one.category_of(hosts, beginnings)) is not None:
            entry, category = found
            return f"{one.name}{f'/{category}' if category else ''}: {entry}"
    return None


def entry_of(line: str) -> tuple[bool, list[str]]:
    """(whether they are hosts, the entries) of a line; no entries where it holds none (a comment, an address of this
    machine)."""
    line = line.partition("#")[0].strip() if not line.startswith("!") else ""
    first, *others = line.split()[:20] or [""]
    if others and _is_address(first):  # a hosts file: an address, then its names
        return True, [host for host in map(host_form, others) if _HOST.match(host) and host not in _LOCAL]
    if first.startswith("||"):  # an ad blocker's rule for a host
        first = first[2:].partition("^")[0]
    first = first.removeprefix("*").lstrip(".")
    if not first:
        return True, []
    form = normalise(first if "://" in first else f"http://{first}")
    if "/" in form or "?" in form:
        return False, [form]
    host = form.partition(":")[0]
    return True, [host] if (_HOST.match(host) and host not in _LOCAL) else []


def _compile(name: str, entry: UrlList) -> Compiled:
    categories: list[str] = []
    found: dict[bool, tuple[array[int], array[int]]] = {kind: (array("Q"), array("H")) for kind in (True, False)}
    for category, info in _members(name, entry):
        if category not in categories:
            categories.append(category)
        for line in _lines(info.uri):
            is_host, entries = entry_of(line)
            hashes, kinds = found[is_host]
            hashes.extend(map(_hash, entries))
            kinds.extend([categories.index(category)] * len(entries))
    if not any(len(hashes) for hashes, _ in found.values()):
        raise ConfigError(
            f"extract.triage.lists.{name}.uri = {entry.uri}: holds no host and no address; one a line is expected."
        )
    hosts, beginnings = (_sorted(*found[is_host]) for is_host in (True, False))
    return Compiled(name, categories, *hosts, *beginnings)


def _sorted(hashes: array[int], categories: array[int]) -> tuple[NDArray[np.uint64], NDArray[np.uint16]]:
    """Each hash once, in order, with the category that named it first."""
    values, first = np.unique(np.frombuffer(hashes, np.uint64), return_index=True)
    return values, np.frombuffer(categories, np.uint16)[first]


def _members(name: str, entry: UrlList) -> list[tuple[str, FileInfo]]:
    """(category, file) of a list: one file, or the `domains` and `urls` of a folder's categories."""
    try:
        found = storage.listing(entry.uri)
    except OSError as error:
        raise ConfigError(f"extract.triage.lists.{name}.uri = {entry.uri}: cannot be listed: {error}.") from error
    if len(found) == 1 and not _OF_FOLDER.search(found[0].uri):
        return [("", found[0])]
    members = [(match.group(1), info) for info in found if (match := _OF_FOLDER.search(info.uri))]
    known = {category for category, _ in members}
    for category in entry.categories:
        if category not in known:
            raise ConfigError(
                f"extract.triage.lists.{name}.categories holds {category!r}; there are {', '.join(sorted(known)) or 'none'}."
            )
    members = [(category, info) for category, info in members if not entry.categories or category in entry.categories]
    if not members:
        raise ConfigError(
            f"extract.triage.lists.{name}.uri = {entry.uri}: no such file, nor a folder of <category>/domains or urls."
        )
    return members


def _lines(uri: str) -> Iterator[str]:
    with open_buffered(uri) as stream:
        for line in stream:
            yield line.decode("utf-8", "replace")


def _ways_to(url: str) -> tuple[list[str], list[str]]:
    """The host and its parents, and the beginnings of an address at which a list may name it, the most general first."""
    form = normalise(url)
    try:
        host = host_form(urlsplit(f"//{form}").hostname or "") if "://" not in form else ""
    except ValueError:  # a bare target that is no address: `[foo`
        host = ""
    if not host:
        return [], []
    labels = host.split(".")
    parents = [host] if _is_address(host) else [".".join(labels[at:]) for at in range(max(1, len(labels) - 1))]
    path, question, query = form.partition("?")
    place, *segments = path.split("/")
    beginnings = ["/".join([place, *segments[: count + 1]]) for count in range(min(len(segments), _SEGMENTS))]
    return parents, [*beginnings, *([f"{path}?{query}"] if question else [])]


def _hash(entry: str) -> int:
    return xxhash.xxh3_64_intdigest(entry.encode("utf-8", "surrogatepass"))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
