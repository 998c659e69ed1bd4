"""YAML into typed, frozen dataclasses, with dotted overrides and errors that name the key.

A package declares its settings as dataclasses whose fields are made by `setting(default, why)`: the why is the
documentation, and `--help` of every job prints it. Nothing else reads YAML, so every wrong key, wrong type and impossible
combination is found here, before anything starts.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import yaml

T = TypeVar("T")
_MISSING = dataclasses.MISSING


class ConfigError(ValueError):
    """A setting that cannot be right; the message names the key, the value and what would be right."""


def setting(default: Any = _MISSING, why: str = "") -> Any:
    """A dataclass field with its reason. Mutable defaults are copied for each instance; no default means required."""
    metadata = {"why": why}
    if default is _MISSING:
        return dataclasses.field(metadata=metadata)
    if isinstance(default, (list, dict, set)):
        frozen = json.dumps(default)
        return dataclasses.field(default_factory=lambda: json.loads(frozen), metadata=metadata)
    if isinstance(default, type) and dataclasses.is_dataclass(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice and reads 1e-4 as the number it is."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            line = key_node.start_mark.line + 1
            raise ConfigError(f"{loader.name}, line {line}: the key '{key}' is written twice; keep one.")
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_FLOAT = "tag:yaml.org,2002:float"
_Loader.add_implicit_resolver(_FLOAT, __import__("re").compile(r"^[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+$"), list("-+0123456789"))


def _parse(text: str, name: str) -> Any:
    loader = _Loader(text)
    loader.name = name
    try:
        return loader.get_single_data()
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not valid YAML: {error}") from error
    finally:
        loader.dispose()


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: mappings merge key by key, everything else is replaced whole (lists too)."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def read_yaml(path: str | Path) -> dict[str, Any]:
    """A config file as a tree; `extends: other.yaml` (or a list, relative to the file) is read first and laid under."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such config file; see configs/ for those that exist.") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a directory; give a YAML file.") from None
    tree = _parse(text, str(path))
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: must hold a mapping of sections at the top, not {type(tree).__name__}.")
    below: dict[str, Any] = {}
    extends = tree.pop("extends", [])
    for name in [extends] if isinstance(extends, str) else extends:
        below = merge(below, read_yaml(path.parent / name))
    return merge(below, tree)


def override(tree: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Lays `a.b.c=value` assignments on a tree; the value is read as YAML, so `lr=1e-3` is a number."""
    result = dict(tree)
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise ConfigError(f"'{assignment}': an override is written key=value, for example seed=1.")
        nested: Any = _parse(value, assignment)
        for key in reversed(name.split(".")):
            nested = {key: nested}
        result = merge(result, nested)
    return result


def build(schema: type[T], tree: Any, where: str = "", source: str = "") -> T:
    """A tree as an instance of the dataclass `schema`; `where` is the dotted name of the tree, `source` its file."""
    prefix = f"{source}: " if source else ""
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{prefix}{where or 'the config'} = {tree!r} must be a mapping of settings.")
    hints = typing.get_type_hints(schema)
    fields = {field.name: field for field in dataclasses.fields(schema)}  # type: ignore[arg-type]
    for key in tree:
        if key not in fields:
            raise ConfigError(prefix + _unknown(_dotted(where, str(key)), str(key), fields))
    values = {}
    for name, field in fields.items():
        if name in tree:
            values[name] = _value(hints[name], tree[name], _dotted(where, name), source)
        elif field.default is _MISSING and field.default_factory is _MISSING:
            raise ConfigError(f"{prefix}{_dotted(where, name)} is missing: {field.metadata.get('why', 'it is required')}.")
    try:
        return schema(**values)
    except ConfigError as error:
        message = str(error)
        raise ConfigError(message if source and message.startswith(prefix) else f"{prefix}{_dotted(where, message)}") from None


def load(path: str | Path, assignments: Sequence[str], schema: type[T], foreign: Collection[str] = ()) -> T:
    """Reads a file, lays the overrides on it and builds `schema`; sections named in `foreign` belong to another package."""
    return build_sections(override(read_yaml(path), assignments), schema, foreign, str(path))


def build_sections(tree: Mapping[str, Any], schema: type[T], foreign: Collection[str] = (), source: str = "") -> T:
    """Builds `schema` from the top-level sections that it knows; a section nobody knows is an error."""
    own = {field.name for field in dataclasses.fields(schema)}  # type: ignore[arg-type]
    for key in tree:
        if key not in own and key not in foreign:
            prefix = f"{source}: " if source else ""
            raise ConfigError(prefix + _unknown(str(key), str(key), own | set(foreign)))
    return build(schema, {key: value for key, value in tree.items() if key in own}, "", source)


def plain(value: Any) -> Any:
    """A config (or any part of it) as plain mappings and lists, ready for YAML or JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def describe(schema: type[Any], where: str) -> list[tuple[str, str, str]]:
    """(dotted name, default, why) of each setting below a section, nested ones included, for `--help`."""
    hints = typing.get_type_hints(schema)
    rows: list[tuple[str, str, str]] = []
    for field in dataclasses.fields(schema):
        name, hint = _dotted(where, field.name), hints[field.name]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            rows.extend(describe(hint, name))
            continue
        if field.default_factory is not _MISSING:
            default = json.dumps(plain(field.default_factory()), ensure_ascii=False)
        else:
            default = "required" if field.default is _MISSING else json.dumps(plain(field.default), ensure_ascii=False)
        rows.append((name, default if len(default) <= 60 else default[:57] + "...", field.metadata.get("why", "")))
    return rows


def _dotted(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _unknown(name: str, key: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"known here: {', '.join(sorted(known))}."
    return f"{name}: no such setting; {hint}"


def _value(hint: Any, value: Any, name: str, source: str) -> Any:
    prefix = f"{source}: " if source else ""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        errors = []
        for option in arguments:
            if option is not type(None):
                try:
                    return _value(option, value, name, source)
                except ConfigError as error:
                    errors.append(error)
        raise errors[0]
    if origin is Literal:
        if value not in arguments:
            raise ConfigError(f"{prefix}{name} = {value!r} must be one of {', '.join(map(str, arguments))}.")
        return value
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type[Any], hint), value, name, source)
    if origin in (list, tuple):
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"{prefix}{name} = {value!r} must be a list.")
        return origin(_value(arguments[0], entry, f"{name}[{n}]", source) for n, entry in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{prefix}{name} = {value!r} must be a mapping.")
        return {key: _value(arguments[1], entry, _dotted(name, str(key)), source) for key, entry in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and not (isinstance(value, bool) and hint is not bool):
        return value
    raise ConfigError(f"{prefix}{name} = {value!r} must be of type {getattr(hint, '__name__', hint)}.")
