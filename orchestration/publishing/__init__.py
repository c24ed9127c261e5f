"""What people read: the public site and its preview, packs, the annual report.

Belongs here: what each is made from, when it is out of date, and where it is put. Does not: how it looks
(reports), or what a release is (releasing).
"""
