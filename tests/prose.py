"""Readable-looking prose for tests, written by rule: seeded, in English and Chinese, as many documents as wanted."""

from __future__ import annotations

import random

_EN = {
    "who": "the gardener;a young engineer;the old captain;our neighbour;the night nurse;a patient teacher;the river pilot;"
    "the baker's son;a travelling clerk;the museum guard;the weather station;a stubborn goat;the village council;her sister;"
    "the lighthouse keeper;a careful surgeon;the printing house;the signal box;an apprentice;the school orchestra",
    "did": "measured;repaired;described;forgot;carried;painted;counted;watched;translated;opened;rebuilt;planted;recorded;"
    "questioned;weighed;polished;delivered;sketched;defended;tuned",
    "what": "the wooden bridge;a basket of apples;the broken clock;seven letters;the northern road;a map of the harbour;"
    "the winter supplies;an unusual stone;the railway timetable;a small orchestra;the flooded cellar;the first edition;"
    "a copper kettle;the garden wall;two sealed envelopes;the library ladder;a barrel of salt;the telescope;the old ledger",
    "when": "before the rain came;in the spring of that year;while the market was closed;on a quiet Tuesday;after the long "
    "meeting;during the harvest;because the ferry was late;with the help of a lantern;for the third time that week;"
    "although nobody had asked;as the church bell rang;without a word of thanks;near the end of the season;at first light",
    "and": "It was not an easy task;Everyone agreed that it mattered;The result surprised the whole street;Nothing was ever "
    "said about the cost;They would have done the same again;The reason was written down that evening;That is how the "
    "custom began;Such work needs time and a steady hand;The children remember it still;Few visitors have heard of this",
}
_ZH = {
    "who": "老船长;年轻的工程师;村里的医生;隔壁的邻居;图书馆员;一位旅行者;茶馆的掌柜;中学教师;守灯塔的人;修表匠;"
    "果园的主人;报社的记者;车站的值班员;染坊的学徒;河边的渔夫;博物馆的讲解员;木匠的女儿;邮递员;气象站;合唱团",
    "did": "修好了;记录了;描述了;搬走了;测量了;重新粉刷了;仔细检查了;翻译了;收集了;打开了;种下了;"
    "数了一遍;整理了;画下了;称过了;擦亮了",
    "what": "那座木桥;一篮苹果;坏掉的时钟;七封旧信;北边的小路;港口的地图;过冬的粮食;一块奇怪的石头;火车时刻表;"
    "被水淹的地窖;第一版的书稿;铜制的水壶;花园的围墙;两只密封的信封;书架旁的梯子;一桶海盐;天文望远镜;那本旧账簿",
    "when": "在下雨之前;那一年的春天;趁着集市休息的时候;在一个安静的星期二;开完漫长的会议之后;收获的季节里;因为渡船晚点;"
    "借着灯笼的光;这已经是本周第三次;虽然没有人提出要求;教堂的钟声响起时;天刚亮的时候;临近年底的几天",
    "and": "这件事并不容易;大家都认为这很重要;结果让整条街的人感到意外;没有人再提起花费;他们愿意再做一次;原因当晚就写了下来;"
    "这个习惯就是这样开始的;这样的工作需要时间和耐心;孩子们至今还记得;很少有游客听说过这里",
}


def _words(table: dict[str, str]) -> dict[str, list[str]]:
    return {key: value.split(";") for key, value in table.items()}


EN, ZH = _words(_EN), _words(_ZH)


def sentence(rng: random.Random, language: str) -> str:
    """One sentence with a number in it now and then, so that few are alike."""
    table = ZH if language == "zh" else EN
    who, did, what, when = (rng.choice(table[key]) for key in ("who", "did", "what", "when"))
    number = rng.randint(2, 4000)
    if language == "zh":
        tail = rng.choice(table["and"])
        return f"{when}，{who}{did}{what}，前后用了{number}个小时，{tail}。"
    tail = rng.choice(table["and"])
    return f"{who[0].upper()}{who[1:]} {did} {what} {when}, and that took {number} of the days they had. {tail}."


def paragraph(rng: random.Random, language: str, sentences: int = 5) -> str:
    return ("" if language == "zh" else " ").join(sentence(rng, language) for _ in range(sentences))


def article(seed: int | str, language: str = "en", paragraphs: int = 6) -> str:
    """A document of several paragraphs, the same for the same seed."""
    rng = random.Random(f"{language} {seed}")
    return "\n\n".join(paragraph(rng, language, rng.randint(4, 6)) for _ in range(paragraphs))


def page(seed: int | str, language: str = "en", paragraphs: int = 6) -> str:
    """The same document as a web page, with the furniture that pages have."""
    body = "".join(f"<p>{text}</p>\n" for text in article(seed, language, paragraphs).split("\n\n"))
    title = f"第{seed}号记录" if language == "zh" else f"Record number {seed}"
    menu = "".join(f'<li><a href="/{n}">item {n}</a></li>' for n in range(6))
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head><body>'
        f"<nav><ul>{menu}</ul></nav><main><article><h1>{title}</h1>\n{body}</article></main>"
        f"<footer><p>All rights reserved.</p></footer></body></html>"
    )
