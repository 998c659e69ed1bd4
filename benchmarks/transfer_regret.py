"""Learning rates chosen on a narrow proxy, used at four times the width: how much a direct choice at that width would have
gained.

Both choices go over the same factors, each laid on both learning rates at once, and take the lowest loss at the end. What is
not shown is the regret of `search`'s own rule (which weighs steadiness too), and of the five other values. The trainings are
those of mup-basins where widths and steps are the same, and are not done twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks._trials import arguments, base, last_loss, result, say, scaled, trained
from trainer.search.widths import at_width


def main(given: list[str]) -> Iterable[dict[str, Any]]:
    asked = arguments("transfer-regret", __doc__, 500)
    asked.add_argument("--proxy", type=int, default=64, help="width of the proxy")
    asked.add_argument(
        "--factors", type=float, nargs="+", default=[0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0], help="of the rates"
    )
    chosen = asked.parse_args(given)
    config, run = base(chosen)
    found = []
    for width in (chosen.proxy, 4 * chosen.proxy):
        configs = [scaled(at_width(config, width), factor) for factor in chosen.factors]
        losses = [last_loss(one) for one in trained(configs, run, chosen.slots)]
        say(f"width {width:5}: " + "  ".join(f"x{f:g} {v:.4f}" for f, v in zip(chosen.factors, losses, strict=True)))
        found.append(losses)
    narrow, wide = found
    carried, direct = wide[narrow.index(min(narrow))], min(wide)
    how = "one factor on both learning rates, lowest last loss"
    name = f"transfer-regret ({how}): from width {chosen.proxy} to {4 * chosen.proxy}"
    yield result(f"{name}, loss with the proxy's choice", carried, "nats a token", "a direct choice there", direct)
    yield result(f"{name}, regret", 100 * (carried / direct - 1), "%", "bar", 0.5)
