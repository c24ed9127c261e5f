"""The audit of a release: a program that tries to undo it, with everything that was ever published.

Belongs here: the ledger of published numbers, the attackers' model, the solver, the mending, the report. Does
not belong here: the rules that make a cell fit to be published (dbt_project/macros/methods/disclosure.sql).
"""
