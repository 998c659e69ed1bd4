"""Books: the work alone, its lines joined where the printer broke them."""

from __future__ import annotations

from datapipe.sources.markups import book
from datapipe.sources.reading import tidy
from tests.datapipe.sources.builders import CHINESE, SENTENCES


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


def test_a_chinese_novel_loses_its_contents_and_its_screen_lines() -> None:
    chapters = ["第一回　河水夜涨", "第二回　磨坊晨歌", "第三回　县令回书"]
    width = 38
    proses = ["".join(f"{CHINESE[n % 3]}这是第{100 * chapter + n}次。" for n in range(40)) for chapter in range(3)]
    lines = ["\n".join(prose[start : start + width] for start in range(0, len(prose), width)) for prose in proses]
    body = "\n\n".join(f"{name}\n\n{own}" for name, own in zip(chapters, lines, strict=True))
    made = book.to_text("目錄\n\n" + "\n".join(chapters) + f"\n\n{body}\n\n全書完")
    assert made.count("第一回") == 1 and "目錄" not in made and "全書完" not in made
    assert all(prose in made for prose in proses)
