"""A byte-level BPE vocabulary from text, and its files tokenizer.json and tokenizer_config.json (report, section 3.2).

Nothing is put before or after a text (no automatic <s> or </s>): the stage `encode` ends documents, and chat has its
own tokens. The result depends on the text and the config alone, not on the order of the text nor on threads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from core import storage
from tokenizer.config import BEGIN, BOT, END, PADDING, STOP, SYSTEM, UNKNOWN, USER, TokenizerConfig
from tokenizer.merges import Spelled, learn_merges
from tokenizer.pieces import Cutter, PieceCounts
from tokenizer.raw_bytes import byte_alphabet

Progress = Callable[[int], None]

# <_system>S<_user>U<_bot>A, with <_end> where an answer is followed by another turn, and only there: a single exchange
# is exactly what the report writes.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    f"{{%- if message['role'] == 'system' -%}}{{{{- '{SYSTEM}' + message['content'] -}}}}"
    f"{{%- elif message['role'] == 'user' -%}}{{{{- '{USER}' + message['content'] -}}}}"
    f"{{%- elif message['role'] == 'assistant' -%}}{{{{- '{BOT}' + message['content'] -}}}}"
    f"{{%- if not loop.last -%}}{{{{- '{STOP}' -}}}}{{%- endif -%}}"
    "{%- else -%}{{- raise_exception('roles are system, user and assistant, not ' + message['role']) -}}{%- endif -%}"
    "{%- endfor -%}"
    f"{{%- if add_generation_prompt -%}}{{{{- '{BOT}' -}}}}{{%- endif -%}}"
)


def _silent(entries: int) -> None:
    pass


class TokenizerError(ValueError):
    """A vocabulary that cannot be made or used as asked; the message says what would be right."""


def untrained(config: TokenizerConfig) -> Tokenizer:
    """A tokenizer that cuts and decodes as the config says and has no vocabulary yet."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(config.pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def control_tokens(config: TokenizerConfig) -> list[AddedToken]:
    """The control tokens as the library wants them: found whole, never changed by white space around them."""
    return [AddedToken(text, special=True, normalized=False) for text in config.control_tokens]


def train(texts: Iterable[str], config: TokenizerConfig, progress: Progress = _silent) -> Tokenizer:
    """The vocabulary of `config.vocabulary` entries that these texts give; see `train_on_pieces`."""
    return train_on_pieces(PieceCounts.of(Cutter(config.pattern).count(texts)), config, progress)


def train_on_pieces(pieces: PieceCounts, config: TokenizerConfig, progress: Progress = _silent) -> Tokenizer:
    """The vocabulary that counted pieces give: the very one that the library learns from the text behind them.

    `progress` is called with the number of entries learned so far. Raises TokenizerError where the text holds too few
    different pieces for a vocabulary of that size.
    """
    alphabet = byte_alphabet()
    vocabulary = [*config.control_tokens, *sorted(alphabet)]
    entries = {identity: bytes([alphabet[text]]) for identity, text in enumerate(vocabulary) if text in alphabet}
    byte_ids = np.zeros(256, np.int32)
    byte_ids[[raw[0] for raw in entries.values()]] = list(entries)
    spelled = Spelled(byte_ids[pieces.data], pieces.offsets, pieces.counts)
    room = config.vocabulary - len(vocabulary)
    merges = learn_merges(spelled, entries, len(vocabulary), room, config.min_frequency, progress)
    tokenizer = untrained(config)
    tokenizer.model = model_of(vocabulary, [], merges)
    tokenizer.add_special_tokens(control_tokens(config))
    check_size(tokenizer, config)
    return tokenizer


def model_of(vocabulary: Sequence[str], pairs: Sequence[tuple[str, str]], merges: Sequence[tuple[int, int, int]]) -> models.BPE:
    """The library's model: entries and pairs that there were, and the merges learned after them.

    A pair that is merged a second time (its result can be spelled in two ways) keeps its later rank, as in the library.
    """
    spelled = list(vocabulary)
    ranked = dict.fromkeys(pairs)
    for left, right, result in merges:
        pair = (spelled[left], spelled[right])
        if result == len(spelled):
            spelled.append(pair[0] + pair[1])
        ranked.pop(pair, None)
        ranked[pair] = None
    return models.BPE({text: identity for identity, text in enumerate(spelled)}, list(ranked))


def train_by_library(texts: Iterable[str], config: TokenizerConfig) -> Tokenizer:
    """The same by the library's own trainer: the reference for ours. It takes several times the time and memory."""
    tokenizer = untrained(config)
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocabulary,
        special_tokens=control_tokens(config),
        initial_alphabet=sorted(byte_alphabet()),
        min_frequency=config.min_frequency,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_blocks(texts), trainer)
    check_size(tokenizer, config)
    return tokenizer


def check_size(tokenizer: Tokenizer, config: TokenizerConfig) -> None:
    """Raises TokenizerError where the text gave fewer entries than were asked for."""
    found = tokenizer.get_vocab_size()
    if found < config.vocabulary:
        raise TokenizerError(
            f"train_tokenizer.vocabulary = {config.vocabulary:,}, but the sample gives only {found:,} entries; "
            f"use {found:,} or fewer, or a larger sample."
        )


def save(tokenizer: Tokenizer, folder: str) -> None:
    """Writes tokenizer.json and tokenizer_config.json, which transformers loads as they are."""
    storage.write_text(storage.join(folder, "tokenizer.json"), tokenizer.to_str(pretty=False))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": UNKNOWN,
        "bos_token": BEGIN,
        "eos_token": END,
        "pad_token": PADDING,
        "add_bos_token": False,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        "chat_template": CHAT_TEMPLATE,
    }
    text = json.dumps(settings, ensure_ascii=False, indent=2) + "\n"
    storage.write_text(storage.join(folder, "tokenizer_config.json"), text)


def _blocks(texts: Iterable[str], characters: int = 1 << 20) -> Iterator[list[str]]:
    """Texts gathered into lists: the library takes its lock once a list."""
    block: list[str] = []
    held = 0
    for text in texts:
        block.append(text)
        held += len(text)
        if held >= characters:
            yield block
            block, held = [], 0
    if block:
        yield block
