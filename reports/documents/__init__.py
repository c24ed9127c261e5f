"""Documents: a finished page as a PDF, tables as a spreadsheet.

Belongs here: turning one kind of file into another. Does not belong here: what stands in them.
"""
