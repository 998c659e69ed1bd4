"""Instruct data (a prompt and its answer, or a dialogue) as plain text: what is said, turn after turn, without roles or tags.

The layouts that published sets use are told by their fields: `messages` of role and content (OpenAI), `conversations` of from
and value (ShareGPT), instruction, input and output (Alpaca, with a `history` of earlier turns or without), and prompt and
answer under their usual names. Documents carry the name of their layout as `instruct` in their metadata: decontamination
removes them whole for any n-gram that they share with a benchmark, and `resample` reports their share of each domain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.config import setting
from datapipe.config import HtmlConfig
from datapipe.document import INSTRUCT
from datapipe.sources.base import InputFile, Record, removed, turns
from datapipe.sources.parquet import parsed
from datapipe.sources.records import Records
from datapipe.sources.stored import Patient

Turn = tuple[str, str]  # who (user, assistant or system), what

_ROLES = {"human": "user", "user": "user", "prompter": "user", "gpt": "assistant", "assistant": "assistant", "bot": "assistant",
          "chatgpt": "assistant", "model": "assistant", "system": "system"}  # fmt: skip
_LISTS = ("messages", "conversations", "conversation", "dialogue", "turns")
_ASKS = ("instruction", "prompt", "question", "query")
_ANSWERS = ("output", "response", "completion", "answer", "chosen")
_NOTHING = {"", "<noinput>", "nan", "none", "n/a", "null"}


@dataclass(frozen=True)
class Instruct(Records):
    """JSON lines, JSON lists, CSV, TSV or (by its name's ending) Parquet of instruct data; options as those of `records`."""

    system: bool = setting(False, "keep the system's turns; they are the same sentence thousands of times")

    def read(self, file: InputFile, html: HtmlConfig) -> Iterator[Record]:
        if not _is_parquet(file):
            yield from super().read(file, html)
            return
        with Patient(file.uri) as handle:
            yield from self.rows(parsed(handle))

    def parts(self, file: InputFile, most: int) -> int:
        return turns(file, most) if _is_parquet(file) else super().parts(file, most)

    def enters(self, file: InputFile) -> bool:
        return not _is_parquet(file) and super().enters(file)

    def record(self, key: str, fields: Mapping[str, Any]) -> Record:
        """The dialogue as one text; a verdict where the layout is unknown or nobody answers."""
        made = super().record(key, fields)
        layout, exchange = dialogue(fields)
        spoken = [(who, words) for who, words in exchange if words and (self.system or who != "system")]
        made.text = self._cut("\n\n".join(words for _, words in spoken))
        made.metadata[INSTRUCT] = layout or "unknown"
        if not layout:
            names = ", ".join(sorted(map(str, fields))[:10])
            made.verdict = removed(key, "instruct_layout", detail=f"no layout of instruct data has the fields {names}").verdict
        elif not any(who == "assistant" for who, _ in spoken):
            made.verdict = removed(key, "no_answer", 0, 1, "nothing that the assistant says").verdict
        return made


def _is_parquet(file: InputFile) -> bool:
    return file.path.lower().endswith(".parquet")


def dialogue(fields: Mapping[str, Any]) -> tuple[str, list[Turn]]:
    """The layout of a record ("" where it is none that is known) and its turns, in order."""
    for name in _LISTS:
        if isinstance(entries := fields.get(name), (list, tuple)) and entries:
            return name, [_turn(number, turn) for number, turn in enumerate(entries)]
    asked = next((name for name in _ASKS if _said(fields.get(name))), None)
    answered = next((name for name in _ANSWERS if name in fields), None)
    if asked is None or answered is None:
        return "", []
    exchange = [("system", _said(fields.get("system")))]
    history = fields.get("history")
    for pair in history if isinstance(history, (list, tuple)) else ():
        if isinstance(pair, (list, tuple)) and len(pair) == 2:
            exchange += [("user", _said(pair[0])), ("assistant", _said(pair[1]))]
    given = _said(fields.get("input"))
    question = _said(fields[asked]) + ("" if given.lower() in _NOTHING else f"\n{given}")
    return ("alpaca" if asked == "instruction" else f"{asked}-{answered}"), [
        *exchange, ("user", question), ("assistant", _said(fields[answered])),
    ]  # fmt: skip


def _turn(number: int, turn: Any) -> Turn:
    """One entry of a list of turns; without a name of who speaks the user begins and the two take turns."""
    who = ("user", "assistant")[number % 2]
    if not isinstance(turn, Mapping):
        return who, _said(turn)
    named = next((turn[name] for name in ("role", "from", "speaker") if name in turn), None)
    if named is not None:
        who = _ROLES.get(str(named).lower(), "system")  # tools and functions are machinery, as the system is
    return who, _said(next((turn[name] for name in ("content", "value", "text") if name in turn), ""))


def _said(value: Any) -> str:
    """A turn's words; of a content in parts (OpenAI) the parts that are text."""
    if isinstance(value, (list, tuple)):
        return "\n".join(filter(None, map(_said, value)))
    if isinstance(value, Mapping):
        return _said(value.get("text"))
    return value.strip() if isinstance(value, str) else ""
