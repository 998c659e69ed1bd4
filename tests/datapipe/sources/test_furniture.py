"""What belongs to the printed page goes, and only where the whole text shows that it does."""

from __future__ import annotations

from datapipe.sources.markups import book, furniture, law, medical, patent
from tests.datapipe.sources.builders import CHINESE, SENTENCES

PROSE = ["\n".join(f"{sentence} That was in the year {1700 + n}." for sentence in SENTENCES) for n in range(60)]


def pages(mark: str = "{n}") -> str:
    return "\n".join(f"{line}\n{mark.format(n=n + 11)}" for n, line in enumerate(PROSE))


def test_bare_numbers_that_rise_from_page_to_page_are_page_numbers() -> None:
    assert furniture.without_page_numbers(pages()) == "\n".join(PROSE)


def test_chapter_numbers_and_numbers_that_do_not_rise_stay() -> None:
    chapters = "\n".join(f"{n}\n" + "\n".join(PROSE * 2) for n in range(1, 13))
    assert furniture.without_page_numbers(chapters) == chapters
    for rule in (lambda n: n * 7 % 10, lambda n: n):
        table = "\n".join(str(rule(n)) for n in range(30))
        assert furniture.without_page_numbers(table) == table


def test_running_heads_come_back_with_a_rising_number_on_either_side() -> None:
    assert furniture.without_running_heads(pages("THE OLD BRIDGE {n}")) == "\n".join(PROSE)
    assert furniture.without_running_heads(pages("{n}   The old bridge")) == "\n".join(PROSE)
    play = "\n".join(f"MILLER.\n{line}" for line in PROSE)
    assert furniture.without_running_heads(play) == play, "a speaker's name has no number"
    chapters = "\n".join(f"CHAPTER {n}\n{line}" for n, line in enumerate(PROSE, 1))
    assert furniture.without_running_heads(chapters) == chapters


def test_a_table_of_contents_goes_where_its_entries_come_back() -> None:
    names = ["The river", "The bridge", "The miller's letter", "The county"]
    body = "\n\n".join(f"## {name}\n\n{SENTENCES[n % 3]}" for n, name in enumerate(names))
    listed = "CONTENTS\n\n" + "\n".join(f"{name} ..... {n * 20 + 3}" for n, name in enumerate(names))
    assert furniture.without_contents(f"{listed}\n\n{body}").strip() == body
    many = [f"第{n}回　河水夜涨{n}" for n in "一二三四五六"]
    body = "\n\n".join(f"{name}\n\n{CHINESE[0]}" for name in many)
    assert furniture.without_contents("\n".join(many) + f"\n\n{body}").strip() == body, "a list of chapters without a heading"
    alone = f"CONTENTS\n\nWhat a person holds.\n{SENTENCES[0]}\n{SENTENCES[1]}"
    assert furniture.without_contents(alone) == alone


def test_a_word_cut_at_a_line_end_is_joined_and_keeps_a_hyphen_of_its_own() -> None:
    assert furniture.joined_words("The bro-\nken bridge") == "The broken bridge"
    assert furniture.joined_words("A well-known man, a well-\nknown bridge") == "A well-known man, a well-known bridge"
    assert furniture.joined_words("deep and dark, a deep-\ndark wood") == "deep and dark, a deep-dark wood"
    assert furniture.joined_words("today to day, to-\nday") == "today to day, today"
    assert furniture.joined_words("from Mon-\nDay on") == "from Mon-\nDay on"


def test_lines_of_a_failed_extraction_go() -> None:
    text = f"{SENTENCES[0]}\n(cid:12)(cid:7) = \ue001 + \ufffd\n{SENTENCES[1]} One box \u25a1 in a sentence stays."
    assert furniture.without_broken_lines(text) == f"{SENTENCES[0]}\n{SENTENCES[1]} One box \u25a1 in a sentence stays."


def test_a_page_scanned_twice_stays_once_and_a_refrain_stays() -> None:
    long = " ".join(SENTENCES)
    assert furniture.without_repeats(f"{long}\n\nO river!\n\nx\n\n{long}\n\nO river!").count(SENTENCES[0]) == 1
    assert furniture.without_repeats(f"{long}\n\nO river!\n\nx\n\n{long}\n\nO river!").count("O river!") == 2


def test_a_chinese_novel_loses_its_contents_and_its_screen_lines() -> None:
    chapters = ["第一回　河水夜涨", "第二回　磨坊晨歌", "第三回　县令回书"]
    width = 38
    proses = ["".join(f"{CHINESE[n % 3]}这是第{100 * chapter + n}次。" for n in range(40)) for chapter in range(3)]
    lines = ["\n".join(prose[start : start + width] for start in range(0, len(prose), width)) for prose in proses]
    body = "\n\n".join(f"{name}\n\n{own}" for name, own in zip(chapters, lines, strict=True))
    made = book.to_text("目錄\n\n" + "\n".join(chapters) + f"\n\n{body}\n\n全書完")
    assert made.count("第一回") == 1 and "目錄" not in made and "全書完" not in made
    assert all(prose in made for prose in proses)


def test_a_statute_loses_its_list_of_chapters_and_a_judgment_its_signatures() -> None:
    articles = "## 第一章　总则\n\n第一条 修桥。\n\n## 第二章　附则\n\n第二条 施行。"
    statute = f"# 桥梁法\n\n目　录\n\n第一章　总则\n第二章　附则\n\n{articles}"
    made = law.to_text(statute)
    assert "目" not in made.split("第一章")[0] and made.count("第二章") == 1 and made.endswith("第二条 施行。")
    bench = "审　判　长　某甲\n审 判 员 某乙\n人民陪审员 某丙\n\n二〇一九年三月四日\n\n本件与原本核对无异\n\n书 记 员 某丁"
    judgment = f"本院认为，木桥应当修复。\n\n如不服本判决，可以上诉。\n\n{bench}"
    assert law.to_text("时效性：现行有效\n来源不明的木材，应当没收。") == "来源不明的木材，应当没收。"
    assert law.to_text(judgment) == "本院认为，木桥应当修复。\n\n如不服本判决，可以上诉。"


def test_a_patent_loses_its_labels_page_marks_and_numbers() -> None:
    claim = "1.一种木桥，其特征在于有桥桩。CN123456789A权利要求书1/2页2"
    text = f"标题：一种木桥\n摘要：本发明涉及木桥。\n权利声明：{claim}\n[0001] 桥桩由橡木制成。\n(cid:3)(cid:4)\n"
    assert patent.to_text(text) == "一种木桥\n本发明涉及木桥。\n1.一种木桥，其特征在于有桥桩。\n桥桩由橡木制成。"


def test_a_consultation_loses_its_courtesies_and_keeps_its_advice() -> None:
    text = "头疼怎么办？\n\n多休息，少熬夜。感谢您的进行咨询，期望我的解释对你有所帮助。祝您早日康复！"
    assert medical.to_text(text) == "头疼怎么办？\n\n多休息，少熬夜。"
    assert medical.to_text("希望这种药对你有所帮助的说法没有根据。") == "希望这种药对你有所帮助的说法没有根据。"
