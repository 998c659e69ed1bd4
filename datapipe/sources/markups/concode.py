"""A method with its description and the members of its class in one field, as code-generation data sets write them.

`concode_field_sep` and `concode_elem_sep` separate the description from the members (CONCODE, Iyer et al. 2018). The text
given here is the description, a line of three dashes, and the code; the members go, the description becomes a comment.
"""

from __future__ import annotations

_CUT = "\n---\n"


def to_text(text: str) -> str:
    description, _, code = text.partition(_CUT)
    words = description.split("concode_field_sep")[0].strip()
    return f"/** {words} */\n{code.strip()}" if words else code.strip()
