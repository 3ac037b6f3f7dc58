"""Defects planted into a finished sample, so that the audit has something to refuse.

Add a defect as a function `(folder, rate) -> rows changed` and a row of `DEFECTS`. Everyday noise belongs to `noise`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelines.errors import KundenstammError
from pipelines.sample.folder import read_parameters, write_parameters


def break_sample(folder: Path, defect: str, rate: float = 0.3) -> int:
    """Plant one of `DEFECTS` into that share of the rows and say so in `sample.json`; return the rows changed.

    Raises:
        KundenstammError: for an unknown defect, a rate outside 0 to 1, or a folder that is no sample.
    """
    if defect not in DEFECTS:
        raise KundenstammError(f"There is no defect named '{defect}'; allowed: {', '.join(DEFECTS)}.")
    if not 0 <= rate <= 1:
        raise KundenstammError(f"The rate of defect '{defect}' is {rate}; allowed is a share from 0 to 1.")
    content = read_parameters(folder)
    if content is None:
        raise KundenstammError(f"{folder} holds no sample; make one there first.")
    # A broken sample is not the one that its parameters describe, so it is never taken for it again.
    content["parameters"]["defects"] = {**content["parameters"].get("defects", {}), defect: rate}
    write_parameters(folder, content)
    return DEFECTS[defect](folder, rate)


def invalidate_crm_emails(folder: Path, rate: float) -> int:
    """That share of the e-mail addresses in the CRM is none any more."""
    import numpy as np
    import pandas as pd

    from pipelines.sample.slips import make_invalid
    from pipelines.sample.writing import GERMAN

    file = folder / "crm" / "contacts.csv"
    contacts = pd.read_csv(file, sep=";", encoding="cp1252", dtype="str", keep_default_na=False, na_values=[""])
    random = np.random.default_rng(1)
    emails = contacts["E-Mail"]
    is_address = emails.str.strip().str.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+").fillna(False).to_numpy(dtype=bool)
    hit = is_address & (random.random(len(emails)) < rate)
    contacts["E-Mail"] = make_invalid(emails, hit, random)
    GERMAN.write(contacts, file)
    return int(hit.sum())


DEFECTS: dict[str, Callable[[Path, float], int]] = {"invalid_emails": invalidate_crm_emails}
