"""Arbitrary bytes through a byte-level vocabulary: what is not UTF-8 goes byte by byte, and comes back as it was."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer


def byte_alphabet() -> dict[str, int]:
    """The character by which a byte-level vocabulary writes each byte (GPT-2's table): printable ones stand for
    themselves, the others for the characters from U+0100 on, in order."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    table.update({chr(0x100 + place): byte for place, byte in enumerate(others)})
    return table


class ByteCodec:
    """`encode` any bytes to ids, `decode` ids to the very bytes; the tokenizer must treat control tokens as text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True
        alphabet = byte_alphabet()
        added = tokenizer.get_added_tokens_decoder()
        self._bytes_of: dict[int, bytes] = {}
        for token, identity in tokenizer.get_vocab().items():
            text = token.encode() if identity in added else bytes(alphabet[character] for character in token)
            self._bytes_of[identity] = text
        vocabulary = tokenizer.get_vocab()
        self._id_of = {byte: vocabulary[character] for character, byte in alphabet.items()}

    def encode(self, raw: bytes) -> list[int]:
        """Valid stretches as text, each byte that is not part of valid UTF-8 as its own token."""
        ids: list[int] = []
        while raw:
            try:
                return ids + self._encode_text(raw.decode("utf-8"))
            except UnicodeDecodeError as error:
                ids += self._encode_text(raw[: error.start].decode("utf-8"))
                ids += [self._id_of[byte] for byte in raw[error.start : error.end]]
                raw = raw[error.end :]
        return ids

    def decode(self, ids: Iterable[int]) -> bytes:
        return b"".join(self._bytes_of[identity] for identity in ids)

    def _encode_text(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)
