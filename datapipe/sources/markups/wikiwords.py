"""The words by which wikis in 22 languages name what is not text: the sections at an article's end, files, categories."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split("|"))


END_SECTIONS: dict[str, tuple[str, ...]] = {
    "bg": _words(
        "бележки | източници | външни препратки | вижте също | литература | библиография | използвана литература"
        " | бележки и източници | допълнителна литература"
    ),
    "ca": _words(
        "referències | notes | bibliografia | enllaços externs | vegeu també | notes i referències | per a saber-ne més"
    ),
    "cs": _words("reference | poznámky | literatura | externí odkazy | související články | odkazy | zdroje | prameny"),
    "da": _words(
        "referencer | noter | kilder | litteratur | eksterne henvisninger | eksterne links | se også"
        " | kildehenvisninger | fodnoter | henvisninger"
    ),
    "de": _words(
        "einzelnachweise | literatur | weblinks | siehe auch | anmerkungen | quellen | fußnoten | belege | nachweise"
        " | einzelnachweise und anmerkungen | sekundärliteratur | anmerkungen und einzelnachweise | literatur und quellen"
        " | quellen und literatur"
    ),
    "en": _words(
        "references | notes | external links | further reading | see also | bibliography | sources | footnotes"
        " | citations | notes and references | references and notes | works cited | literature | selected bibliography"
        " | explanatory notes | references and further reading | notes and citations | endnotes"
    ),
    "es": _words(
        "referencias | notas | enlaces externos | véase también | bibliografía | notas y referencias | fuentes"
        " | lecturas adicionales | notas y bibliografía | bibliografía adicional | referencias y notas"
    ),
    "fr": _words(
        "notes et références | références | notes | liens externes | voir aussi | bibliographie | articles connexes"
        " | annexes | lien externe | sources | références et notes | bibliographie et sources | liens internes"
    ),
    "hr": _words("izvori | vanjske poveznice | povezani članci | literatura | bilješke | poveznice | vidi još | napomene"),
    "hu": _words(
        "jegyzetek | források | további információk | kapcsolódó szócikkek | irodalom | lásd még | külső hivatkozások"
        " | hivatkozások | forrás"
    ),
    "it": _words("note | bibliografia | collegamenti esterni | voci correlate | altri progetti | riferimenti | fonti"),
    "ja": _words(
        "脚注 | 注釈 | 出典 | 参考文献 | 関連項目 | 外部リンク | 注 | 関連文献 | 脚注・出典 | 参照 | 脚注関連文献 | 注釈・出典"
        " | 出典・脚注 | 参考資料 | 注・出典 | 備考"
    ),
    "nl": _words(
        "referenties | bronnen | literatuur | externe links | externe link | zie ook | noten | voetnoten"
        " | bronnen, noten en/of referenties | bibliografie"
    ),
    "pl": _words("przypisy | bibliografia | linki zewnętrzne | zobacz też | uwagi | literatura | źródła"),
    "pt": _words(
        "referências | notas | ligações externas | ver também | bibliografia | notas e referências"
        " | leitura adicional | leituras adicionais | referências bibliográficas"
    ),
    "ro": _words(
        "note | referințe | bibliografie | legături externe | vezi și | note și referințe | surse"
        " | lectură suplimentară | note de subsol"
    ),
    "ru": _words("примечания | литература | ссылки | см. также | источники | комментарии | библиография | сноски"),
    "sl": _words(
        "sklici | opombe | viri | zunanje povezave | glej tudi | literatura | sklici in opombe | opombe in sklici"
        " | nadaljnje branje"
    ),
    "sr": _words(
        "референце | напомене | спољашње везе | види још | литература | извори | белешке | reference"
        " | spoljašnje veze | vidi još"
    ),
    "sv": _words(
        "referenser | noter | källor | externa länkar | se även | litteratur | fotnoter | vidare läsning"
        " | noter och referenser | källförteckning"
    ),
    "uk": _words("примітки | література | посилання | джерела | див. також | зноски | виноски | бібліографія"),
    "zh": _words(
        "参考文献 | 參考文獻 | 参考资料 | 參考資料 | 注释 | 註釋 | 注釋 | 外部链接 | 外部連結 | 外部連接 | 参见"
        " | 參見 | 相关条目 | 相關條目 | 延伸阅读 | 延伸閱讀 | 脚注 | 腳註 | 备注 | 備註 | 参看 | 參看 | 來源 | 来源"
        " | 資料來源 | 资料来源 | 相关连接 | 註腳 | 参考 | 參考 | 扩展阅读 | 擴展閱讀"
    ),
}
"""Headings, in lower case, of the sections with which an article's text ends, by language (the report's 22)."""

ALSO_SUBJECTS = frozenset(
    _words(
        "литература | literatura | litteratur | literatur | literature | literatuur | irodalom | література | sources | fuentes"
        " | zdroje | prameny | viri | források | surse | fonti | quellen | källor | kilder | bronnen"
    )
)
"""Those of them that are subjects as well: a country's literature, a river's sources. They end an article only where no other
section of text follows."""

FILES = _words(
    "file | image | media | файл | картинка | медия | fitxer | imatge | soubor | obrázek | fil | billede | datei"
    " | bild | archivo | imagen | fichier | datoteka | slika | fájl | kép | immagine | ファイル | 画像 | bestand"
    " | afbeelding | plik | grafika | ficheiro | imagem | arquivo | fișier | imagine | fişier | изображение"
    " | датотека | слика | зображення | 文件 | 檔案 | 档案 | 图像 | 圖像 | 图片 | 圖片"
)
CATEGORIES = _words(
    "category | категория | categoria | kategorie | kategori | categoría | catégorie | kategorija | kategória"
    " | categorie | kategoria | категорија | категорія | カテゴリ | 分类 | 分類"
)
REDIRECTS = _words(
    "redirect | пренасочване | виж | redirecció | přesměruj | omdirigering | weiterleitung | redirección"
    " | redirection | preusmjeri | átirányítás | rinvia | 転送 | doorverwijzing | patrz | przekieruj"
    " | redirecionamento | redirecționare | перенаправление | preusmeritev | преусмери | преусмјери | перенаправлення"
    " | 重定向"
)
