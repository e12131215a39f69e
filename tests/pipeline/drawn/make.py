"""Execute the notebooks of this folder with the real packages.

    uv venv v && uv pip install -p v/bin/python plotly bokeh altair ipywidgets pandas sympy \
        ipykernel nbclient && v/bin/python make.py

What a package is at the time is noted in each notebook's metadata.
"""

import sys
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbclient import NotebookClient

v4 = nbformat.v4
TRIMMED = 100_000
NOTEBOOKS = {
    "plotly": [
        """
import plotly.graph_objects as go
x = [n / 5 for n in range(40)]
go.Figure(go.Scatter(x=x, y=[n % 7 for n in x]), layout={"title": {"text": "Line & <b>more</b>"}})
""",
        """
import plotly.express as px
px.choropleth(locations=["FRA", "DEU"], color=[1, 2])
""",
        """
from IPython.display import HTML, display
display(HTML(go.Figure(go.Bar(y=[1, 3, 2])).to_html(include_plotlyjs="cdn", full_html=False)))
""",
        "go.Figure(go.Bar(y=[2, float('nan'), 2])).show()",
    ],
    "bokeh": [
        """
from bokeh.plotting import figure, output_notebook, show
output_notebook()
""",
        """
plot = figure(height=300, title="Line")
plot.line([1, 2, 3], [4, 1, 3])
show(plot)
""",
        """
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, DataTable, Slider, TableColumn
columns = [TableColumn(field="a", title="a")]
table = DataTable(source=ColumnDataSource({"a": [1, 2]}), columns=columns, height=120)
show(column(Slider(start=0, end=9, value=3, title="n"), table))
""",
    ],
    "altair": [
        """
import altair as alt
import pandas as pd
frame = pd.DataFrame({"a": list("ABC"), "b": [4, 2, 5]})
bars = alt.Chart(frame, title="Bars").mark_bar().encode(x="a", y="b")
bars
""",
        """
from IPython.display import HTML
HTML(bars.to_html(fullhtml=False, output_div="elsewhere"))
""",
        """
display({"application/vnd.vegalite.v6+json": bars.to_dict(), "text/plain": "Chart"}, raw=True)
""",
    ],
    "widgets": [
        """
import ipywidgets as w
w.VBox([
    w.IntSlider(value=7, description="count"),
    w.Text(value="été"),
    w.Dropdown(options=["a", "b"], description="pick"),
    w.HTML("<b>bold</b>"),
    w.Button(description="Go", icon="check"),
])
""",
        """
shown = w.Output()
with shown:
    print("printed inside")
shown
""",
        """
import plotly.graph_objects as go
go.FigureWidget(go.Bar(y=[1, 3, 2]))
""",
    ],
    "sympy": [
        """
import sympy as s
x = s.symbols("x")
s.Integral(s.exp(-x**2), (x, 0, s.oo))
""",
        """
from IPython.display import Latex, Markdown, Math, display
display(Latex(r"text $a$ and $$b$$"), Math(r"\\sum_i x_i"), Markdown("**out** $q^2$"))
""",
    ],
}
PACKAGES = ("plotly", "bokeh", "altair", "ipywidgets", "sympy")


def trimmed(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Leave out the megabytes of script that a figure widget keeps in its state."""
    for states in notebook.metadata.get("widgets", {}).values():
        for model in states["state"].values():
            for name, value in model["state"].items():
                if isinstance(value, str) and len(value) > TRIMMED:
                    model["state"][name] = "trimmed"
    return notebook


def main() -> None:
    for name, cells in NOTEBOOKS.items():
        sources = [v4.new_markdown_cell(f"# {name.title()}")]
        sources += [v4.new_code_cell(source.strip()) for source in cells]
        notebook = v4.new_notebook(cells=sources)
        for place, cell in enumerate(notebook.cells):
            cell.id = f"{name}-{place}"
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
        notebook.metadata["made_by"] = {one: version(one) for one in PACKAGES}
        nbformat.write(trimmed(notebook), Path(__file__).with_name(f"{name}.ipynb"))


if __name__ == "__main__":
    sys.exit(main())
