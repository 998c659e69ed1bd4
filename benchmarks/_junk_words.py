"""The words of the planted junk: what is sold, advertised, asked, and what hosts set around pages; bars part the choices."""

from __future__ import annotations

import re

import numpy as np

ITEMS = 24  # of the made benchmark, in each language
_NUMBER = {"en": 0, "zh": 1}  # for the seeds

SLOTS = {
    "en": {
        "goods": "running shoes|leather bags|office chairs|garden tools|phone cases|wall clocks|coffee machines|bath towels|"
        "car seats|wedding rings|winter tyres|reading lamps|cotton shirts|fishing rods|dining tables|travel mugs",
        "praise": "cheap|best|discount|luxury|original|top rated|wholesale|genuine|stylish|affordable|premium|handy",
        "place": "London|Leeds|Boston|Denver|Sydney|Dublin|Toronto|Oslo|Austin|Perth|Bristol|Chicago",
        "who": "gardener|baker|pilot|nurse|clerk|miller|tailor|sailor|weaver|painter",
        "thing": "apples|letters|bricks|lanterns|barrels|candles|ropes|kettles|maps|ladders",
    },
    "zh": {
        "goods": "跑步鞋|真皮手袋|办公座椅|园艺工具|手机外壳|电动牙刷|咖啡机|纯棉毛巾|儿童座椅|结婚戒指|冬季轮胎|护眼台灯|"
        "渔具套装|实木餐桌|保温水杯|羊毛围巾",
        "praise": "便宜|正品|特价|高端|批发|热卖|新款|超值|优质|厂家直销|限时|精选",
        "place": "北京|上海|广州|深圳|成都|杭州|武汉|西安|南京|重庆|天津|苏州",
        "who": "园丁|面包师|飞行员|护士|店员|磨坊主|裁缝|水手|织工|画匠",
        "thing": "苹果|信件|砖块|灯笼|木桶|蜡烛|绳子|水壶|地图|梯子",
    },
}
KEYWORD = {
    "en": "{praise} {goods} {place}, buy {goods} online, {praise} {goods} sale, {goods} shop {place} {number}",
    "zh": "{place}{praise}{goods} {goods}哪里买 {praise}{goods}价格 {goods}批发{place} {number}",
}
QUESTION = {
    "en": "If a {who} from {place} keeps {number} {thing} in a shed and sells {number} of them to a {who} who had {number} "
    "{thing} already, how many {thing} do the two of them have together when the shed in {place} burns down?",
    "zh": "一位{place}的{who}在棚子里存放了{number}件{thing}，后来把其中的{number}件卖给了另一位原本已有{number}件{thing}"
    "的{who}，如果那间位于{place}的棚子失火烧毁，请问这两个人手里一共还剩下多少件{thing}？",
}
ADVERTS = {
    "en": "Our {praise} {goods} are loved by families from {place} to {place}, and you will love them too.|"
    "Order your {goods} today and we send a second pair of {goods} to your door for only {number} dollars.|"
    "Nobody in {place} sells {goods} at a price as low as ours, and our {praise} service is always friendly.|"
    "With more than {number} happy customers we are proud to be the first choice for {goods} in {place}.|"
    "Why wait any longer for {praise} {goods} when our team can deliver them to {place} within {number} hours?|"
    "Every one of our {goods} comes with a warranty of {number} months, because quality is what we believe in.|"
    "This week only you save {number} dollars on all {praise} {goods}, so do not miss the chance.|"
    "Visit our new shop in {place} and see for yourself how {praise} {goods} can change the way you live.|"
    "Ask our experts about {goods}, and they will find the {praise} model that fits your home and your budget.|"
    "Thousands of reviews agree that {goods} from our store in {place} are worth every single cent.",
    "zh": "我们的{praise}{goods}深受{place}和{place}广大家庭的喜爱，相信您也一定会爱上它。|"
    "今天下单购买{goods}，只需再加{number}元，即可把第二件{goods}一起带回家。|"
    "在{place}，没有哪一家的{goods}比我们更实惠，我们的{praise}服务也始终如一。|"
    "我们已经拥有超过{number}万名满意的顾客，是{place}购买{goods}的首选品牌。|"
    "既然我们可以在{number}小时之内把{praise}{goods}送到{place}，您还在等什么呢？|"
    "每一件{goods}都享有{number}个月的质量保证，因为品质就是我们的承诺。|"
    "仅限本周，全场{praise}{goods}立减{number}元，千万不要错过这个机会。|"
    "欢迎光临我们在{place}新开的门店，亲身体验{praise}{goods}怎样改变您的生活。|"
    "有关{goods}的任何问题都可以咨询我们的专家，他们会为您挑选最合适的{praise}款式。|"
    "成千上万条好评都说，{place}门店出售的{goods}物超所值，每一分钱都花得放心。",
}
MENU = {
    "en": "Home|Archive|About this site|Our writers|Subscribe|Search|Contact|Help and answers|Most read|Today's pictures",
    "zh": "首页|往期文章|关于本站|作者介绍|订阅|站内搜索|联系方式|常见问题|阅读排行|今日图片",
}
NOTICES = {
    "en": "{name} is written by people who read a great deal and who answer every letter that reaches the office.|"
    "If you liked what you have read on {name}, tell a friend about it and come back when the next part appears.|"
    "The editors of {name} choose what is published here, and opinions are those of the people who hold them.|"
    "Forty thousand readers receive the letter that {name} sends out each Sunday before breakfast.|"
    "Pages of {name} may be printed for use at home, at school and in the waiting rooms of dentists.|"
    "To report a mistake on this page, write to the desk of {name} and name the line in which it stands.",
    "zh": "{name}由一群热爱阅读的人编写，凡是寄到编辑部的来信我们都会认真答复。|"
    "如果您喜欢在{name}读到的内容，请把它推荐给朋友，并在下一篇发表时再来看看。|"
    "本站刊登的内容由{name}编辑部选定，文中观点仅代表作者本人的立场。|"
    "每个星期日早餐之前，都有四万名读者收到{name}寄出的周报。|"
    "{name}的页面可以打印出来，供家庭、学校以及候诊室使用。|"
    "如果发现本页有错误，请写信告诉{name}的编辑，并注明错误所在的行。",
}


def furniture(language: str, host: int) -> tuple[str, str]:
    """What a host sets above and below each of its pages: a menu, and notices that have its name in them."""
    draw = np.random.default_rng((29, _NUMBER[language], host))
    name = "".join(draw.choice(list("abdegiklmnoprstuvy"), 7))
    menu = draw.permutation(MENU[language].split("|"))[:6]
    notices = [notice.format(name=name.title()) for notice in draw.permutation(NOTICES[language].split("|"))[:3]]
    return "\n".join(menu), ("" if language == "zh" else " ").join(notices)


def items(language: str) -> list[str]:
    """The questions of the made benchmark: each longer than the n-gram that `decontaminate` looks for."""
    draw = np.random.default_rng((31, _NUMBER[language]))
    return [filled(QUESTION[language], SLOTS[language], draw) for _ in range(ITEMS)]


def filled(template: str, slots: dict[str, str], draw: np.random.Generator) -> str:
    """The template with each {slot} drawn from its words, {number} from numbers."""

    def word(found: re.Match[str]) -> str:
        if found[1] == "number":
            return str(draw.integers(3, 999))
        return str(draw.choice(slots[found[1]].split("|")))

    return re.sub(r"\{(\w+)\}", word, template)
