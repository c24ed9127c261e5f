"""How often the severe indicators mark an area where nothing is wrong, and how often they find a bad one.

It stands in `quality` because it is the proof of a promise (few false flags) that the rules make to those
they judge: a study, run by hand when a rule or the catalogue changes, not a test nor a measure of speed.
What belongs here: invented histories, the indicators in numpy, the tables of docs/methods.md. What does not:
the indicators that judge real returns (dbt_project/models), or what a rule table would do to real history.
"""
