"""Text files and markups: LaTeX, Markdown, books, fragments of HTML."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from datapipe.sources.markups import book, code, concode, fragment, latex, markdown
from datapipe.sources.reading import tidy
from tests.datapipe.sources.builders import CHINESE, SENTENCES, outcomes, read

PAPER = r"""
\documentclass{article} % a comment
\newcommand{\R}{\mathbb{R}}
\newcommand{\norm}[1]{\left\lVert #1 \right\rVert}
\title{On Bridges}
\begin{document}
\maketitle
\begin{abstract}
We study bridges over rivers, and count the posts that stand in the water after each flood of the year.
\end{abstract}
\section{Introduction}\label{s:a}
% a whole line of comment
Bridges in $\R^n$ have norm $\norm{x}$ \cite{euler}, with 50\% of posts~\citep[p.~3]{gauss,euler}. See \emph{also} \ref{s:a}.
The miller walked along the bank and counted the posts that were left standing in the water of the river.
\begin{figure}\includegraphics{a.png}\caption{The bridge in $1900$.}\end{figure}
\begin{theorem}[Euler] No walk crosses each bridge once. \end{theorem}
\bibliography{refs}
\appendix
\section{Posts} The posts were of oak.
\end{document}
"""


def test_a_paper_is_its_text_with_its_formulas() -> None:
    assert tidy(latex.to_text(PAPER)) == (
        "We study bridges over rivers, and count the posts that stand in the water after each flood of the year.\n\n"
        "## Introduction\n\n"
        r"Bridges in $\mathbb{R}^n$ have norm $\left\lVert x \right\rVert$ [1], with 50% of posts [2, 1]. See also [s:a]."
        "\n"
        "The miller walked along the bank and counted the posts that were left standing in the water of the river.\n"
        "The bridge in $1900$.\n\n"
        "Theorem (Euler). No walk crosses each bridge once.\n\n"
        "## Posts\n\nThe posts were of oak."
    )  # fmt: skip


def test_a_file_of_macros_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "macros.tex").write_text(r"\newcommand{\a}[1]{\mathbf{#1}}" * 20 + r"\usepackage{amsmath}\def\b{\gamma}")
    assert outcomes(read(tmp_path / "macros.tex", markup="latex", domain="AcademicPaper")) == ["extract.empty"]


def test_macros_with_defaults_parameters_and_aliases_are_expanded() -> None:
    words = "The miller walked along the bank and counted the posts that were left standing in the water of the river. " * 2
    paper = (
        r"\newcommand{\set}[2][x]{\{#1 : #2\}}\def\pair#1#2{\langle #1,#2\rangle}\let\eps\varepsilon"
        rf"\section{{A}} {words}"
        r"$\set{a}$, $\set[y]{b}$, $\pair{u}{v}$, $\eps$, $\pair{u}$"
    )
    made = latex.to_text(paper)
    assert made.endswith(r"$\{x : a\}$, $\{y : b\}$, $\langle u,v\rangle$, $\varepsilon$, $\pair{u}$")


def test_letters_boxes_and_unknown_environments_become_their_text() -> None:
    words = "The miller walked along the bank and counted the posts that were left standing in the water of the river. " * 2
    paper = (
        rf"\section{{A}} {words}"
        r"Slavi\v{c}, G\"odel, Erd\H{o}s, Fran\c{c}ois, na\"{\i}ve, Stra\ss{}e, S\o ren. "
        r"\textcolor{red}{Red} \verb|x_1| \parbox[t]{2cm}{box}"
        "\n\\begin{situation}[Case]\nRain.\n\\end{situation}\n\\begin{align*}\na &= b \\\\\n\\end{align*}"
    )
    made = latex.to_text(paper)
    assert "Slavič, Gödel, Erdős, François, naïve, Straße, Søren. Red x_1 box" in made
    assert "situation" not in made and "Rain." in made and "\\begin{align*}" in made and "b \\\\" in made


def test_macros_that_grow_without_end_are_left_off() -> None:
    words = "The miller walked along the bank and counted the posts that were left standing in the water. " * 4
    bomb = r"\newcommand{\b}{\c\c\c\c\c\c}\newcommand{\c}{\d\d\d\d\d\d}\newcommand{\d}{\e\e\e\e\e\e}\newcommand{\e}{xxxxxxxxxx}"
    assert len(latex.to_text(rf"{bomb}\section{{A}} {words} " + r"\b" * 1000)) < 5_000_000


def test_markdown_keeps_code_and_loses_what_only_builders_read() -> None:
    text = (
        "---\ntitle: x\ntags: [a]\n---\n# Bridge\n\n<!-- note -->\n"
        "See [the *docs*](http://a.org/x_(y)) and ![a picture](a.png).\n"
        "[ref]: http://a.org\n:::note\n<div align=\"center\">Text</div>\n\n```html\n<div>[kept](x) <!-- kept --></div>\n```\n"
    )  # fmt: skip
    assert tidy(markdown.to_text(text)) == (
        "# Bridge\n\nSee the *docs* and .\n\nText\n\n```html\n<div>[kept](x) <!-- kept --></div>\n```"
    )


def test_operators_in_code_are_no_open_tags() -> None:
    text = "```cpp\n" + 'std::cout << "a" << b[1;\n' * 300 + "```\n"
    assert markdown.to_text(text) == text.strip()


def test_a_book_loses_its_front_and_back_matter_and_printed_line_ends() -> None:
    lines = "\n".join((SENTENCES[n % 3][:62] + ", and") for n in range(60))
    text = (
        "The Project Gutenberg eBook of X\n\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n"
        "Produced by Someone\n\nCHAPTER I\n\n"
        f"{lines}\n\n[Pg 12]\n\nThe bro-\nken bridge was gone.\n\n*** END OF THE PROJECT GUTENBERG EBOOK X ***\nlicence"
    )
    made = tidy(book.to_text(text))
    assert made.startswith("CHAPTER I\n\n") and made.endswith("The broken bridge was gone.")
    assert "Gutenberg" not in made and "Pg 12" not in made and made.count("\n") < 8


def test_verse_keeps_its_lines() -> None:
    verse = "\n".join(f"A short line of verse {n}" for n in range(80))
    assert book.to_text(verse) == verse


@pytest.mark.parametrize("encoding", ["big5", "gb18030"])
def test_a_novel_in_a_legacy_encoding_with_a_name_in_mojibake(tmp_path: Path, encoding: str) -> None:
    text = (
        "".join(CHINESE)
        if encoding == "gb18030"
        else "夜裡河水上漲，村裡的人還沒有發現，木橋就被沖走了。他寫信向縣裡求助，縣裡不理他。"
    )
    path = tmp_path / "Ñ├╝y¬@Ñ¡½ß.txt.gz"
    path.write_bytes(gzip.compress(("　　第一回\r\n　　" + text).encode(encoding)))
    [made] = read(path, source="text", domain="Book", markup="book", options={"encoding": "big5"})
    assert made.text == "第一回\n" + text and made.source == "Ñ├╝y¬@Ñ¡½ß.txt.gz"


def test_files_are_cut_at_a_pattern_or_by_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n\n\nthree\nfour\n\n\n\n\nfive")
    blocks = read(tmp_path / "a.txt", language="en", options={"between": r"\n{3,}"})
    assert [document.text for document in blocks] == ["one\ntwo", "three\nfour", "five"]
    lines = read(tmp_path / "a.txt", language="en", options={"lines": 2})
    assert [document.text for document in lines] == ["one\ntwo", "three\nfour", "five"]


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(range(128, 256)) * 20 + bytes(range(32)) * 9)
    assert outcomes(read(tmp_path / "a.txt")) == ["extract.binary"]


def test_fragments_keep_their_code_line_for_line() -> None:
    html = "<p>Try   this &amp; that:</p><pre><code>if a &lt; b:\n    a = b</code></pre><p>Done.<br>Really.</p>"
    assert fragment.to_text(html) == "Try this & that:\n\nif a < b:\n    a = b\n\nDone.\nReally."


def test_a_source_loses_its_licence_and_keeps_its_first_words() -> None:
    assert code.to_text("#!/bin/sh\n# Copyright 2020 Someone\n# All rights reserved.\n\necho 1\n") == "#!/bin/sh\necho 1\n"
    assert code.to_text("/*\n * Licensed under the X License\n */\nint a;\n") == "int a;\n"
    two = "// Copyright 2020 Someone\n\n/* Licensed under\n the X License */\n\n/** Adds. */\nint add();\n"
    assert code.to_text(two) == "/** Adds. */\nint add();\n"
    assert code.to_text('"""Copyright (c) 2020 X"""\nimport os\n') == "import os\n"
    assert (
        code.to_text("# -*- coding: utf-8 -*-\n# SPDX-License-Identifier: MIT\nx = 1\n") == "# -*- coding: utf-8 -*-\nx = 1\n"
    )
    assert code.to_text("# Adds two numbers.\ndef add(): ...\n") == "# Adds two numbers.\ndef add(): ...\n"


def test_a_described_method_becomes_a_commented_one() -> None:
    text = "adds two concode_field_sep int a concode_elem_sep int b\n---\nint f ( ) { return a + b ; }"
    assert concode.to_text(text) == "/** adds two */\nint f ( ) { return a + b ; }"


@pytest.mark.parametrize(
    ("name", "mark"),
    [("wikitext", "{{a|"), ("wikitext", "<ref>"), ("wikitext", "{|\n"), ("latex", "\\begin{figure} "), ("latex", "\\emph{"),
     ("markdown", "<!--")],
)  # fmt: skip
def test_what_opens_and_never_closes_is_refused_before_a_parser_hangs_on_it(tmp_path: Path, name: str, mark: str) -> None:
    (tmp_path / "a.txt").write_text("Some words first. " + mark * 20_000)
    [made] = read(tmp_path / "a.txt", markup=name)
    assert made.verdict is not None and made.verdict.rule == "extract.broken_markup" and made.text == ""


def test_all_text_has_one_form() -> None:
    assert tidy("a\r\nb \rc\u2028d\x00\u200b\ufeffe\n\n\n\nf\t\n\n") == "a\nb\nc\nde\n\nf"
    assert tidy("e\u0301") == "é"
