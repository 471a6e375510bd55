"""Counts of things with long names."""

import plotly.graph_objects as go

from frontend.charts import frame, wording


def lying_bars(
    bars: list[tuple[str, int]], *, title: str, description: str, subject: str, measure: str
) -> dict:
    """Counts of things with long names: one lying bar for each (label, count), the first on top."""
    figure = go.Figure(
        go.Bar(
            x=[count for _label, count in bars],
            y=[wording.plain(label) for label, _count in bars],
            orientation="h",
            marker={"color": frame.BLUE},
            text=[wording.words(count, None) for _label, count in bars],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}<br>%{text}<extra></extra>",
        )
    )
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_layout(
        height=frame.FRAME_HEIGHT + frame.ROW_HEIGHT * max(len(bars), 2), bargap=0.35
    )
    return frame.chart(
        figure,
        title=title,
        description=description,
        columns=[subject, measure],
        rows=[[label, wording.words(count, None)] for label, count in bars],
    )
