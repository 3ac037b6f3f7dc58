"""Which company records are compared, what proves that two are one, and what proves that they are not.

Add here an exact rule, a block or a conflict for companies. What likeness is worth is in `account_model`; clusters are
made in `accounts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.company_names import SHORTEST_NAME, create_name_macros
from pipelines.resolve.account_model import weigh_company_pairs
from pipelines.resolve.clustering import EXACT_RANK, MERGED_RANK
from pipelines.resolve.folding import create_macros
from pipelines.warehouse import literal
from pipelines.wordlist import words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A number, website or house that companies of this many names carry is somebody's default, their accountant's or a
# business centre's, and says nothing.
MOST_NAMES = 5
# Records of a larger block are compared only with the next one in it, so that time grows with their number.
LARGEST_BLOCK = 100
NAME_RANK = 10  # between what a source or a number says and what was weighed
# Two companies that one record fits about equally well, within so many bits.
AMBIGUOUS_WEIGHT = 4.0
EXACT_WEIGHT = 30.0  # bits; an exact rule has no weight of its own

_FILLERS = words("und and u et co the firma fa")
# What tells companies of one group apart: numbers in figures and letters, single letters, quarters of the sky.
_FIGURE = "[0-9]|^x{0,2}(ix|iv|v?i{0,3})$|^.$"
_FIGURES = words(
    "eins zwei drei erste zweite dritte vierte first second third alt neu old new nord sud ost west mitte "
    "north south east nordost nordwest sudost sudwest alpha beta gamma delta"
)


def find_company_evidence(
    connection: DuckDBPyConnection, warehouse: str, country: str, match_probability: float
) -> int:
    """Create what clusters of companies are made from; returns how many records stood in blocks that were too large.

    Reads `clean.companies` and `clean.company_evidence` of `warehouse`; a record that names no country is in `country`.
    Creates

        companies: one row per record, numbered `n` from 0 in the order of their keys, with what is compared.
        candidates: `a`, `b`, `method`, `rule`, `rank`, `match_weight`, `match_probability`, `reasons`; one row per
            link that would join two records. Numbers and merges at the source join whatever else differs.
        refused: the same with `reason`: pairs that are alike and are not joined.
        conflicts: `a`, `b`, `reason`, a < b, over the values of `form`: what cannot be one company.
        scores: `a`, `b`, `match_weight` of every weighed pair.
    """
    create_macros(connection)
    create_name_macros(connection)
    fillers = ", ".join(f"'{word}'" for word in _FILLERS)
    connection.execute(_COMPANIES.format(warehouse=warehouse, fillers=fillers, country=literal(country)))
    figures = ", ".join(f"'{word}'" for word in _FIGURES)
    connection.execute(_LIMITS.format(most_names=MOST_NAMES, figure=_FIGURE, figures=figures))
    connection.execute(_FORMS)
    connection.execute(_BLOCKS)
    connection.execute(_PAIRS.format(largest=LARGEST_BLOCK))
    weigh_company_pairs(connection)
    connection.execute("create table scores as select a, b, match_weight from weighed")
    _find_conflicts(connection)
    connection.execute(
        _CANDIDATES.format(
            merged_rank=MERGED_RANK,
            name_rank=NAME_RANK,
            weighed_rank=EXACT_RANK,
            probability=match_probability,
            shortest=SHORTEST_NAME,
        )
    )
    connection.execute(_REFUSED.format(margin=AMBIGUOUS_WEIGHT, exact=EXACT_WEIGHT, probability=match_probability))
    connection.execute("delete from candidates where rank > 0 and (a, b) in (select (a, b) from refused)")
    row = connection.execute(
        "select count(distinct n) from (select n, count(*) over (partition by block) as size from blocks) "
        f"where size > {LARGEST_BLOCK}"
    ).fetchone()
    return int(row[0]) if row else 0


def _find_conflicts(connection: DuckDBPyConnection) -> None:
    """Create `conflicts` between the forms of pairs that share a block.

    VAT ids of one country conflict, unless one of them is the other mistyped: a slip away, with a wrong check digit.
    """
    from stdnum.eu import vat

    connection.execute(_DIFFERENT_VAT_IDS)
    mistyped = [
        (a, b)
        for a, b in connection.execute(
            "select distinct vat_l, vat_r from different_vat_ids where damerau_levenshtein(vat_l, vat_r) = 1"
        ).fetchall()
        if vat.is_valid(a) != vat.is_valid(b)
    ]
    connection.execute(
        "create table mistyped as select unnest($1::text[]) as vat_l, unnest($2::text[]) as vat_r",
        [[a for a, _ in mistyped], [b for _, b in mistyped]],
    )
    connection.execute(_CONFLICTS)


# A record that its source merged away says nothing of its own: the record it went into does.
_COMPANIES = """
create table company_values as
with evidence as (
    select record_key, kind, min(value) as value from {warehouse}.clean.company_evidence
    where entity = 'companies' group by all
),
named as (
    select *, company_words(name) as written from {warehouse}.clean.companies
),
folded as (
    select named.*,
        coalesce(legal_form_of(written), legal_form_of(company_words(named.legal_form))) as form_of_name,
        regexp_replace(fold(company_stem(written)), '(^|[^aeq])ue', '\\1u', 'g') as stem
    from named
),
worded as (
    select *, string_split(stem, ' ') as all_words,
        list_filter(all_words, lambda word: not list_contains([{fillers}], word)) as telling_words
    from folded
)
select
    (row_number() over (order by worded.record_key) - 1)::integer as n,
    worded.record_key, merged_into_record_key, not is_deleted as is_live, created_at,
    case when len(telling_words) > 0 then telling_words else all_words end as words_in_order,
    form_of_name as legal_form,
    vat.value as vat_id, register.value as register_number, site.value as domain,
    fold_street(nullif(regexp_replace(street, '[\\s,]*\\d.*$', ''), '')) as street,
    fold_house(regexp_extract(street, '\\d.*$')) as house_number,
    fold_code(postal_code) as postal_code,
    squeeze(fold(city)) as city,
    string_split(coalesce(fold(city), ''), ' ') as town,
    is_generic(written) as is_generic,
    coalesce(country, {country}) as country
