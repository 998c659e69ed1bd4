"""For each rule a shipped set that uses it and a page of our own that breaks it; good pages that break none of them."""

from __future__ import annotations

_EN = """The lighthouse on the eastern cape was built by a man who could not swim and who feared the sea all his life.
He drew the plans in a kitchen forty miles inland, and asked the fishermen to tell him where their boats had been lost.
They came on Sundays with charts that they had drawn themselves, and each of them marked a different rock.

When the tower was finished, the rocks turned out to be one rock, which moved with the sand that carried it.
The keeper wrote this in his book in the first winter. "It is not where it was in autumn," he noted, and drew an arrow.
Nobody believed him until a ship with a cargo of oranges found the place that the arrow had pointed to.

Today the lamp is run by a clock, and the keeper's house belongs to a potter who sells cups with the arrow on them.
She says that visitors ask for the story first and for the price afterwards, which she thinks is the right order.
"""
_ZH = """东边海角上的灯塔，是一个不会游泳、一辈子都怕海的人造的。他在离海四十里的厨房里画好了图纸，请渔民来告诉他船都沉在哪里。
他们每到星期天就带着自己画的海图来，每个人标出的礁石都不一样。

塔造好以后，大家才发现那些礁石其实是同一块，它随着沙子慢慢移动。守塔人在第一个冬天就把这件事写进了本子里。
“它已经不在秋天的那个地方了，”他写道，还画了一个箭头。直到一条装满橘子的船撞上箭头所指的地方，人们才相信他。

如今灯由一只钟控制，守塔人的房子归一位陶艺家所有，她卖的杯子上印着那个箭头。
她说，来的人总是先问故事，再问价钱，她觉得这个顺序是对的。
"""
_CODE = "".join(f"def volume_{n}(width, height, depth):\n    return width * height * depth + {n}\n\n" for n in range(6))
_MARKDOWN = "# 灯塔\n\n" + _ZH + "\n```python\nlamp = 1\n```\n\n## 后记\n\n" + _ZH[:200] + "。\n"
_CLASSICAL = "海之東有塔焉，高百尺，其下多石。舟人過之，皆仰而視。昔有守者，冬夜獨坐，聞石有聲，秉燭而往，則石已徙矣。"
GOOD = {"en": _EN, "zh": _ZH, "code": _CODE, "markdown": _MARKDOWN, "classical": _CLASSICAL}

_AD = "Buy replica watches now, order now, click here, lowest price, 100% free shipping, make money online. "


def _en(page: str) -> tuple[str, str, str]:
    return "web-en", "en", page


def _zh(page: str) -> tuple[str, str, str]:
    return "web-zh", "zh", page


def _line(line: str) -> tuple[str, str, str]:
    return _en(f"{_EN}{line}\n")


