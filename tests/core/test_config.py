"""Settings: what a user may write, and what is said when it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from core.config import ConfigError, build, describe, load, override, plain, setting


@dataclass(frozen=True)
class Inner:
    size: int = setting(4, "how large")
    rate: float = setting(0.1, "how fast")
    kind: Literal["a", "b"] = setting("a", "which")
    names: list[str] = setting([], "which ones")
    bounds: dict[str, dict[str, float]] = setting({}, "limits")
    maybe: int | None = setting(None, "if any")

    def __post_init__(self) -> None:
        if self.size == 3:
            raise ConfigError("size = 3 does not divide 4; use 1, 2 or 4.")


@dataclass(frozen=True)
class Outer:
    run: str = setting("", "the run")
    inner: Inner = setting(Inner, "a section")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_extends_another_and_the_command_line_has_the_last_word(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", "run: base\ninner: {size: 1, rate: 1e-3, bounds: {en: {min: 1}}}\n")
    path = write(tmp_path, "over.yaml", "extends: base.yaml\ninner: {size: 2, bounds: {zh: {min: 2}}}\n")
    config = load(path, ["inner.kind=b", "inner.maybe=7"], Outer)
    assert plain(config) == {
        "run": "base",
        "inner": {
            "size": 2,
            "rate": 1e-3,
            "kind": "b",
            "names": [],
            "bounds": {"en": {"min": 1.0}, "zh": {"min": 2.0}},
            "maybe": 7,
        },
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("inner: {sise: 1}", ["c.yaml", "inner.sise", "did you mean 'size'"]),
        ("innner: {}", ["c.yaml", "innner", "did you mean 'inner'"]),
        ("inner: {size: big}", ["c.yaml", "inner.size", "'big'", "int"]),
        ("inner: {size: true}", ["inner.size", "True", "int"]),
        ("inner: {kind: c}", ["inner.kind", "'c'", "a, b"]),
        ("inner: {names: x}", ["inner.names", "list"]),
        ("inner: {bounds: {en: {min: low}}}", ["inner.bounds.en.min", "'low'"]),
        ("inner: {size: 3}", ["c.yaml", "inner.size = 3", "use 1, 2 or 4"]),
        ("inner: 5", ["inner", "mapping"]),
        ("run: a\nrun: b", ["c.yaml, line 2", "'run'", "twice"]),
        ("a: [", ["c.yaml", "not valid YAML"]),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, "c.yaml", text), [], Outer)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match="nowhere.yaml: no such config file"):
        load("nowhere.yaml", [], Outer)


def test_sections_of_another_package_are_let_through_but_not_strangers(tmp_path: Path) -> None:
    path = write(tmp_path, "c.yaml", "other: {anything: 1}\nrun: r\n")
    assert load(path, [], Outer, foreign={"other"}).run == "r"
    with pytest.raises(ConfigError, match="other: no such setting"):
        load(path, [], Outer)


def test_an_override_must_be_an_assignment() -> None:
    with pytest.raises(ConfigError, match="key=value"):
        override({}, ["seed"])


def test_defaults_are_not_shared_between_instances() -> None:
    build(Inner, {}).names.append("x")
    assert build(Inner, {}).names == []


def test_help_lists_every_setting_with_its_reason() -> None:
    assert ("inner.size", "4", "how large") in describe(Outer, "")
