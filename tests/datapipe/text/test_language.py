"""Language identification: the 22 languages and what must not be taken for one of them."""

import pytest

from datapipe.text.language import DECOYS, LANGUAGES, identify, sample

SENTENCES = {
    "bg": "Вчера следобед децата събраха ябълки в градината и ги занесоха на баба си, която приготви сладкиш.",
    "ca": "Ahir a la tarda els nens van collir pomes al jardí i les van portar a la seva àvia, que va fer un pastís.",
    "cs": "Včera odpoledne děti nasbíraly jablka na zahradě a odnesly je babičce, která z nich upekla koláč.",
    "da": "I går eftermiddags plukkede børnene æbler i haven og bragte dem til deres bedstemor, som bagte en kage.",
    "de": "Gestern Nachmittag pflückten die Kinder Äpfel im Garten und brachten sie der Großmutter, die Kuchen buk.",
    "en": "Yesterday afternoon the children picked apples in the garden and took them to their grandmother's house.",
    "es": "Ayer por la tarde los niños recogieron manzanas en el jardín y se las llevaron a su abuela para un pastel.",
    "fr": "Hier après-midi, les enfants ont cueilli des pommes dans le jardin et les ont portées à leur grand-mère.",
    "hr": "Jučer poslijepodne djeca su brala jabuke u vrtu i odnijela ih baki, koja je tjedan dana pekla kolače.",
    "hu": "Tegnap délután a gyerekek almát szedtek a kertben, és elvitték a nagymamának, aki süteményt sütött.",
    "it": "Ieri pomeriggio i bambini hanno raccolto le mele nel giardino e le hanno portate alla nonna per la torta.",
    "ja": "昨日の午後、子供たちは庭でりんごを摘んで、ケーキを焼いてくれるおばあさんの家へ持って行きました。",
    "nl": "Gistermiddag plukten de kinderen appels in de tuin en brachten ze naar hun oma, die er taart van bakte.",
    "pl": "Wczoraj po południu dzieci zbierały jabłka w ogrodzie i zaniosły je babci, która upiekła z nich ciasto.",
    "pt": "Ontem à tarde as crianças colheram maçãs no jardim e levaram-nas para a avó, que não fez senão um bolo.",
    "ro": "Ieri după-amiază copiii au cules mere din grădină și le-au dus bunicii, care a făcut o plăcintă.",
    "ru": "Вчера днём дети собирали яблоки в саду и отнесли их бабушке, которая испекла из них большой пирог.",
    "sl": "Včeraj popoldne so otroci na vrtu nabirali jabolka in jih odnesli babici, ki je iz njih spekla pecivo.",
    "sr": "Јуче поподне деца су брала јабуке у башти и однела их баки, која је од њих испекла колач за недељу.",
    "sv": "Igår eftermiddag plockade barnen äpplen i trädgården och tog dem till sin mormor, som bakade en kaka.",
    "uk": "Учора вдень діти збирали яблука в саду й віднесли їх бабусі, яка спекла з них великий пиріг.",
    "zh": "昨天下午孩子们在花园里摘了苹果，送到奶奶家，奶奶用它们烤了一个蛋糕。",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_of_the_22_languages_is_known(language: str) -> None:
    assert identify(SENTENCES[language])[0] == language


def test_the_report_has_22_languages_and_decoys_are_none_of_them() -> None:
    assert len(LANGUAGES) == 22
    assert not set(LANGUAGES) & set(DECOYS)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Vakar pēcpusdienā bērni dārzā lasīja ābolus un aiznesa tos vecmāmiņai, kura izcepa kūku.", "lv"),
        ("Χθες το απόγευμα τα παιδιά μάζεψαν μήλα στον κήπο και τα πήγαν στη γιαγιά τους.", "el"),
        ("어제 오후 아이들은 정원에서 사과를 따서 할머니 댁에 가져갔다.", "ko"),
    ],
)
def test_other_languages_are_not_taken_for_one_of_the_22(text: str, language: str) -> None:
    assert identify(text)[0] == language


def test_classical_and_traditional_chinese_are_chinese() -> None:
    assert identify("山不在高有水則靈舟不在大能渡則行此村雖小而人皆好古")[0] == "zh"
    assert identify("昨日午後，孩童於園中採果，歸而獻諸祖母，祖母喜甚。")[0] == "zh"


def test_a_chinese_article_that_quotes_commands_stays_chinese() -> None:
    text = "先用 systemctl restart nginx 重启服务，再用 journalctl -u nginx 查看日志，最后检查配置文件是否正确。"
    assert identify(text)[0] == "zh"


@pytest.mark.parametrize("text", ["", "   ", "12 + 30 = 42 !!!", "----"])
def test_a_text_without_letters_has_no_language(text: str) -> None:
    assert identify(text) == ("und", 0.0)


def test_addresses_do_not_decide_and_long_texts_are_sampled() -> None:
    assert "http" not in sample("see https://example.org/some/path now")
    long = SENTENCES["de"] * 100
    assert len(sample(long)) < 1300
    language, confidence = identify(long)
    assert language == "de" and 0 < confidence <= 1
