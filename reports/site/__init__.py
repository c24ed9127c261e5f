"""The frame of the public site: what stands around every page, and what is made of all of them together.

Belongs here: layout values, labels, styles, search index, feed, sitemap, accessibility statement, the build.
Does not: the pages' content (`reports/pages/site`), the data tool (`reports/tool`), the files of releases.
"""
