"""What the tests of charts have in common."""

WORDS = {"title": "North is ahead", "description": "Money recovered over what was expected."}
EVIL = '<a href="https://x.example">%{x}</a>'


def layout(chart: dict) -> dict:
    return chart["figure_json"]["layout"]


def traces(chart: dict) -> dict[str, dict]:
    """The traces of a chart by their names; of several with one name the last."""
    return {trace["name"]: trace for trace in chart["figure_json"]["data"]}


def numbers_and_keys(value):
    """Everything that is in plain data: keys, texts and numbers, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from numbers_and_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers_and_keys(inner)
    else:
        yield value
