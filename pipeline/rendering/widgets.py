"""Widgets as they stood when the notebook ended: their state, as far as a page shows it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
LARGEST_STATE = 20_000_000
"""Characters of all the state that one page may hold."""
_DRAWN = frozenset(
    {"@jupyter-widgets/base", "@jupyter-widgets/controls", "@jupyter-widgets/output"}
)
"""Modules that the bundle of ours brings; others would have to be loaded from elsewhere."""
_REFERENCE = re.compile(r"IPY_MODEL_([\w-]+)")


@dataclass
class Widgets:
    """The models that a notebook has kept, and those of them that the page shows."""

    models: Mapping[str, Any]
    shown: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> "Widgets":
        """Return the widgets that a notebook's metadata hold."""
        kept = metadata.get("widgets")
        told = kept.get(STATE) if isinstance(kept, Mapping) else None
        models = told.get("state") if isinstance(told, Mapping) else None
        return cls(models if isinstance(models, Mapping) else {})

    def figure(self, view: Any) -> dict[str, Any] | None:
        """Return the Plotly figure that a widget is; None of any other widget."""
        state = self._state(self._id(view))
        if "FigureWidget" not in str(state.get("_anywidget_id", "")):
            return None
        data, layout = (
            state.get(f"_widget_{name}", state.get(f"_{name}")) for name in ("data", "layout")
        )
        return {"data": data, "layout": layout} if isinstance(data, list) else None

    def show(self, view: Any) -> str | None:
        """Take in the state of a widget and of all that it consists of.

        Returns None, or why the widget cannot be shown.
        """
        needed: dict[str, Any] = {}
        due = [self._id(view)]
        while due:
            model_id = due.pop()
            if model_id in needed or model_id in self.shown:
                continue
            model = self.models.get(model_id)
            if not isinstance(model, Mapping):
                return "the notebook did not keep its state"
            if model.get("model_module") not in _DRAWN:
                return f"it needs a script of {model.get('model_module')}, which no page has"
            needed[model_id] = model
            due += _REFERENCE.findall(str(model.get("state")))
        if len(str(needed)) + len(str(self.shown)) > LARGEST_STATE:
            return "its state is too large for a page"
        self.shown |= needed
        return None

    @property
    def state(self) -> dict[str, Any]:
        """The document that the widgets of the page are drawn from."""
        return {"version_major": 2, "version_minor": 0, "state": self.shown}

    def _id(self, view: Any) -> str:
        return str(view.get("model_id", "")) if isinstance(view, Mapping) else ""

    def _state(self, model_id: str) -> Mapping[str, Any]:
        model = self.models.get(model_id)
        state = model.get("state") if isinstance(model, Mapping) else None
        return state if isinstance(state, Mapping) else {}
