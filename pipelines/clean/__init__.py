"""Clean what the sources delivered: names, e-mails, phones, addresses, countries, dates; every change is logged.

One module per kind of value, each with its rules as an ordered table; `records` puts them together. Add a rule to the
table of its field. Deciding who is who, or which value wins, does not belong here.
"""

from pipelines.clean.records import CleanReport, clean_records

__all__ = ["CleanReport", "clean_records"]
