"""Statutes and judgments: the law without its list of chapters and who signed it."""

from __future__ import annotations

from datapipe.sources.markups import law


def test_a_statute_loses_its_list_of_chapters_and_a_judgment_its_signatures() -> None:
    articles = "## 第一章　总则\n\n第一条 修桥。\n\n## 第二章　附则\n\n第二条 施行。"
    statute = f"# 桥梁法\n\n目　录\n\n第一章　总则\n第二章　附则\n\n{articles}"
    made = law.to_text(statute)
    assert "目" not in made.split("第一章")[0] and made.count("第二章") == 1 and made.endswith("第二条 施行。")
    bench = "审　判　长　某甲\n审 判 员 某乙\n人民陪审员 某丙\n\n二〇一九年三月四日\n\n本件与原本核对无异\n\n书 记 员 某丁"
    judgment = f"本院认为，木桥应当修复。\n\n如不服本判决，可以上诉。\n\n{bench}"
    assert law.to_text("时效性：现行有效\n来源不明的木材，应当没收。") == "来源不明的木材，应当没收。"
    assert law.to_text(judgment) == "本院认为，木桥应当修复。\n\n如不服本判决，可以上诉。"
