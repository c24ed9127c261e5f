"""Packs: what bodies, reviewers, the Programme Board and the Taskforce read; exact, restricted and marked.

Belongs here: which pages and tables a pack holds, and the words made from its figures. Does not belong here:
how a page is rendered (`reports.engine`), how HTML becomes PDF or ODS (`reports.documents`).
"""
