"""What every chart has in common: colours, heights, and the dict that pages show.

Text and grid take the page's colours in the browser; here are only the colours that carry meaning,
from Okabe and Ito's palette, which colour-blind people tell apart.
"""

import json

import plotly.graph_objects as go

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
GREY = "#7F8794"

ROW_HEIGHT = 34
LINE_HEIGHT = 24
FRAME_HEIGHT = 96
HEIGHT = 320
INVISIBLE = "rgba(0,0,0,0)"


def chart(figure: go.Figure, *, title, description, columns, rows) -> dict:
    """What `{% render_chart %}` takes, of a figure and the same figures in words."""
    figure.update_layout(
        template=None,
        paper_bgcolor=INVISIBLE,
        plot_bgcolor=INVISIBLE,
        margin={"l": 8, "r": 16, "t": 24, "b": 8},
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(automargin=True, fixedrange=True)
    figure.update_yaxes(automargin=True, fixedrange=True)
    return {
        "title": title,
        "description": description,
        "figure_json": json.loads(figure.to_json()),
        "columns": columns,
        "rows": rows,
    }


def axis_title(text: str) -> dict:
    """What an axis measures, as large as its figures."""
    return {"text": text, "font": {"size": 12}}


def legend_below(figure: go.Figure, *, shown: bool) -> None:
    """A legend in a line under the drawing, where it pushes nothing but the drawing's height."""
    figure.update_layout(
        showlegend=shown,
        legend={
            "orientation": "h",
            "tracegroupgap": 0,
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "xref": "container",
            "x": 0,
            "xanchor": "left",
        },
    )
