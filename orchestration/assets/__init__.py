"""The steps, one module a group of stages.

Each step calls one function of `ingest`, `quality` or `reports`, or dbt.
"""
