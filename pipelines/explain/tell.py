"""An explanation as lines for the terminal.

Change here how it is told there. What is known is read in `read`; the page for a browser is in `page`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pipelines.explain.read import CustomerExplanation, Decision, Link, PairExplanation, Record
from pipelines.explain.words import FIELDS, REASONS, RULES, STRATEGIES, say
from pipelines.resolve.weights import MISSING, FieldWeight, PairWeight

BAR_UNIT = 0.5  # characters per unit of match weight
VALUES = (
    ("first_name", "last_name"),
    ("birth_date",),
    ("email",),
    ("phone",),
    ("mobile",),
    ("street", "house_number"),
    ("postal_code", "city"),
)


def tell_customer(told: CustomerExplanation) -> Iterator[str]:
    """Everything about one customer, line by line."""
    numbers = {record.key: number for number, record in enumerate(told.records, start=1)}
    sources = len({record.source for record in told.records})
    yield (
        f"{told.customer_id}: {_count(len(told.records), 'record')} from {_count(sources, 'source')} "
        f"(version {told.version})"
    )
    if told.asked_id != told.customer_id:
        yield f"{told.asked_id} was merged into it."
    yield from _head("Records")
    for record in told.records:
        yield f"  {numbers[record.key]:>3}  {describe_record(record)}"
    if told.links:
        yield from _head("Why they are one customer")
        for link in told.links:
            yield f"  {_name(link.a, numbers)} = {_name(link.b, numbers)}  {describe_link(link)}"
            yield from _parts(link.parts) if link.weight is not None else _degrees(link.parts)
    elif len(told.records) == 1:
        yield from ("", "Nothing else was found to be this customer.")
    if told.refused:
        yield from _head("What was not joined")
        for link in told.refused:
            yield f"  {_name(link.a, numbers)} ≠ {_name(link.b, numbers)}  {describe_refusal(link)}"
            yield from _degrees(link.parts)
    yield from _decisions(told.decisions)
    yield from _head("Life of the id")
    for event in told.events:
        other = f" ({event.other_customer_id})" if event.other_customer_id else ""
        yield f"  {event.at:%Y-%m-%d %H:%M}  {event.customer_id} {event.event}{other}: {event.reason}"
    if told.values:
        yield from _head("Where its values come from")
        width = max(len(value.field) for value in told.values)
        for value in told.values:
            origin = numbers[value.record.key] if value.record else "another customer's record"
            over = f", before {_count(value.losing_count, 'other')}" if value.losing_count else ""
            yield f"  {value.field:{width}}  {value.value}  from {origin}: {say(STRATEGIES, value.strategy)}{over}"


def tell_pair(told: PairExplanation) -> Iterator[str]:
    """Why two records are one customer or not, line by line."""
    yield f"A  {describe_record(told.a)}  [{told.a.customer_id}]"
    yield f"B  {describe_record(told.b)}  [{told.b.customer_id}]"
    yield ""
    yield conclude(told)
    for link in told.path:
        yield f"  {link.a.name} = {link.b.name}  {describe_link(link)}"
    for link in told.refused:
        yield f"  {link.a.name} ≠ {link.b.name}  {describe_refusal(link)}"
    if told.weighed:
        yield from _head("Field by field")
        yield from _parts(told.weighed)
    yield from _decisions(told.decisions)


def conclude(told: PairExplanation) -> str:
    """The one sentence that answers the question."""
    if told.are_one:
        return f"They are one customer, {told.a.customer_id}, by {_count(len(told.path), 'link')}:"
    if told.refused:
        return "They are two customers, because this was refused:"
    if told.weighed is None:
        return "They are two customers: no rule joins them, and one of them says too little to be weighed."
    if told.weighed.probability < told.threshold:
        return (
            f"They are two customers: no rule joins them, and their match weight of {told.weighed.weight:.1f} is a "
            f"probability of {told.weighed.probability:.4f}; linked is from {told.threshold} on."
        )
    return (
        f"They are two customers: no rule joins them, and they were not compared, because they share no value by "
        f"which candidates are found (their match weight would be {told.weighed.weight:.1f}). Add a must-link to "
        f"overrides.csv if they are one person."
    )


def describe_record(record: Record) -> str:
    """Its name and its own values."""
    values = (" ".join(record.values[f] for f in group if f in record.values) for group in VALUES)
    gone = " · deleted at its source, or set aside by a rule" if record.is_deleted else ""
    return f"{record.name}  {' · '.join(v for v in values if v)}{gone}"


def describe_link(link: Link) -> str:
    """What joins two records."""
    if link.method == "probabilistic" and link.weight is not None:
        only = f", {say(RULES, link.rule)}" if link.rule != "splink" else ""
        return f"match weight {link.weight:.1f}{only}"
    return say(RULES, link.rule)


def describe_refusal(link: Link) -> str:
    """What would join two records, and why it does not."""
    weight = f", match weight {link.weight:.1f}" if link.weight is not None else ""
    return f"{say(REASONS, link.reason or '')}  [{link.rule}{weight}; {link.reason}]"


def describe_part(part: FieldWeight) -> str:
    """A field with the degree it reached."""
    field = say(FIELDS, part.field)
    rare = "" if abs(part.rarity) < 0.05 else f", {'rare' if part.rarity > 0 else 'frequent'} {part.rarity:+.1f}"
    return f"{field}: {part.degree}{rare}" if part.degree else field


def _parts(weighed: PairWeight | None) -> Iterator[str]:
    if weighed is None:
        return
    shown = [part for part in weighed.parts if part.degree != MISSING]
    width = max(len(describe_part(part)) for part in shown)
    for part in shown:
        bar = ("+" if part.weight > 0 else "-") * max(1, round(abs(part.weight) * BAR_UNIT))
        yield f"         {describe_part(part):{width}}  {part.weight:+6.1f}  {bar}"
    yield f"         {'sum':{width}}  {weighed.weight:+6.1f}  a probability of {weighed.probability:.4f}"
    if missing := [say(FIELDS, part.field) for part in weighed.parts if part.degree == MISSING]:
        yield f"         not known on both sides: {', '.join(missing)}"


def _degrees(weighed: PairWeight | None) -> Iterator[str]:
    """How far the fields agree, for a link that no weight decides."""
    compared = [part for part in weighed.parts if part.degree not in ("", MISSING)] if weighed else []
    if compared:
        yield f"         {'; '.join(f'{say(FIELDS, part.field)}: {part.degree}' for part in compared)}"


def _decisions(decisions: Sequence[Decision]) -> Iterator[str]:
    if decisions:
        yield from _head("Decisions of people (overrides.csv)")
    for d in decisions:
        until = f" until {d.expires_on}" if d.expires_on else ""
        what = d.b if d.b else f"{d.field} {d.value or ''}".strip()
        yield (
            f"  line {d.line}  {d.kind}  {d.a}, {what}  {d.status.replace('_', ' ')}; {d.author}, "
            f"{d.decided_on}{until}: {d.reason}"
        )


def _name(record: Record, numbers: dict[str, int]) -> str:
    if record.key in numbers:
        return f"{numbers[record.key]:>3}"
    return f"{record.name} [{record.customer_id}]"


def _head(text: str) -> Iterable[str]:
    return "", text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
