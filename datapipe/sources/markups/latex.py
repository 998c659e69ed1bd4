r"""LaTeX to text that keeps its mathematics: the procedure of Llama's arXiv data (Touvron et al. 2023, 2.1), and a little more.

What stands before the first section goes, comments go, the bibliography and what follows it go, macros that the authors
defined are expanded. Beyond that, what only sets type (labels, files of figures, spacing, fonts) goes, citations become
numbers, and sections become headings; formulas stay in LaTeX, which is how they are read and written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from datapipe.sources.markups.guard import require_closed
from datapipe.sources.markups.latex_letters import spelled_out

_ARGUMENT = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"  # in braces, with braces two deep
_OPTION = r"(?:\[[^\]]*\])?"


def _any(words: str) -> str:
    return f"(?:{'|'.join(words.split())})"


_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*?(?:\n[ \t]*|\Z)")
_COMMENT_LINE = re.compile(r"^[ \t]*%.*\n?", re.MULTILINE)
_COMMENT_BLOCK = re.compile(r"\\begin\{comment\}.*?\\end\{comment\}", re.DOTALL)
_SECTION = re.compile(rf"\\(?:chapter|section|subsection|subsubsection)\*?\s*{_OPTION}\{{")
_ABSTRACT = re.compile(r"\\begin\{abstract\}(.*?)\\end\{abstract\}", re.DOTALL)
_END = re.compile(
    r"\\begin\{(?:thebibliography|references)\}|\\bibliography\s*\{|\\printbibliography|\\section\*?\{references\}",
    re.IGNORECASE,
)
_APPENDIX = re.compile(r"\\appendix\b|\\end\{thebibliography\}|\\end\{references\}")
_DEFINES = _any("newcommand renewcommand providecommand def DeclareMathOperator")
_MACRO = re.compile(rf"\\{_DEFINES}\*?\s*\{{?\\([A-Za-z]+)\}}?\s*(?:\[(\d)\])?(\[[^\]]*\])?((?:#\d)*)\s*\{{")
_ALIAS = re.compile(r"\\let\\([A-Za-z]+)\s*=?\s*(\\[A-Za-z]+)[ \t]*\n?")
_GIVEN = re.compile(r"\s*\[([^\[\]]*)\]")
_FLOAT = _any("figure table wrapfigure sidewaystable sidewaysfigure tikzpicture thebibliography tabular longtable filecontents")
_FLOATS = re.compile(rf"\\begin\{{({_FLOAT})(\*?)\}}.*?\\end\{{\1\2\}}", re.DOTALL)
_CAPTION = re.compile(rf"\\caption{_OPTION}\{{")
_SETS = _any(
    "label index vspace hspace includegraphics input include bibliographystyle usepackage pagestyle thispagestyle setcounter"
    " addtocounter setlength addcontentsline hypersetup pagenumbering nocite thanks affiliation altaffiliation email markboth"
    " phantom graphicspath date author title tocdepth index[a-z]+ symlabel symindex glossary color"
    " newenvironment renewenvironment"
)
_GONE = re.compile(rf"[ \t]*\\{_SETS}\*?\s*{_OPTION}(?:{_ARGUMENT}){{1,3}}(?:[ \t]*\n)?")
_CITE = re.compile(r"\\(?:[cC]ite[a-z]*|parencite|textcite|footcite|autocite)\*?(?:\s*\[[^\]]*\]){0,2}\s*\{([^{}]*)\}")
_REF = re.compile(r"\\(?:ref|eqref|cref|Cref|autoref|pageref|nameref)\*?\{([^{}]*)\}")
_DRESS = _any(
    "emph textit textbf texttt textsc textrm textsf textmd textup text underline uline mbox hbox define defn defemph url"
)
_WORDS = re.compile(rf"\\(?:{_DRESS}|href\{{[^{{}}]*\}})\s*\{{((?:[^{{}}]|\{{[^{{}}]*\}})*)\}}")
_BOXES = re.compile(
    r"\\(?:textcolor\s*\{[^{}]*\}|(?:parbox|makebox|framebox|fbox|raisebox)(?:\s*\[[^\]]*\]){0,3}(?:\{[^{}]*\}(?=\s*\{))?)\s*"
    + _ARGUMENT
)
_VERB = re.compile(r"\\verb\*?([^A-Za-z\s*{])(.{0,200}?)\1")
_FOOTNOTE = re.compile(rf"\\footnote(?:mark|text)?\s*{_OPTION}{_ARGUMENT}")
_DEPTH = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5, "subparagraph": 5}
_HEADING = re.compile(rf"\\({'|'.join(_DEPTH)})\*?\s*{_OPTION}{_ARGUMENT}")
_SHELL = _any(
    "document abstract center itemize enumerate description quote quotation flushleft flushright proof small minipage"
    " acknowledgments? acknowledgements? mylist spacing"
)
_MATHEMATICS = _any(
    "equation align alignat flalign eqnarray gather multline math displaymath dmath array [pbvB]?matrix smallmatrix cases split"
    " aligned alignedat gathered mathpar tikzcd xy subarray lstlisting verbatim minted Verbatim"
)
_ENVIRONMENT = re.compile(
    rf"\\(?:begin|end)\{{(?:{_SHELL}\*?\}}(?:\[[^\]]*\]|\{{[^{{}}]*\}})?"
    rf"|(?!{_MATHEMATICS}\*?\}})[A-Za-z]+\*?\}}(?:\[[^\]]*\])?)"
)
_NAMES = {"thm": "Theorem", "lem": "Lemma", "prop": "Proposition", "cor": "Corollary", "defn": "Definition", "rmk": "Remark",
          "eg": "Example", "ex": "Exercise"}  # fmt: skip
_STATES = _any(f"theorem lemma proposition corollary definition remark example exercise conjecture claim {' '.join(_NAMES)}")
_THEOREM = re.compile(rf"\\(begin|end)\{{({_STATES})\*?\}}(?:\[([^\]]*)\])?[ \t]*")
_ITEM = re.compile(r"\\item\b\s*(?:\[([^\]\n]{0,200})\])?[ \t]*")
_SWITCH = _any(
    "maketitle tableofcontents noindent indent medskip smallskip bigskip newpage clearpage cleardoublepage centering par"
    " phantomsection hfill vfill newline linebreak pagebreak sloppy raggedright raggedbottom frontmatter mainmatter backmatter"
    " appendix qed null protect relax small footnotesize scriptsize large Large LARGE huge normalsize bfseries itshape rmfamily"
    " sffamily ttfamily em bf it rm tt sc sf twocolumn onecolumn acknowledgments leavevmode ignorespaces"
)
_TYPE = re.compile(rf"\\{_SWITCH}(?![A-Za-z])[ \t]*")
_OPENED = re.compile(r"\s*(?=\{)")
_PARAMETER = re.compile(r"#(\d)")
_MAX_PASSES = 4
_MAX_GROWTH = 4
_MAX_BRACED = 4_000  # characters between two braces


def to_text(text: str) -> str:
    """The paper's text; "" for a file that defines macros and says nothing."""
    require_closed(text, (("\\begin{", "\\end{"), ("{", "}")))
    text = _COMMENT_BLOCK.sub("", text.replace("\r\n", "\n"))
    text = _COMMENT_LINE.sub("", text)
    text = _COMMENT.sub(r"\1", text)
    macros = _macros(text)
    text = _body(text)
    text = _expand(text, macros)
    text = _captions(text)
    text = _numbered_citations(text)
    text = _GONE.sub("", text)
    text = _REF.sub(r"[\1]", text)
    text = _FOOTNOTE.sub(r" (\1)", text)
    text = _HEADING.sub(lambda found: f"\n\n{'#' * _DEPTH[found.group(1)]} {' '.join(found.group(2).split())}\n\n", text)
    text = _THEOREM.sub(_theorem, text)
    text = _ENVIRONMENT.sub("\n", text)
    text = _ITEM.sub(lambda found: f"- {found.group(1)} " if found.group(1) else "- ", text)
    text = _BOXES.sub(r"\1", _VERB.sub(r"\2", spelled_out(text)))
    for _ in range(2):  # words in italics within words in bold
        text = _WORDS.sub(r"\1", text)
    text = _TYPE.sub("", text)
    text = text.replace("~", " ").replace("``", "“").replace("''", "”").replace("\\@", "").replace("\\/", "").replace("\\-", "")
    text = re.sub(r"\\([%&#_$])", r"\1", text)
    text = re.sub(r"^[ \t]+", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip() if _says_something(text) else ""


def _body(text: str) -> str:
    """From the abstract or the first section to the bibliography; an appendix after it is text again."""
    start = text.find("\\begin{document}")
    start = start + len("\\begin{document}") if start >= 0 else 0
    abstract = _ABSTRACT.search(text, start)
    section = _SECTION.search(text, start)
    head = f"{abstract.group(1)}\n\n" if abstract and (section is None or abstract.start() < section.start()) else ""
    # The definitions of a style file may name sections; a preamble without \begin{document} ends at the first real one.
    text = head + text[section.start() if section else (abstract.end() if abstract else start) :]
    text = text.split("\\end{document}")[0]
    if (end := _END.search(text)) is not None:
        more = _APPENDIX.search(text, end.end())
        text = text[: end.start()] + (text[more.end() :] if more else "")
    return text


@dataclass(frozen=True)
class _Macro:
    """A macro: how many arguments it takes, what it stands for, and what its first one is where none is given."""

    count: int
    body: str
    default: str | None = None


def _macros(text: str) -> dict[str, _Macro]:
    """The macros that the authors define, by name; those that call themselves are left."""
    found: dict[str, _Macro] = {}
    for match in _MACRO.finditer(text):
        name, count, default, parameters = match.groups()
        body = _braced(text, match.end() - 1)
        if body is None or len(body) > 500 or f"\\{name}" in body:
            continue
        if "DeclareMathOperator" in match.group():
            body = f"\\operatorname{{{body}}}"
        found[name] = _Macro(int(count) if count else parameters.count("#"), body, default[1:-1] if default else None)
    for alias in _ALIAS.finditer(text):
        found.setdefault(alias.group(1), _Macro(0, alias.group(2)))
    return found


def _expand(text: str, macros: dict[str, _Macro]) -> str:
    """Macros replaced by what they stand for, some levels deep and never to more than a few times the length."""
    text = _ALIAS.sub("", _without_definitions(text))
    if not macros:
        return text
    names = "|".join(sorted(map(re.escape, macros), key=lambda name: (-len(name), name)))
    use = re.compile(rf"\\({names})(?![A-Za-z])(\s*\{{\}})?")
    bound = _MAX_GROWTH * len(text) + 10_000
    for _ in range(_MAX_PASSES):
        parts: list[str] = []
        place = 0
        for match in use.finditer(text):
            if match.start() >= place and (called := _called(text, match.end(), macros[match.group(1)])) is not None:
                parts.extend((text[place : match.start()], called[0]))
                place = called[1]
        if not parts:
            break
        text = "".join(parts) + text[place:]
        if len(text) > bound:
            break
    return text


def _called(text: str, end: int, macro: _Macro) -> tuple[str, int] | None:
    """A macro's body with the arguments that stand after it, and where they end; None where arguments are missing."""
    arguments: list[str] = []
    if macro.default is not None:
        given = _GIVEN.match(text, end)
        arguments.append(given.group(1) if given else macro.default)
        end = given.end() if given else end
    while len(arguments) < macro.count:
        opened = _OPENED.match(text, end)
        argument = _braced(text, opened.end()) if opened else None
        if opened is None or argument is None:
            return None
        arguments.append(argument)
        end = opened.end() + len(argument) + 2
    return _PARAMETER.sub(lambda found: _argument(arguments, int(found.group(1))), macro.body), end


def _argument(arguments: list[str], number: int) -> str:
    return arguments[number - 1] if 0 < number <= len(arguments) else ""


def _without_definitions(text: str) -> str:
    parts: list[str] = []
    place = 0
    for match in _MACRO.finditer(text):
        body = _braced(text, match.end() - 1)
        if match.start() >= place and body is not None:
            parts.append(text[place : match.start()])
            place = match.end() + len(body) + 1
    return "".join(parts) + text[place:]


def _braced(text: str, start: int) -> str | None:
    """What stands between the brace at `start` and the one that closes it."""
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start, start + _MAX_BRACED):
        if match.group() == "{":
            depth += 1
        elif match.group() == "}":
            depth -= 1
            if depth == 0:
                return text[start + 1 : match.start()]
    return None


