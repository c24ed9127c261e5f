"""The page language: markdown with SQL and components becomes finished pages (docs/pages.md).

Belongs here: reading, checking and rendering a page, whatever it is about. Does not: any page, chart or look.
"""
