"""Every kind of noise: what docs/noises.md says of it is held against the truth of the sample company."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pipelines.publish.reader import open_reader
from pipelines.sample.noise import NOISES
from pipelines.settings import PROJECT_DIR
from tests.integration.company import Company

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Percent of all person records that may be in a customer of several people, father and son of one name aside; 0.3 are.
MOST_STRANGERS = 1
NAMESAKES = "name_son_after_father"
_SECTION = re.compile(
    r"^### (?P<name>\w+)\n\n(?P<says>[^#]+?)\n\n```sql\n(?P<query>.+?)```\n\n(?P<demands>.+?)$", re.M | re.S
)
_DEMAND = re.compile(r"(In the answer|Joined|With strangers): (\d+) %\.")


@dataclass(frozen=True)
class Handling:
    """What the page says of one noise; the shares in percent, None where nothing is demanded."""

    name: str
    query: str
    answered: int
    joined: int | None
    strangers: int | None


def _read_page() -> list[Handling]:
    page = (PROJECT_DIR / "docs" / "noises.md").read_text(encoding="utf-8")
    found = []
    for section in _SECTION.finditer(page):
        demands = {name: int(percent) for name, percent in _DEMAND.findall(section["demands"])}
        shares = (demands["In the answer"], demands.get("Joined"), demands.get("With strangers"))
        found.append(Handling(section["name"], section["query"], *shares))
    return found


HANDLINGS = _read_page()

# Every record with a noise under its published key. Of a permission's noise the permissions count, not the contact.
_TRUTH = """
    create temp table truth as
    with named as (
        select distinct noise, source_system, entity, source_record_id
        from read_parquet('{truth}/noises.parquet')
        qualify entity <> 'contacts' or noise = 'lack_consent'
            or count(*) filter (entity = 'permissions') over (partition by noise) = 0
    )
    select named.noise, named.entity, keys.record_key
    from named
    left join marts.source_record_keys as keys using (source_system, entity, source_record_id);

    create temp table people as
    select
        keys.record_key,
        keys.customer_id,
        count(*) over (partition by person) as record_count,
        count(*) over (partition by person, keys.customer_id) as joined_count,
        persons.person
    from read_parquet('{truth}/persons.parquet') as persons
    inner join marts.source_record_keys as keys using (source_system, entity, source_record_id);

    create temp table mixed as
    select customer_id, bool_or(noise is not null) as has_namesakes
    from people
    left join truth on truth.record_key = people.record_key and noise = '{namesakes}'
    group by customer_id
    having count(distinct person) > 1;
