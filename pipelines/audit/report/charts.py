"""Charts of the report: Vega-Lite specifications, drawn as SVG when the report is written.

Add a chart here when a table alone does not show it. Every chart stands beside a table of the same figures, and takes
its colors from the page, so that it is light or dark as the page is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

FORM = "https://vega.github.io/schema/vega-lite/v6.json"
# Words that the page replaces by its own colors; Vega takes them as names.
INK, SOFT, LINE, ACCENT = "#010101", "#020202", "#030303", "#040404"
_COLORS = {INK: "var(--ink)", SOFT: "var(--soft)", LINE: "var(--line)", ACCENT: "var(--accent)"}
_CONFIG: dict[str, Any] = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT,
        "titleColor": SOFT,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelFontSize": 11,
    },
    "line": {"stroke": ACCENT, "strokeWidth": 2},
    "point": {"fill": ACCENT, "size": 30},
    "bar": {"fill": ACCENT},
    "text": {"fill": INK, "fontSize": 11},
}


def draw(spec: Mapping[str, Any]) -> str | None:
    """The chart as SVG without ids, scripts or addresses; None when the library cannot draw it."""
    import vl_convert

    try:
        svg = vl_convert.vegalite_to_svg({"$schema": FORM, "config": _CONFIG, **spec})
    except ValueError:
        return None
    for name, color in _COLORS.items():
        svg = svg.replace(f'"{name}"', f'"{color}"')
    # The page names it for those who cannot see it; fonts and size are those of the page.
    svg = re.sub(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"[^>]*>', _open, svg, count=1)
    return re.sub(r' aria-[a-z]+="[^"]*"| role="[^"]*"', "", svg)


def _open(match: re.Match[str]) -> str:
    width, height = match.groups()
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}">'


def trend(
    values: Sequence[tuple[str, float]], *, width: int = 640, height: int = 140, share: bool = False
) -> str | None:
    """A line over audits. `values` are (moment, value), oldest first; a share is shown from 0 to 100 %."""
    rows = [{"at": at, "value": value} for at, value in values]
    scale = {"zero": False, "nice": True}
    return draw(
        {
            "width": width,
            "height": height,
            "data": {"values": rows},
            "mark": {"type": "line", "point": True},
            "encoding": {
                "x": _audits(),
                "y": {
                    "field": "value",
                    "type": "quantitative",
                    "title": None,
                    "scale": scale,
                    "axis": {"format": ".2%" if share else "~s", "tickCount": 4},
                },
            },
        }
    )


def spark(values: Sequence[float]) -> str | None:
    """A small line without axes, beside the number it ends with."""
    rows = [{"at": at, "value": value} for at, value in enumerate(values)]
    hidden = {"title": None, "axis": None}
    return draw(
        {
            "width": 140,
            "height": 24,
            "padding": 2,
            "data": {"values": rows},
            "mark": {"type": "line"},
            "encoding": {
                "x": {"field": "at", "type": "quantitative", **hidden},
                "y": {"field": "value", "type": "quantitative", "scale": {"zero": False}, **hidden},
            },
        }
    )


def bars(values: Sequence[tuple[str, int]], *, width: int = 420) -> str | None:
    """One bar per name, in the order given, with its number at the end."""
    # Groups of thousands by a narrow blank, which both languages read.
    rows = [{"name": name, "value": value, "shown": f"{value:,}".replace(",", "\u202f")} for name, value in values]
    place = {"field": "name", "type": "ordinal", "title": None, "sort": None, "axis": {"ticks": False, "domain": False}}
    length = {"field": "value", "type": "quantitative", "title": None, "axis": None}
    return draw(
        {
            "width": width,
            "height": {"step": 24},
            "data": {"values": rows},
            "encoding": {"y": place, "x": length},
            "layer": [
                {"mark": {"type": "bar", "height": 14}},
                {
                    "mark": {"type": "text", "align": "left", "dx": 5},
                    "encoding": {"text": {"field": "shown", "type": "nominal"}},
                },
            ],
        }
    )


def _audits() -> dict[str, Any]:
    """Audits side by side, not by the clock: two in one night would lie on each other."""
    return {
        "field": "at",
        "type": "ordinal",
        "title": None,
        "axis": {"labelAngle": 0, "labelOverlap": True, "grid": False},
    }
