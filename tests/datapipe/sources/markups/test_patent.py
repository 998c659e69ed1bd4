"""Patents as running text."""

from __future__ import annotations

from datapipe.sources.markups import patent


def test_a_patent_loses_its_labels_page_marks_and_numbers() -> None:
    claim = "1.一种木桥，其特征在于有桥桩。CN123456789A权利要求书1/2页2"
    text = f"标题：一种木桥\n摘要：本发明涉及木桥。\n权利声明：{claim}\n[0001] 桥桩由橡木制成。\n(cid:3)(cid:4)\n"
    assert patent.to_text(text) == "一种木桥\n本发明涉及木桥。\n1.一种木桥，其特征在于有桥桩。\n桥桩由橡木制成。"
