"""Errors whose own words are for people, by name: nothing is loaded only to be asked about its errors.

What belongs here: which errors these are. What does not: what is said of them (cli.py, runs.py).
"""

from __future__ import annotations

#: What cannot be used as it was given, or is refused by the machine.
UNUSABLE_ERRORS = frozenset(
    {"SettingError", "ReferenceDataError", "FormError", "TemplateError", "VersionError", "OSError"}
)
#: What the project says has failed.
FAILURES = frozenset(
    {
        "WarehouseError",
        "DbtError",
        "LedgerError",
        "RemovalsError",
        "ReceiveError",
        "ArchiveError",
        "StorageError",
        "ReleaseError",
        "JournalError",
        "PublicFolderError",
        "DisclosureError",
        "PublishedError",
        "AnnualReportError",
        "AssetsError",
        "ComponentError",
        "PackError",
        "PageError",
        "PageErrors",
        "PdfError",
        "ToolError",
    }
)
