"""Rules for technical Markdown: what is fenced is code, and prose must stand around it."""

import pytest

from datapipe.rules.markdown import code_share, headings, prose, short_items
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, verdict

PAGE = f"# 渡口\n\n{CHINESE}\n```java\nint ferry = 1;\n```\n"


def test_an_article_with_code_stays() -> None:
    assert verdict(PAGE, "zh", "Code") is None


def test_fences_are_counted_by_document_and_an_open_one_reaches_to_its_end() -> None:
    measured = code_share(TextView.of(["```\nabc", "text", "a\n```\nbb\n```\nc"]))
    assert measured.tolist() == [1, 0, 8 / 10]


@pytest.mark.parametrize(
    ("rule", "page"),
    [
        ("markdown.code_share", "# 代码\n```\n" + "ferry = ferry + 1\n" * 60 + "```\n"),
        ("markdown.prose", "# 目录\n" + "\n".join(f"- 第{n}节 渡口的历史" for n in range(40))),
        ("chinese.letters", "# 渡口\n" + CHINESE.replace("，", "★★★★★★★★★★★★★★★★★★★★★★★★★★★★★★★★★★")),
    ],
)
def test_a_page_that_is_no_article_goes_for_its_reason(rule: str, page: str) -> None:
    found = verdict(page, "zh", "Code")
    assert found is not None and found.rule == rule


def test_items_and_headings_are_shares_of_lines_outside_code() -> None:
    view = TextView.of(["# a\n- item\n- A sentence ends.\n```\n# code\n```"])
    assert (headings(view)[0], short_items(view)[0]) == (1 / 3, 1 / 3)
    assert prose(view)[0] == len("Asentenceends")