"""
_AMONG_STRANGERS = "select customer_id from mixed where not has_namesakes"
_CONTACTABLE = "(is_contactable_email or is_contactable_phone or is_contactable_post)"


@pytest.fixture(scope="module")
def published(published_company: Company) -> Iterator[DuckDBPyConnection]:
    with open_reader(published_company.settings, restricted=True) as connection:
        connection.execute(_TRUTH.format(truth=published_company.sample / "truth", namesakes=NAMESAKES))
        yield connection


def _percent(connection: DuckDBPyConnection, counted: str, rows: str) -> float:
    [(percent, count)] = connection.execute(
        f"select 100 * count(*) filter (where {counted}) / count(*), count(*) from ({rows}) as rows"
    ).fetchall()
    assert count > 0, "nothing of the sort is in the data"
    return float(percent)


def test_the_page_has_every_noise_once_and_no_other() -> None:
    assert sorted(h.name for h in HANDLINGS) == sorted(noise.name for noise in NOISES)


@pytest.mark.parametrize("handling", HANDLINGS, ids=lambda handling: handling.name)
def test_the_query_of_a_noise_answers_with_its_records(published: DuckDBPyConnection, handling: Handling) -> None:
    rows = f"select * from truth where noise = '{handling.name}'"
    [(messages,)] = published.execute(f"select count(*) from ({rows}) where entity = 'messages'").fetchall()
    if messages:  # the truth knows messages, the tables what happened to them
        [(answers,)] = published.execute(f"select count(distinct record_key) from ({handling.query})").fetchall()
        assert handling.answered <= 100 * answers / messages <= 100
    else:
        answer = f"record_key in (select record_key from ({handling.query}))"
        assert _percent(published, answer, rows) >= handling.answered


def _records_of(noise: str) -> str:
    return f"select people.* from people inner join truth using (record_key) where noise = '{noise}'"


@pytest.mark.parametrize("handling", [h for h in HANDLINGS if h.joined is not None], ids=lambda handling: handling.name)
def test_records_with_a_noise_are_joined_with_their_person(published: DuckDBPyConnection, handling: Handling) -> None:
    rows = f"{_records_of(handling.name)} and record_count > 1"
    assert _percent(published, "joined_count > 1", rows) >= (handling.joined or 0)


@pytest.mark.parametrize(
    "handling", [h for h in HANDLINGS if h.strangers is not None], ids=lambda handling: handling.name
)
def test_records_of_people_with_much_in_common_are_kept_apart(
    published: DuckDBPyConnection, handling: Handling
) -> None:
    among = "select customer_id from mixed" if handling.name == NAMESAKES else _AMONG_STRANGERS
    strangers = _percent(published, f"customer_id in ({among})", _records_of(handling.name))
    assert strangers <= (handling.strangers or 0)


def test_hardly_anybody_is_joined_with_a_stranger(published: DuckDBPyConnection) -> None:
    assert _percent(published, f"customer_id in ({_AMONG_STRANGERS})", "from people") <= MOST_STRANGERS


def test_father_and_son_whose_birth_dates_are_known_are_two_customers(published: DuckDBPyConnection) -> None:
    known = f"""
        select people.customer_id, people.person
        from people
        inner join truth using (record_key)
        inner join marts.customer_field_lineage as lineage using (record_key)
        where noise = '{NAMESAKES}' and field = 'birth_date'
    """
    assert published.execute(f"select count(*) from ({known})").fetchall() > [(1,)]
    assert (
        published.execute(
            f"select customer_id from ({known}) group by customer_id having count(distinct person) > 1"
        ).fetchall()
        == []
    )


@pytest.mark.parametrize(("noise", "mark"), [("report_deaths", "is_deceased"), ("employ_staff", "is_employee")])
def test_what_the_crm_says_of_a_person_holds_for_the_customer(
    published: DuckDBPyConnection, noise: str, mark: str
) -> None:
    rows = f"""
        select {mark}
        from truth
        inner join marts.source_record_keys as keys using (record_key)
        inner join marts.customers using (customer_id)
        where noise = '{noise}' and truth.entity = 'contacts'
            and record_key not in (select record_key from audit.rejects)
    """
    assert _percent(published, mark, rows) == 100


NEVER = {
    "a minor": f"processing_status = 'minor' and ({_CONTACTABLE} or is_member)",
    "a minor by birth date": f"birth_date > as_of::date - interval 18 years and ({_CONTACTABLE} or is_member)",
    "somebody who died": f"is_deceased and ({_CONTACTABLE} or is_member)",
    "somebody who was deleted": f"status = 'deleted' and ({_CONTACTABLE} or is_member)",
    "staff": "is_employee and is_member",
    "somebody without permission": "is_member and not is_contactable_email",
}


@pytest.mark.parametrize("condition", NEVER.values(), ids=NEVER.keys())
def test_nobody_is_contacted_who_must_not_be(published: DuckDBPyConnection, condition: str) -> None:
    described = """
        select customers.*, profiles.birth_date, version.as_of,
            customers.customer_id in (select customer_id from activation.audience_members) as is_member
        from marts.customers
        inner join marts.customer_profiles as profiles using (customer_id)
        cross join meta.version
    """
    meant = condition.split(" and ")[0]
    assert published.execute(f"select count(*) from ({described}) where {meant}").fetchall() > [(0,)]
    assert published.execute(f"select customer_id from ({described}) where {condition}").fetchall() == []


NO_CONTACT_POINT = {
    "permitted though it is a relay": "value like '%@relay.%' and is_permitted",
    "permitted though somebody withdrew": "status in ('withdrawn', 'objected') and is_permitted",
    "a placeholder": "value similar to '(test@test|keine@keine|n/a).*'",
}


@pytest.mark.parametrize("condition", NO_CONTACT_POINT.values(), ids=NO_CONTACT_POINT.keys())
def test_no_contact_point_is(published: DuckDBPyConnection, condition: str) -> None:
    points = """
        select points.value, permissions.status, coalesce(permissions.is_permitted, false) as is_permitted
        from marts.customer_contact_points as points
        left join marts.permissions_current as permissions using (contact_point_key)
    """
    assert published.execute(f"select count(*) from ({points}) where {condition}").fetchall() == [(0,)]
