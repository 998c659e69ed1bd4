"""`make bench` lists what can be measured; `make bench NAME=x` measures one.

A benchmark is a module of this folder with a docstring and `main(arguments) -> list of results`; each result is printed
as one JSON line {name, value, unit, reference, reference_value, ratio}.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from pathlib import Path

from core.config import ConfigError

FOLDER = Path(__file__).resolve().parent


def names() -> list[str]:
    found = [module.name for module in pkgutil.iter_modules([str(FOLDER)])]
    return sorted(name.replace("_", "-") for name in found if not name.startswith("_"))


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        for name in names():
            module = importlib.import_module(f"benchmarks.{name.replace('-', '_')}")
            print(f"{name:24} {(module.__doc__ or '').strip().splitlines()[0]}")
        return 0
    if arguments[0] not in names():
        print(f"error: {arguments[0]}: no such benchmark; there are {', '.join(names())}.", file=sys.stderr)
        return 2
    module = importlib.import_module(f"benchmarks.{arguments[0].replace('-', '_')}")
    try:
        for result in module.main(arguments[1:]):
            print(json.dumps(result, ensure_ascii=False), flush=True)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
