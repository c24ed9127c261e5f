"""A release of open data: tables fit to be published become files that anybody can check.

Belongs here: the publication list, one writer a kind of file, versions, approval, and the public folder. Does
not belong here: deciding what is confidential (the open data marts and `quality.disclosure` do).
"""
