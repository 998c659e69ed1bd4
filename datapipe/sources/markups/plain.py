"""Text that is plain already."""


def to_text(text: str) -> str:
    return text
