"""Papers in LaTeX: their text with their formulas, macros expanded within bounds."""

from __future__ import annotations

from pathlib import Path

from datapipe.sources.markups import latex
from datapipe.sources.reading import tidy
from tests.datapipe.sources.builders import outcomes, read

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
