"""An explanation as one page for a browser, written on demand and readable by its writer alone.

Change here what the page shows. The page needs nothing from elsewhere; what is known is read in `read`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.explain.accounts import START_WEIGHT, AccountExplanation, describe_company, describe_company_link
from pipelines.explain.read import CustomerExplanation, HasKey
from pipelines.explain.tell import describe_link, describe_part, describe_record, describe_refusal
from pipelines.explain.words import STRATEGIES, say
from pipelines.files import write_atomically
from pipelines.pages import open_templates
from pipelines.resolve.weights import MISSING, PairWeight

TEMPLATES = Path(__file__).parent
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
    """Write the page of a customer, mode 0600.

    Raises:
        OSError: the file cannot be written.
    """
    words = {
        "describe_record": describe_record,
        "describe_link": describe_link,
        "describe_refusal": describe_refusal,
        "draw": draw_waterfall,
        "strategy": lambda name: say(STRATEGIES, name),
        "plot": PLOT,
    }
    _write(file, "page.html.j2", told, told.customer_id, told.records, words)


def write_account_page(told: AccountExplanation, file: Path) -> None:
    """Write the page of an account, mode 0600.

    Raises:
        OSError: the file cannot be written.
    """
    words = {"describe": describe_company, "describe_link": describe_company_link, "start": START_WEIGHT}
    _write(file, "account.html.j2", told, told.account_id, told.records, words)


def _write(
    file: Path,
    template: str,
    told: CustomerExplanation | AccountExplanation,
    title: str,
    records: Sequence[HasKey],
    words: Mapping[str, object],
) -> None:
    numbers = {record.key: number for number, record in enumerate(records, start=1)}
    page = open_templates(TEMPLATES).get_template(template)
    write_atomically(file, page.render(told=told, title=title, numbers=numbers, **words))
