"""The data tool of the public site: its page, its scripts, and the published figures as one script an area.

Belongs here: what a reader uses to choose, draw and save figures. Does not: figures that are not published.
"""
