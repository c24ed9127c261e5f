"""A delivered file becomes sheets of cells: inspected first, then read, never repaired.

Belongs here: file formats and their dangers. Does not: forms, types, rules, or any opinion about a return.
"""

from ingest.readers.facts import Entry, FileFacts, inspect
from ingest.readers.workbook import (
    Cell,
    Fault,
    RawSheet,
    Unreadable,
    Workbook,
    column_index,
    column_letter,
    read_workbook,
)

__all__ = [
    "Cell",
    "Entry",
    "Fault",
    "FileFacts",
    "RawSheet",
    "Unreadable",
    "Workbook",
    "column_index",
    "column_letter",
    "inspect",
    "read_workbook",
]
