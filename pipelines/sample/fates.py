"""What becomes of people and of their records in the CRM: age, death, jobs; deleting, restoring, merging, un-merging.

Add a noise of that kind as a function `(records, hit, random) -> records` here and its row in `noise`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample.chance import Array, Random, pick


def let_minors_in(persons: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The person is 13 to 17 years old, and nobody's employee."""
    return persons.assign(
        birth_date=persons["birth_date"].mask(hit, persons["birth_date_if_minor"]),
        company=np.where(hit, -1, persons["company"]),
    )


def report_deaths(persons: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The person died, and the CRM was told."""
    return persons.assign(is_deceased=persons["is_deceased"].to_numpy() | hit)


def employ_staff(persons: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The person works for the company itself."""
    return persons.assign(is_employee=persons["is_employee"].to_numpy() | hit)


def change_employer(persons: pd.DataFrame, hit: Array, random: Random) -> pd.DataFrame:
    """The person worked for another company before, where there is one; who has no employer stays as they are."""
    company = persons["company"].to_numpy()
    count = int(company.max(initial=0))
    if not count:
        return persons
    other = (company + random.integers(1, count + 1, len(persons))) % (count + 1)
    return persons.assign(former_company=np.where(hit & (company >= 0), other, persons["former_company"]))


def delete_in_crm(contacts: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The CRM's staff deleted the record."""
    return contacts.assign(deleted_at=contacts["deleted_at"].mask(hit, contacts["updated_at"]))


def restore_in_crm(contacts: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """The record was deleted and taken back: it is live again and says so."""
    return contacts.assign(
        deleted_at=contacts["deleted_at"].mask(hit), remark=contacts["remark"].mask(hit, "Wiederhergestellt")
    )


def merge_in_crm(contacts: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """A second record of a person was merged into the first by the CRM's staff."""
    return contacts.assign(merged_into=contacts["merged_into"].mask(hit, contacts["first_record"]))


def unmerge_in_crm(contacts: pd.DataFrame, hit: Array, _: Random) -> pd.DataFrame:
    """A second record was merged into the first and separated again: both are live, and this one says so."""
    undone = hit & contacts["first_record"].notna().to_numpy()
    return contacts.assign(
        merged_into=contacts["merged_into"].mask(undone),
        remark=contacts["remark"].mask(undone, "Zusammenführung rückgängig"),
    )


def name_first_records(contacts: pd.DataFrame) -> pd.Series[str]:
    """For second records the id of the person's first one, else nothing."""
    copy_of = contacts["copy_of"].to_numpy()
    return pick(contacts["record_id"], np.maximum(copy_of, 0)).where(copy_of >= 0)
