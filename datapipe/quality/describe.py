"""The model card for people: what the classifiers are for, what they learnt from, how good they are, where they fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HEAD = """# Quality classifiers

Linear models on hashed word n-grams (fastText), one a language. A score near 1 says that a page reads like the positives
below, near 0 that it reads like the crawl; it says nothing of truth, safety or rights. Scores are calibrated (Platt) for a page
that is as likely one as the other. They are meant to rank pages of a crawl, not documents of other domains: what is
unlike both sides (dialogue, verse, tables) scores by chance. All figures are on hosts that training has not seen.
"""


def markdown(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """The cards of all languages as one page of Markdown."""
    return "\n".join([_HEAD, *(_language(name, card) for name, card in sorted(cards.items()))])


def _language(name: str, card: Mapping[str, Any]) -> str:
    lines = [f"## {name}", ""]
    for side in ("positives", "negatives"):
        named = "; ".join(", ".join([*selector["domains"], *selector["sources"]]) for selector in card["sources"][side])
        lines.append(f"- {side}: {named} ({card['documents'][side.removesuffix('s')]} documents)")
    if not card["trained"]:
        return "\n".join([*lines, f"- not trained: {card['reason']}", ""])
    measured, split = card["unseen_hosts"], card["split"]["test"]
    test = ", ".join(f"{split[side]['documents']} {side} of {split[side]['hosts']} hosts" for side in ("positive", "negative"))
    lines += [
        f"- test: {test}",
        f"- notes: {card['reason'] or 'none'}",
        "",
        "| AUC | |",
        "|-|-|",
        f"| classifier | {measured['auc']} |",
        f"| one window only | {measured['auc_one_window']} |",
        f"| length only | {measured['auc_length_only']} |",
        f"| form only | {measured['auc_form_only']} |",
        f"| source only | {measured['auc_source_only']} |",
    ]
    for domain, row in card["unseen_domains"].items():
        lines.append(f"| trained without {domain}, on {domain} | {row['auc']} (form only {row['auc_form_only']}) |")
    error, brier = measured["calibration"]["error"], measured["calibration"]["brier"]
    quantiles = card["crawl_quantiles"]
    kept = ", ".join(f"{100 - at} % above {quantiles[at]:.3f}" for at in (10, 30, 50, 70, 90)) if quantiles else "unknown"
    lines += ["", f"Calibration error {error}, Brier score {brier}. Unseen crawl pages: {kept}.", ""]
    return "\n".join(lines)
