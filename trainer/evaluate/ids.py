"""Text as a Hugging Face model reads it: its ids and back, the id in front of a text, the ids that end one, how many
it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any


def as_text(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Ids of each text, nothing put before or after.

    A control token's name in a text (the <s> of an HTML page) is text, as in training, for every tokenizer that can read it so.
    """
    found: list[list[int]] = tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True, verbose=False)[
        "input_ids"
    ]
    return found


def continuation(tokenizer: Any, before: Sequence[int], new: Sequence[int]) -> str:
    """The text of new ids behind others.

    By themselves they would lose their first blank: tokenizers after SentencePiece take it for the one in front of a text.
    """
    return _text(tokenizer, [*before, *new])[len(_text(tokenizer, before)) :]


def streamed(tokenizer: Any, before: Sequence[int], new: Iterable[int]) -> Iterator[str]:
    """The same text as the ids come, in whole characters."""
    held, shown = list(before), len(_text(tokenizer, before))
    for one in new:
        held.append(one)
        text = _text(tokenizer, held)
        if text.endswith("\ufffd"):  # a character's first bytes
            continue
        if text[shown:]:
            yield text[shown:]
        shown = len(text)
        if text.endswith("\n"):  # what stands before it need not be decoded again
            held, shown = held[-1:], len(_text(tokenizer, held[-1:]))
    if rest := _text(tokenizer, held)[shown:]:
        yield rest


def _text(tokenizer: Any, ids: Sequence[int]) -> str:
    return str(tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))


def start_of(model: Any, tokenizer: Any, given: int | None) -> int | None:
    """The id in front of a text: the given one, or what the model begins generation with, its bos_token, its eos_token.

    None where there is none of these. Generation settings come first: exports of ours say there that a text stands behind the
    end of another.
    """
    known = (given, model.generation_config.bos_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id)
    return next((int(value) for value in known if value is not None), None)


def context_of(model: Any) -> int:
    """How many tokens it reads at most; some networks (ALiBi, recurrent ones) name no number and have no such bound."""
    return int(getattr(model.config, "max_position_embeddings", None) or 1 << 30)


def ends_of(model: Any, tokenizer: Any) -> list[int]:
    """The ids that end a text: the tokenizer's, and those of the model's generation settings (chat models have several)."""
    settings = model.generation_config.eos_token_id
    several = settings if isinstance(settings, list) else [settings]
    return sorted({int(value) for value in (tokenizer.eos_token_id, *several) if value is not None})
