"""What lies on this machine beside web pages: sources of the standard library, licences, readmes, the language reference.

Everything is read where it is installed, at the time of the run. Paths in the records are relative, so that the same
Python gives the same documents wherever it lies.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pkgutil
import re
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distributions
from itertools import zip_longest
from pathlib import Path

import xxhash

from datapipe.sources.charset import decode

_ROOT = Path(__file__).resolve().parent.parent.parent
_LICENCE = re.compile(r"(?:^|/)(?:LICEN[CS]E|COPYING|NOTICE|COPYRIGHT)[^/]*$", re.IGNORECASE)
_NOT_CODE = re.compile(r"(?:^|/)(?:test|tests|site-packages|dist-packages|idle_test|turtledemo|lib-dynload|__pycache__)(?:/|$)")
_UNFIT = frozenset(
    "antigravity this idlelib turtledemo test __main__ lib2to3 tkinter turtle ensurepip venv encodings distutils".split()
)
_UNFIT_PARTS = {"tests", "test", "conftest", "testing", "_testing", "__main__", "setup"}

Text = tuple[str, str]  # (path, text)


def module_pages(packages: Sequence[str], count: int) -> list[str]:
    """The paths of pydoc pages, at most `count`: half of the standard library, half of the packages that are installed.

    Modules are found on disk, without importing any, those near the top of a package first; those that open windows or
    browsers when imported are left out.
    """
    names = sorted(name for name in sys.stdlib_module_names if not name.startswith("_") and name not in _UNFIT)
    library = sorted((page for name in names for page in _pages_of(name)), key=lambda page: (page.count("."), page))
    others = _in_turn([_pages_of(name) for name in packages])
    half = max(count - len(others), count // 2)
    return [*library[:half], *others[: count - min(half, len(library))]]


def _in_turn(lists: list[list[str]]) -> list[str]:
    """One of each in turn, so that no package takes all the room."""
    return [entry for row in zip_longest(*lists) for entry in row if entry is not None]


def _pages_of(name: str) -> list[str]:
    """A module and, for a package, its public modules below, parents first; nothing where it is not installed."""
    if importlib.util.find_spec(name) is None:
        return []
    found, waiting = [], [name]
    while waiting:
        current = waiting.pop(0)
        found.append(f"/{current}.html")
        waiting.extend(sorted(f"{current}.{child}" for child in _children(current)))
    return found


def _children(name: str) -> Iterator[str]:
    spec: importlib.machinery.ModuleSpec | None = None
    search: Sequence[str] | None = None
    for number in range(1, name.count(".") + 2):
        part = ".".join(name.split(".")[:number])
        spec = importlib.machinery.PathFinder.find_spec(part, search)
        if spec is None or spec.submodule_search_locations is None:
            return
        search = list(spec.submodule_search_locations)
    for child in pkgutil.iter_modules(search):
        if not child.name.startswith("_") and child.name not in _UNFIT_PARTS:
            yield child.name


def code(most_bytes: int) -> Iterator[Text]:
    """Standard-library sources, spread evenly over it (in the order of a hash of their paths) up to a size."""
    root = Path(sysconfig.get_paths()["stdlib"])
    paths = [path.relative_to(root).as_posix() for path in root.rglob("*.py")]
    paths = [path for path in paths if not _NOT_CODE.search(path)]
    taken = 0
    for path in sorted(paths, key=lambda path: xxhash.xxh3_64_intdigest(path.encode())):
        data = (root / path).read_bytes()
        if data.strip() and taken + len(data) <= most_bytes:
            taken += len(data)
            yield path, decode(data).text


def licences() -> Iterator[Text]:
    """The licence texts that installed packages carry."""
    for distribution in _installed():
        for file in sorted(distribution.files or [], key=str):
            if ".dist-info/" in str(file) and _LICENCE.search(str(file)):
                path = Path(str(distribution.locate_file(file)))
                if path.is_file():
                    yield f"{_name(distribution)}/{path.name}", decode(path.read_bytes()).text


def readmes() -> Iterator[Text]:
    """The descriptions with which installed packages present themselves."""
    for distribution in _installed():
        text = (distribution.read_text("METADATA") or "").partition("\n\n")[2]
        if len(text) > 200:
            yield f"{_name(distribution)}/README", text


def reference() -> Iterator[Text]:
    """The chapters of the language reference that ship with Python, as `help()` shows them."""
    from pydoc_data.topics import topics  # type: ignore[import-not-found, unused-ignore]

    for topic in sorted(topics):
        yield f"reference/{topic}", topics[topic]


def project() -> Iterator[Text]:
    """This project's own documents."""
    for path in project_files():
        yield path.relative_to(_ROOT).as_posix(), path.read_text(encoding="utf-8")


def project_files() -> list[Path]:
    return sorted([*_ROOT.glob("*.md"), *(_ROOT / "docs").rglob("*.md")])


def _installed() -> list[Distribution]:
    """One distribution a name, in order of names."""
    by_name = {_name(distribution): distribution for distribution in distributions()}
    return [by_name[name] for name in sorted(by_name)]


def _name(distribution: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or "unnamed").lower()
