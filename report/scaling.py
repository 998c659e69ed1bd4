"""What search, predict and grow left in a run, for the page's section on scaling; what was not run is None."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import storage
from core.run import Run


@dataclass(frozen=True)
class Grown:
    """The growth that a run's newest checkpoint tells of.

    begun: the step of the source's checkpoint; sizes: of hidden, heads, ffn and layers, what there was and what there is;
    mask_steps, warmup: as set; share: what counts of the new parts at the checkpoint's step, 1 when the growth is over.
    """

    begun: int
    step: int
    sizes: dict[str, tuple[int, int]]
    mask_steps: int
    warmup: int
    share: float


@dataclass(frozen=True)
class Scaling:
    """table: the search's trials and sensitivities, best first; chosen: its choice; prediction: the curve, its interval and
    what was reached; curves, fit: their drawings as data URIs; grown: the growth."""

    table: Mapping[str, Any] | None = None
    chosen: Mapping[str, Any] | None = None
    curves: str | None = None
    prediction: Mapping[str, Any] | None = None
    fit: str | None = None
    grown: Grown | None = None

    @property
    def empty(self) -> bool:
        return self.table is None and self.prediction is None and self.grown is None

    @property
    def values(self) -> list[str]:
        """The names of the values that were searched."""
        trials = self.table["trials"] if self.table is not None else []
        return list(trials[0]["combination"]) if trials else []

    @property
    def places(self) -> list[dict[str, Any]]:
        """The foretold curve, with what was reached where a run has come so far."""
        if self.prediction is None:
            return []
        reached = self.prediction.get("reached") or {"places": []}
        found = {place["tokens"]: place for place in reached["places"]}
        return [{**place, "reached": found.get(place["tokens"])} for place in self.prediction["curve"]]


def read_scaling(run: Run) -> Scaling:
    """Reads RUN/search, RUN/predict and the state of the newest checkpoint of RUN/pretrain."""
    search, predict = run.stage("search"), run.stage("predict")
    return Scaling(
        table=_json(search.path("table.json")),
        chosen=_json(search.path("chosen.json")),
        curves=_image(search.path("curves.svg")),
        prediction=_json(predict.path("prediction.json")),
        fit=_image(predict.path("curve.svg")),
        grown=_grown(run),
    )


def _json(uri: str) -> Any:
    return storage.read_json(uri) if storage.exists(uri) else None


def _image(uri: str) -> str | None:
    """An SVG as a data URI: in an image nothing of it can act on the page."""
    if not storage.exists(uri):
        return None
    return "data:image/svg+xml;base64," + base64.b64encode(storage.read_text(uri).encode()).decode()


def _grown(run: Run) -> Grown | None:
    states = storage.listing(run.stage("pretrain").path("checkpoints", "step-????????", "state.json"))
    if not states:
        return None
    state = storage.read_json(max(info.uri for info in states))
    growth, model = state.get("growth"), state.get("model")
    if growth is None:
        return None
    sizes = {name: (int(growth[name]), int(model[name])) for name in ("hidden", "heads", "ffn")}
    sizes["layers"] = (int(model["layers"]) - len(growth["new_layers"]), int(model["layers"]))
    share = min(1.0, max(0, int(state["step"]) - growth["begun"]) / growth["mask_steps"])
    return Grown(growth["begun"], int(state["step"]), sizes, growth["mask_steps"], growth["warmup"], share)
