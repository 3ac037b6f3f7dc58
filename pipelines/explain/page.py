"""An explanation as one page for a browser, written on demand and readable by its writer alone.

Change here what the page shows. The page needs nothing from elsewhere; what is known is read in `read`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.explain.read import CustomerExplanation
from pipelines.explain.tell import describe_link, describe_part, describe_record, describe_refusal
from pipelines.explain.words import STRATEGIES, say
from pipelines.files import write_atomically
from pipelines.resolve.weights import MISSING, PairWeight

TEMPLATE = Path(__file__).with_name("page.html.j2")
PLOT = 360.0  # width of the plot in units of the picture


@dataclass(frozen=True)
class Bar:
    """One step of a waterfall: from where the sum was to where it is, in units of the picture."""

    text: str
    weight: float
    left: float
    width: float


@dataclass(frozen=True)
class Waterfall:
    """How a match weight comes about; `zero` is where it is 0."""

    bars: tuple[Bar, ...]
    zero: float
    total: float
    probability: float


def draw_waterfall(weighed: PairWeight) -> Waterfall:
    """The steps from the start to the sum, and the sum."""
    shown = [part for part in weighed.parts if part.degree != MISSING]
    sums = [0.0]
    for part in shown:
        sums.append(sums[-1] + part.weight)
    low, high = min(sums), max(sums)
    scale = PLOT / ((high - low) or 1.0)
    bars = [
        Bar(describe_part(part), part.weight, (min(before, after) - low) * scale, abs(part.weight) * scale)
        for part, before, after in zip(shown, sums, sums[1:], strict=False)
    ]
    total = weighed.weight
    bars.append(Bar("sum", total, (min(0.0, total) - low) * scale, abs(total) * scale))
    return Waterfall(tuple(bars), -low * scale, total, weighed.probability)


def write_page(told: CustomerExplanation, file: Path) -> None:
    """Write the page, mode 0600.

    Raises:
        OSError: the file cannot be written.
    """
    from jinja2 import Environment, StrictUndefined

    # The values are from records, so everything is escaped, whatever the name of the template.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(
        describe_record=describe_record,
        describe_link=describe_link,
        describe_refusal=describe_refusal,
        draw=draw_waterfall,
        strategy=lambda name: say(STRATEGIES, name),
    )
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    numbers = {record.key: number for number, record in enumerate(told.records, start=1)}
    write_atomically(file, page.render(told=told, numbers=numbers, plot=PLOT))
