"""Thin orchestration: one module per stage binds its pure functions to Dagster, beside jobs, schedules and sensors.

Add here how a stage is run, never what it computes.
"""