PLANTED: dict[str, tuple[str, str, str]] = {
    "text.characters": _en(" \n "),
    "text.garbled_characters": _en(_EN.replace("e", "\ufffd")),
    "text.mojibake": _en(_EN.replace(",", "Ã© Ã¨")),
    "gopher.words": _en("A short page. It says nothing."),
    "gopher.mean_word_length": _en("incomprehensibilities " * 90),
    "gopher.hashes_per_word": _en(_EN.replace(" the ", " #the #")),
    "gopher.ellipses_per_word": _en(_EN.replace(" ", "... ")),
    "gopher.bullet_lines": _en("\n".join(f"- {line}" for line in _EN.replace("\n\n", "\n").splitlines())),
    "gopher.ellipsis_lines": _en(_EN.replace("\n", " …\n")),
    "gopher.alphabetic_tokens": _en(_EN.replace(" ", " 1 2 ")),
    "gopher.stop_words": _en(" ".join(f"Shop chair {n} today." for n in range(90))),
    "repetition.duplicate_lines": _en(_EN + "The lamp was out again on that morning.\n" * 12),
    "repetition.duplicate_line_characters": _en(_EN + _EN.split("\n")[0].join(["\n"] * 9)),
    "repetition.duplicate_paragraphs": _en("\n\n".join([_EN.split("\n\n")[0]] * 3)),
    "repetition.duplicate_paragraph_characters": _en("\n\n".join([_EN.split("\n\n")[0]] * 3)),
    "repetition.top_2gram": _en(_EN + " cheap towers" * 60),
    "repetition.top_3gram": _en(_EN + " cheap towers here" * 60),
    "repetition.top_4gram": _en(_EN + " cheap towers here today" * 60),
    **{f"repetition.duplicate_{n}grams": _en(_EN + _EN[: len(_EN) // 2]) for n in range(5, 11)},
    "c4.sentences": _en(_EN.replace(".", ",").replace("\n", " ")),
    "c4.curly_brackets": _en(_EN.replace(" the ", " { the } ")),
    "c4.lorem_ipsum": _en(_EN + "Lorem ipsum dolor sit amet and more.\n"),
    "c4.javascript": _line("Please enable JavaScript in your browser to read on"),
    "c4.policy": _line("By going on you accept the terms of use and the privacy policy"),
    "c4.line_words": _line("Two words"),
    "c4.longest_word": _line("z" * 1200 + " is one word of this line."),
    "fineweb.punctuated_lines": _en(_EN.replace(".", "").replace('"', "")),
    "fineweb.short_lines": _en("\n".join(f"A short line, number {n}." for n in range(40))),
    "fineweb.duplicate_line_characters": _en(_EN + _EN.split("\n")[0] + "\n" + _EN.split("\n")[1] + "\n"),
    "fineweb.newlines_per_word": _en("\n".join("one two three." for _ in range(30))),
    "refinedweb.uppercase": _line("COME NOW FOR THE BEST DEALS OF THE WHOLE WEEK"),
    "refinedweb.numeric": _line("2021-04-09 12:30 +3"),
    "refinedweb.counter": _line("1,204 comments"),
    "refinedweb.navigation": _line("Sign in to your account"),
    "refinedweb.removed_words": _en(_EN),
    "boilerplate.share": _line("Facebook Twitter LinkedIn Email Print"),
    "boilerplate.cookies": _line("This site uses cookies, choose your cookie settings or accept all cookies"),
    "boilerplate.rights": _line("© 2019 The Lighthouse Trust and its partners"),
    "boilerplate.crumbs": _line("Home > Coast > Lighthouses > East"),
    "boilerplate.furniture": _line("Story continues below advertisement"),
    "boilerplate.furniture_zh": _zh(f"{_ZH}责任编辑：陈小明\n"),
    "references.entry": _line("References\n[1] A. Keeper. Lamps, 1998.\n[2] B. Potter. Cups, 2004, pp. 3-9."),
    "chinese.characters": _zh(_ZH[:90]),
    "chinese.han_share": _zh(_ZH + " lamp rock sand" * 400),
    "chinese.letters": _zh(_ZH.replace("，", "★★★★★★★★★★★★★★★★★★")),
    "chinese.mean_line_length": _zh("\n".join(_ZH[n : n + 4] for n in range(0, 300, 4))),
    "chinese.punctuation": _zh("首页新闻体育财经娱乐房产汽车教育旅游健康" * 12),
    "chinese.bracket_titles": _zh(_ZH.replace("，", "【】【】【】")),
    "chinese.entropy": _zh("春风化雨" * 100),
    "chinese.duplicate_13grams": _zh(_ZH * 3),
    "chinese.bare_line": _zh(f"{_ZH}——（）——\n"),
    "classical_chinese.vernacular": ("classical", "classical", _ZH),
    "classical_chinese.missing_characters": ("classical", "classical", _CLASSICAL.replace("石", "□□□")),
    "code.mean_line_length": ("code", "code", "\n".join("x = " + " + ".join(["value"] * 300) for _ in range(6))),
    "code.longest_line": ("code", "code", _CODE + "data = '" + "ab" * 9000 + "'\n"),
    "code.alphanumeric": ("code", "code", "\n".join("{ ( [ ; ] ) } <- -> => :: ++" for _ in range(9))),
    "code.generated": ("code", "code", "// Code generated by a program. DO NOT EDIT.\n" + _CODE),
    "markdown.code_share": ("markdown-zh", "markdown", "# 代码\n```\n" + "lamp = lamp + 1\n" * 60 + "```\n"),
    "markdown.prose": ("markdown-zh", "markdown", "# 灯塔\n" + "\n".join(f"- 第{n}节" for n in range(40))),
    "markdown.headings": ("markdown-zh", "markdown", "\n".join(f"## 第 {n} 章 灯塔" for n in range(40))),
    "markdown.short_items": ("markdown-zh", "markdown", "# 目录\n" + "\n".join(f"- 第 {n} 节 灯塔的历史" for n in range(40))),
    "screening.adult": _en("Free porn videos, live sex cams and hot milfs, adult dating with naked girls tonight."),
    "screening.gambling": _en("Online casino with a welcome bonus, free spins on slot games and sports betting, bet now."),
    "screening.violence": _en("Gore videos, guns for sale with no background check, how to kill and hire a hitman."),
    "screening.spam": _en(_AD * 2),
    "screening.contacts": _zh("加微信 dengta2020，QQ 123456789，电话 13900000000，微信号 haijiao888。"),
    "screening.calls": _en("Order now. " * 6 + _EN),
    "screening.odds": _en("Odds: home 1.85, draw 3.40, away 4.20, over 1.95, under 1.90. Odds: home 2.10, away 3.05."),
    "screening.links": _en("https://lamps.example.org/catalogue/all?page=1 " * 20 + "and that is all."),
    "flagged.share": _en(_EN.replace(" the ", " porn xxx ")),
}
