"""A tokenizer that reads text as SentencePiece does: a blank in front, taken away again where a text begins."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer, decoders, models, normalizers
from transformers import PreTrainedTokenizerFast


def metaspace(texts: Sequence[str], merges: Sequence[tuple[str, str]] = ()) -> Tokenizer:
    """Characters of `texts`, the pairs that are merged, and control tokens at the ids that ours have."""
    entries = ["<unk>", "<s>", "</s>", "<pad>", *sorted({*"".join(texts).replace(" ", "▁"), "▁"})]
    entries += ["".join(pair) for pair in merges]
    vocabulary = {entry: number for number, entry in enumerate(entries)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges), unk_token="<unk>"))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    made.add_special_tokens(entries[:4])
    return made


def loaded(made: Tokenizer) -> PreTrainedTokenizerFast:
    """The same as transformers loads it."""
    names = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, **names)
