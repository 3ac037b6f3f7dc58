"""What a rule is: who signs it, how bad it is when it is not met, and what it is checked on.

Add an attribute here when every rule has it, whether it comes from a suite or from dbt. Where rules come from is in
`catalogue` and `dbt_tests`, what they found in `results`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from pipelines.audit.results import Severity, display_rule_id

# Arguments of a data test that are not about its own table.
_OF_OTHER_TABLE = frozenset({"model", "to", "field"})


@dataclass(frozen=True)
class RuleObject:
    """One thing a rule is checked on.

    Attributes:
        name: `<source>.<entity>` or `<schema>.<table>`, as results name it.
        query: SQL of its rows, or None when no source delivers it.
    """

    name: str
    query: str | None


@dataclass(frozen=True)
class Rule:
    """One rule of the catalogue. Leaves exactly one result per object.

    Attributes:
        id: `crm_004`, for ever; `display_id` is `CRM-004`.
        check_name: name of the Dagster check, unique in the catalogue.
        asset_key: (schema, table) of the table it is checked on.
        threshold: share of failing elements that still meets the rule, None for a statement about the whole object.
        expectation: `{"type", "kwargs"}` of Great Expectations, or None for a dbt test or metrics.
        tolerated_share: share of rows an SQL rule tolerates; Great Expectations knows none for these.
        is_approvable: one run may be published against it, with a reason.
        quarantines: records that fail are set aside before any stage uses them.
        metrics: the family of figures that are compared with earlier versions, or None.
        dbt_test: unique id of the dbt test, or None.
        dbt_code: what that test is made of: its arguments, its code and that of its macros.
        unique_key: the columns that the test wants to be the table's key, or none when it asks something else.
    """

    id: str
    check_name: str
    suite: str
    severity: Severity
    dimension: str
    owner: str
    description: str
    description_de: str
    remedy: str
    remedy_de: str
    reason: str
    protects: str
    protects_de: str
    asset_key: tuple[str, str]
    objects: tuple[RuleObject, ...]
    threshold: float | None
    expectation: Mapping[str, Any] | None = None
    tolerated_share: float = 0.0
    applies_when_empty: bool = False
    is_approvable: bool = False
    quarantines: bool = False
    dbt_test: str | None = None
    dbt_code: str | None = None
    unique_key: tuple[str, ...] = ()
    metrics: str | None = None

    @property
    def display_id(self) -> str:
        return display_rule_id(self.id)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the whole rule: what it checks on which rows, its threshold, its severity, and its words."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()


def field_of(rule: Rule | None) -> str | None:
    """The column a rule is about, None when it is about whole records."""
    column = (rule.expectation or {}).get("kwargs", {}).get("column") if rule else None
    return column if isinstance(column, str) else None


def fields_of(rule: Rule, columns: Mapping[str, str]) -> tuple[str, ...]:
    """The columns of its table that a rule looks at, in the order in which it names them.

    Args:
        columns: those of the table by what a rule may call them.
    """
    if rule.dbt_code:
        kwargs = {name: value for name, value in json.loads(rule.dbt_code)[1].items() if name not in _OF_OTHER_TABLE}
        text = json.dumps(kwargs)
    else:
        kwargs = (rule.expectation or {}).get("kwargs", {})
        asked = [kwargs.get(name) for name in ("column", "column_A", "column_B", "column_list")]
        text = re.sub(r"'[^']*'", "", str(kwargs.get("unexpected_rows_query", ""))) or json.dumps(asked)
    return tuple(dict.fromkeys(columns[word] for word in re.findall(r"[a-z_][a-z0-9_]*", text) if word in columns))


def owners_of_objects(rules: Sequence[Rule]) -> dict[str, str]:
    """Who answers for each object: the owner of most of its rules, of several the first by name."""
    found: dict[str, dict[str, int]] = {}
    for rule in rules:
        for checked in rule.objects:
            counts = found.setdefault(checked.name, {})
            counts[rule.owner] = counts.get(rule.owner, 0) + 1
    return {name: min(counts, key=lambda owner: (-counts[owner], owner)) for name, counts in found.items()}