def _captions(text: str) -> str:
    """Figures and tables go, but what their captions say stays."""

    def said(match: re.Match[str]) -> str:
        found = (_braced(match.group(), caption.end() - 1) for caption in _CAPTION.finditer(match.group()))
        return "\n\n".join(caption for caption in found if caption)

    return _FLOATS.sub(said, text)


def _numbered_citations(text: str) -> str:
    """Citations as the printed paper has them: [1], [2, 3], in the order of their first use."""
    numbers: dict[str, int] = {}

    def numbered(match: re.Match[str]) -> str:
        keys = [key.strip() for key in match.group(1).split(",")]
        return f"[{', '.join(str(numbers.setdefault(key, len(numbers) + 1)) for key in keys)}]"

    return _CITE.sub(numbered, text)


def _theorem(match: re.Match[str]) -> str:
    if match.group(1) == "end":
        return "\n"
    name = _NAMES.get(match.group(2), match.group(2).capitalize())
    return f"\n{name}{f' ({match.group(3)})' if match.group(3) else ''}. "


def _says_something(text: str) -> bool:
    words = re.findall(r"(?<![\\A-Za-z])[A-Za-z]{2,}", text)
    commands = re.findall(r"\\[A-Za-z]+", text)
    return len(words) > 30 and len(words) > len(commands) / 2 or bool(re.search(r"[\u4e00-\u9fff]{20}", text))
