"""Rules: measures of documents and of their lines, one file a family; what counts as bad is the config's business.

A family is a module of this package. Its functions become rules by the decorators of `datapipe.rules.registry`; importing
this package imports every family, so a new one is a new file and nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil

_MACHINERY = {"registry", "judge", "sets", "lists", "table", "tune"}

for _module in pkgutil.iter_modules(__path__):
    if _module.name not in _MACHINERY:
        importlib.import_module(f"{__name__}.{_module.name}")
