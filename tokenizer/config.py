"""What a vocabulary is made from: its size, its control tokens and the pattern that cuts text before merging."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import ConfigError, setting

# Llama-3's pattern (a contraction | a word with the one character before it | digits | a run of symbols | ends of
# lines | white space), with \p{N} in place of \p{N}{1,3}.
PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

UNKNOWN, BEGIN, END, PADDING = "<unk>", "<s>", "</s>", "<pad>"
ROLES = {"unk": UNKNOWN, "bos": BEGIN, "eos": END, "pad": PADDING}
"""The control tokens that every reader of a vocabulary knows, by role."""
SYSTEM, USER, BOT, STOP = "<_system>", "<_user>", "<_bot>", "<_end>"
NAMED = (UNKNOWN, BEGIN, END, PADDING, SYSTEM, USER, BOT, STOP)
"""Control tokens with a meaning, in the order of their ids from 0 (the report's ids 0 to 3, then chat)."""

_BYTES = 256


@dataclass(frozen=True)
class TokenizerConfig:
    """Settings of a byte-level BPE vocabulary."""

    vocabulary: int = setting(80_000, "entries, control tokens and the 256 bytes included (the report: 80,000)")
    pattern: str = setting(
        PATTERN,
        "cuts text into pieces that merges do not cross: Llama-3's, which gave the best rates of the patterns tried "
        "(runs of white space make code 40 % shorter), with digits one by one, as the report's rate on maths implies "
        "and as arithmetic is learned best",
    )
    spares: int = setting(56, "unused control tokens <_spare_0> ..., so that later stages need no new vocabulary")
    min_frequency: int = setting(2, "a merge must occur this often in the sample")

    def __post_init__(self) -> None:
        least = len(NAMED) + self.spares + _BYTES
        if self.vocabulary <= least:
            raise ConfigError(
                f"vocabulary = {self.vocabulary} leaves no room for merges: {len(NAMED)} control tokens, {self.spares} "
                f"spares and {_BYTES} bytes take {least}; use more."
            )
        if self.spares < 0:
            raise ConfigError(f"spares = {self.spares} must be 0 or more.")

    @property
    def control_tokens(self) -> list[str]:
        """Every control token in the order of ids."""
        return [*NAMED, *(f"<_spare_{number}>" for number in range(self.spares))]