from worded
left join evidence as vat on vat.record_key = worded.record_key and vat.kind = 'vat_id'
left join evidence as register on register.record_key = worded.record_key and register.kind = 'register_number'
left join evidence as site on site.record_key = worded.record_key and site.kind = 'domain'
"""

_LIMITS = """
create table companies as
with named as (
    select * exclude (words_in_order), array_to_string(words_in_order, '') as name, list_sort(words_in_order) as words
    from company_values
),
numbers as (
    select vat_id, count(distinct name) as names from named where vat_id is not null group by all
),
entries as (
    select register_number, count(distinct name) as names from named where register_number is not null group by all
),
numbered as (
    select distinct vat_id, register_number, name, string_split(register_number, ' ') as entry
    from named where vat_id is not null and register_number is not null and name <> ''
),
torn as (  -- one number for companies that are two by name and by their other number: a parent's, or copied
    select distinct l.vat_id, l.vat_id = r.vat_id as is_vat, l.register_number
    from numbered as l join numbered as r on l.name <> r.name
    where (l.vat_id = r.vat_id and l.entry[1] = r.entry[1] and l.entry[3] = r.entry[3] and l.entry[2] <> r.entry[2])
       or (l.register_number = r.register_number and l.vat_id[:2] = r.vat_id[:2] and l.vat_id <> r.vat_id)
),
sites as (
    select domain, count(distinct name) as names from named where domain is not null group by all
),
houses as (
    select street, house_number, coalesce(postal_code, city) as place, count(distinct name) as names
    from named where street is not null and house_number is not null group by all
)
select
    n, record_key, merged_into_record_key, is_live, created_at, nullif(name, '') as name, words,
    list_filter(words, lambda word: regexp_matches(word, '{figure}') or list_contains([{figures}], word)) as figures,
    legal_form, country, town, is_generic,
    case when numbers.names <= {most_names} and vat_id not in (select vat_id from torn where is_vat) then vat_id end
        as vat_id,
    case when entries.names <= {most_names}
        and register_number not in (select register_number from torn where not is_vat) then register_number end
        as register_number,
    case when sites.names <= {most_names} then domain end as domain,
    case when sites.names <= {most_names} then regexp_replace(domain, '\\.[^.]+$', '') end as host,
    case when coalesce(houses.names, 0) <= {most_names} then named.street end as street,
    case when coalesce(houses.names, 0) <= {most_names} then named.house_number end as house_number,
    postal_code, city
from named
left join numbers using (vat_id)
left join entries using (register_number)
left join sites using (domain)
left join houses
    on houses.street = named.street and houses.house_number = named.house_number
    and houses.place is not distinct from coalesce(named.postal_code, named.city)
"""

# What may be in conflict, once per combination.
_FORMS = """
create table forms as
select (row_number() over (order by vat_id nulls first, register_number nulls first, legal_form nulls first))::integer
    as form, vat_id, register_number, legal_form
from (select distinct vat_id, register_number, legal_form from companies);
create table numbered as
select companies.*, form from companies join forms
  on forms.vat_id is not distinct from companies.vat_id
 and forms.register_number is not distinct from companies.register_number
 and forms.legal_form is not distinct from companies.legal_form;
