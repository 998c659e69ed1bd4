"""Rules for Chinese text, on characters: no English threshold applies to it, and no segmenter is needed.

Shares and thresholds follow FineWeb-2's `cmn_Hani` (Penedo et al. 2025), where a rule has a counterpart there, and the
cleaning rules published with WuDaoCorpora, WanJuan and Yi (brackets, entropy, repeated 13-grams, share of Han); where
these disagree the laxer one is the default.
"""

from __future__ import annotations

import numpy as np

from datapipe.rules.registry import line_rule, rule
from datapipe.text.characters import HAN, LETTER, SPACE
from datapipe.text.phrases import covered, on_lines
from datapipe.text.spans import ratio
from datapipe.text.view import TextView

CHINESE = ("zh",)
_SHORT = 80  # characters of a line that may be boilerplate

BOILERPLATE = tuple(
    """
    版权所有 责任编辑 转载请注明 未经授权 不得转载 禁止转载 备案号 京公网安备 增值电信 经营许可证 违法和不良信息 举报电话
    联系我们 关于我们 网站地图 加入收藏 设为首页 返回首页 返回顶部 上一篇 下一篇 上一页 下一页 相关阅读 相关文章
    相关新闻 相关链接 相关推荐 热门推荐 猜你喜欢 延伸阅读 更多精彩 点击下载 点击查看 点击进入 点击阅读 查看更多
    阅读全文 展开全文 扫一扫 扫描二维码 关注我们 微信公众号 分享到 我要评论 发表评论 网友评论 最新评论 已有账号
    立即注册 忘记密码 用户登录 在线客服 客服热线 友情链接 免责声明 打印本页 关闭窗口 字号 来源： 编辑： 作者：
    浏览次数 点击数 阅读量 本文链接 原文链接 正在加载 icp备 icp证
    """.split()
)
"""What stands around an article on Chinese sites: rights, menus, sharing, accounts, registration numbers (own list)."""

SCRIPT_WARNINGS = tuple("浏览器不支持 请启用javascript 开启javascript 浏览器版本过低 请升级浏览器 cookie政策 隐私政策".split())
"""Chinese counterparts of C4's javascript and policy lines (own list)."""


@rule("chinese.characters", languages=CHINESE)
def characters(view: TextView) -> np.ndarray:
    """Han characters in the document (public sets: at least 200 on web pages)."""
    return view.count(HAN).astype(np.float64)


@rule("chinese.han_share", languages=CHINESE)
def han_share(view: TextView) -> np.ndarray:
    """Share of words that are Han characters (public sets: at least 0.3, of all characters). Among words, since an English
    term is one word as a Chinese character is: counted by letters, articles about programming would fall below."""
    return ratio(view.count(HAN), view.words_of_documents.lengths)


@rule("chinese.letters", languages=CHINESE)
def letters(view: TextView) -> np.ndarray:
    """Share of letters of any script among characters other than white space. It stands for FineWeb-2's share of words with
    a letter (at least 0.735 there, of segmented words with punctuation as words)."""
    return ratio(view.count(LETTER), view.documents.lengths - view.count(SPACE))


@rule("chinese.mean_line_length", languages=CHINESE)
def mean_line_length(view: TextView) -> np.ndarray:
    """Characters per line (public sets: at least 10)."""
    owner = view.lines_of_documents
    return ratio(owner.sum(view.lines.lengths), owner.lengths)


@rule("chinese.bracket_titles", languages=CHINESE)
def bracket_titles(view: TextView) -> np.ndarray:
    """Marks 【 and 】 per character (public sets: at most 0.1): lists of headlines and of goods are full of them."""
    return ratio(view.documents.count_at(view.positions("【】")), view.documents.lengths)


@rule("chinese.entropy", languages=CHINESE)
def entropy(view: TextView) -> np.ndarray:
    """Entropy of the characters other than white space, in bits each (public sets, which count words: at least 3)."""
    document = np.repeat(np.arange(len(view)), view.documents.lengths + 1)
    kept = ~view.having(SPACE)
    keys = (document[kept] << 21) | view.codes[kept]
    keys.sort()
    begins = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
    counts = np.diff(np.append(begins, len(keys)))
    owner = keys[begins] >> 21
    whole = np.bincount(owner, counts, len(view))
    share = counts / whole[owner]
    return np.maximum(0.0, np.bincount(owner, -share * np.log2(share), len(view)))


@rule("chinese.duplicate_13grams", languages=CHINESE)
def duplicate_13grams(view: TextView) -> np.ndarray:
    """Share of characters in repeated runs of 13 characters (public sets: at most 0.5)."""
    return view.ngrams.duplicated(13)


@rule("chinese.punctuation", languages=CHINESE)
def punctuation(view: TextView) -> np.ndarray:
    """Commas and full stops of running text (，。、；：？！ and their ASCII forms) per Han character. Prose has about one in
    ten; lists of links, tags and keywords have next to none (own rule)."""
    return ratio(view.documents.count_at(view.positions("，。、；：？！,.;:?!")), view.count(HAN))


@line_rule("chinese.boilerplate", languages=CHINESE)
def boilerplate(view: TextView) -> np.ndarray:
    """Share of the line that is phrases of `BOILERPLATE`, 0 in a line of over 80 characters. A share, since a paragraph may
    well speak of copyright."""
    return on_lines(view, view.lines.lengths <= _SHORT, lambda lines: _share_covered(lines, BOILERPLATE))


@line_rule("chinese.script_warning", languages=CHINESE)
def script_warning(view: TextView) -> np.ndarray:
    """Share of the line that warns of scripts, browsers and cookies, 0 in a line of over 80 characters."""
    return on_lines(view, view.lines.lengths <= _SHORT, lambda lines: _share_covered(lines, SCRIPT_WARNINGS))


@line_rule("chinese.bare_line", languages=CHINESE)
def bare_line(view: TextView) -> np.ndarray:
    """1 where the line holds no letter at all (dates, counters, rows of signs), else 0."""
    return np.where(view.count_in_lines(LETTER) == 0, 1.0, 0.0)


def _share_covered(lines: TextView, phrases: tuple[str, ...]) -> np.ndarray:
    return ratio(covered(lines, phrases), lines.documents.lengths)
