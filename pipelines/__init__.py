"""Kundenstamm: one audited customer table from CRM, shop and support.

Each folder is one stage of the way of the data; `defs/` binds the stages to Dagster.
"""