drop table companies;
alter table numbered rename to companies
"""

_BLOCKS = """
create table blocks as
select distinct n, hash(kind, key) as block from (
    select n, 'name' as kind, name || ' ' || coalesce(postal_code, city, '') as key from companies
    union all select n, 'words', array_to_string(words, ' ') from companies
    union all select n, 'domain', domain from companies
    union all select n, 'host', host from companies
    union all select n, 'start', left(name, 4) || ' ' || postal_code from companies
    union all select n, 'end', right(name, 4) || ' ' || postal_code from companies
    union all select n, 'house', street || ' ' || house_number || ' ' || coalesce(city, postal_code) from companies
)
where key is not null and n in (select n from companies where name is not null)
"""

_PAIRS = """
create table company_pairs as
with sized as (
    select n, block, count(*) over (partition by block) as size, lead(n) over (partition by block order by n) as next
    from blocks
)
select l.n as a, r.n as b from sized as l join sized as r using (block) where l.n < r.n and l.size <= {largest}
union
select n, next from sized where size > {largest} and next is not null
"""

_DIFFERENT_VAT_IDS = """
create table different_vat_ids as
select distinct l.form as form_l, r.form as form_r, l.vat_id as vat_l, r.vat_id as vat_r
from company_pairs join companies as l on l.n = a join companies as r on r.n = b
where l.vat_id <> r.vat_id and l.vat_id[:2] = r.vat_id[:2]
"""

# Entries in one register of one court: a company that moved to another court has another number there.
_CONFLICTS = """
create table conflicts as
with pairs as (
    select l.form as form_l, r.form as form_r, l.legal_form as legal_form_l, r.legal_form as legal_form_r,
        string_split(l.register_number, ' ') as entry_l, string_split(r.register_number, ' ') as entry_r
    from company_pairs join companies as l on l.n = a join companies as r on r.n = b
),
found as (
    select form_l, form_r, 'other_vat_id' as reason from different_vat_ids
    where (vat_l, vat_r) not in (select (vat_l, vat_r) from mistyped)
    union
    select form_l, form_r, 'other_register_entry' from pairs
    where entry_l[1] = entry_r[1] and entry_l[3] = entry_r[3] and entry_l[2] <> entry_r[2]
    union
    select form_l, form_r, 'other_legal_form' from pairs where legal_form_l <> legal_form_r
)
select least(form_l, form_r) as a, greatest(form_l, form_r) as b, max(reason) as reason from found group by all
"""

_CANDIDATES = """
create table candidates as
with shared as (
    select min(n) over (partition by vat_id) as a, n as b, 'vat_id' as rule from companies where vat_id is not null
    union all
    select min(n) over (partition by register_number), n, 'register_number' from companies
    where register_number is not null
    union all
    select least(l.n, r.n), greatest(l.n, r.n), 'merged_at_source'
    from companies as l join companies as r on l.merged_into_record_key = r.record_key
),
proven as (
    select a, b, 'exact' as method, min(rule) as rule, {merged_rank} as rank from shared where a <> b group by a, b
    union all
    select a, b, 'exact', 'name_and_postal_code', {name_rank}
    from company_pairs join companies as l on l.n = a join companies as r on r.n = b
    where l.name = r.name and length(l.name) >= {shortest} and l.postal_code = r.postal_code and l.country = r.country
      and not l.is_generic and (l.domain <> r.domain and l.street <> r.street) is not true
),
strongest as (
    select * from proven qualify row_number() over (partition by a, b order by rank, rule) = 1
)
select a, b, method, rule, rank, null::double as match_weight, null::double as match_probability, null as reasons
from strongest
union all
select a, b, 'probabilistic', 'weighed', {weighed_rank}, match_weight, match_probability, reasons
from weighed
where match_probability >= {probability} and (a, b) not in (select (a, b) from strongest)
"""

# A link that contradicts itself, one of several that contradict each other, and pairs that are only nearly alike.
_REFUSED = """
create table refused as
with questioned as (
    select candidates.*, l.form as form_a, r.form as form_b, conflicts.reason as conflict
    from candidates join companies as l on l.n = a join companies as r on r.n = b
    left join conflicts on conflicts.a = least(l.form, r.form) and conflicts.b = greatest(l.form, r.form)
    where rank > 0
),
both_ways as (
    select a as n, b as other, form_b as form, coalesce(match_weight, {exact}) as weight, a, b
    from questioned where conflict is null
    union all
    select b, a, form_a, coalesce(match_weight, {exact}), a, b from questioned where conflict is null
),
ambiguous as (
    select distinct l.a, l.b
    from both_ways as l join both_ways as r on r.n = l.n and r.other <> l.other and r.weight >= l.weight - {margin}
    join conflicts on conflicts.a = least(l.form, r.form) and conflicts.b = greatest(l.form, r.form)
)
select a, b, method, rule, match_weight, match_probability, reasons, conflict as reason
from questioned where conflict is not null
union all
select a, b, method, rule, match_weight, match_probability, reasons, 'ambiguous'
from questioned semi join ambiguous using (a, b)
where conflict is null
union all
select a, b, 'probabilistic', 'weighed', match_weight, match_probability, reasons, 'too_little'
from weighed
where match_probability >= 0.5 and match_probability < {probability} and (a, b) not in (select (a, b) from candidates)
"""
