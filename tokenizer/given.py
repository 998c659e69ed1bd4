"""A published tokenizer in place of one of our own: for going on with a model that was trained with it.

tokenizer.json stays as it is, byte for byte; tokenizer_config.json is written anew beside it and says which of its tokens ends
a document. Encoding goes through `encode`, whose ids are those of the library whatever the file holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tokenizers import Tokenizer

from core import storage
from tokenizer.config import ROLES
from tokenizer.encode import Vocabulary, reference
from tokenizer.train import TokenizerError


def take(uri: str, named: Mapping[str, str], folder: str) -> Vocabulary:
    """Copies the tokenizer.json at `uri` into `folder` and writes its tokenizer_config.json.

    named: control tokens by role (eos, bos, unk, pad); those left out are as a tokenizer_config.json beside the file has
    them, and only eos must be there. Raises TokenizerError where the file cannot serve.
    """
    if not storage.exists(uri):
        raise TokenizerError(f"{uri}: no such file; give a tokenizer.json (transformers' save_pretrained writes one).")
    text = storage.read_text(uri)
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the library raises nothing narrower
        raise TokenizerError(f"{uri}: is no tokenizer.json that `tokenizers` can read ({error}).") from error
    home = uri.rpartition("/")[0] or "."
    beside = storage.join(home, "tokenizer_config.json")
    published: dict[str, Any] = storage.read_json(beside) if storage.exists(beside) else {}
    known = {**{role: _name(published.get(f"{role}_token")) for role in ROLES}, **named}
    control = {role: name for role, name in known.items() if name}
    _check(uri, tokenizer, text, control)
    control.setdefault("pad", control["eos"])  # what fills a row is never looked at
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{f"{role}_token": name for role, name in control.items()},
        "add_bos_token": False,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
    }
    if (template := _template(published, storage.join(home, "chat_template.jinja"))) is not None:
        settings["chat_template"] = template
    storage.write_text(storage.join(folder, "tokenizer.json"), text)
    storage.write_text(storage.join(folder, "tokenizer_config.json"), json.dumps(settings, ensure_ascii=False, indent=2) + "\n")
    return Vocabulary.read(storage.join(folder, "tokenizer.json"))


def _check(uri: str, tokenizer: Tokenizer, text: str, control: Mapping[str, str]) -> None:
    if "eos" not in control:
        raise TokenizerError(
            f"{uri}: nothing says which token ends a document; name it with train_tokenizer.control.eos, as its special token "
            f"{_special(tokenizer)}."
        )
    for role, name in control.items():
        identity = tokenizer.token_to_id(name)
        if identity is None:
            raise TokenizerError(
                f"{uri}: has no token {name}, which train_tokenizer.control.{role} or the tokenizer_config.json beside it "
                f"names; its special tokens are {_special(tokenizer)}."
            )
    eos = control["eos"]
    if tokenizer.token_to_id(eos) in reference(text).encode(f"a {eos} b{eos}", add_special_tokens=False).ids:
        raise TokenizerError(
            f"{uri}: {eos} written in a text would end the document, for it is no special token there, or a piece like others; "
            f"name another with train_tokenizer.control.eos. The special tokens are {_special(tokenizer)}."
        )


def _special(tokenizer: Tokenizer) -> str:
    names = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if names[8:] else "") if names else "(it has none)"


def _name(token: Any) -> str | None:
    """A token's text, which stands alone or in a description of it."""
    return token.get("content") if isinstance(token, dict) else token


def _template(published: Mapping[str, Any], file: str) -> Any:
    return published.get("chat_template") or (storage.read_text(file) if storage.exists(file) else None)
