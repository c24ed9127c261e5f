"""A return becomes a trusted file: inbox, holding, archive, raw.

Belongs here: forms, periods, readers, acceptance rules, receipts, raw Parquet. Does not: Dagster, SQL,
marts, publishing.
"""
