"""The draft of a release: every writer in turn, then one folder at once.

Belongs here: which files a release has, and their order. Does not belong here: what stands in them (one
module a kind of file), or what happens to a draft afterwards. The bytes are those that will be published:
publishing moves them, it does not change them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reports.files import publish_folder
from reports.release import (
    checksums,
    citation,
    cjs_dashboard,
    csvw,
    data_package,
    dcat,
    dictionary,
    explore_education,
    readme,
    spreadsheets,
    tables,
)
from reports.release.encoding import json_bytes, sha256
from reports.release.publication import Publication

Writer = Callable[[Publication, Mapping[str, bytes]], dict[str, bytes]]

CHANGES = "changes.json"


def _write_changes(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {CHANGES: json_bytes(publication.changes)}


# In the order they run: a writer sees what those before it made. Descriptors come after all they describe,
# the hashes last.
WRITERS: tuple[tuple[str, Writer], ...] = (
    ("tables", tables.write),
    ("explore education statistics", explore_education.write),
    ("cjs dashboard", cjs_dashboard.write),
    ("dictionary", dictionary.write),
    ("spreadsheets", spreadsheets.write),
    ("changes", _write_changes),
    ("citation", citation.write),
    ("readme", readme.write),
    ("data package", data_package.write),
    ("csvw", csvw.write),
    ("dcat", dcat.write),
    ("checksums", checksums.write),
)


@dataclass(frozen=True)
class DraftSummary:
    """What a draft holds: rows per table, hash and size per file, and whether this run changed anything."""

    release_id: str
    folder: Path
    rows: Mapping[str, int]
    sha256: Mapping[str, str]
    sizes: Mapping[str, int]
    changed: bool


def draft_files(publication: Publication) -> dict[str, bytes]:
    """Every file of a release, name -> content, in the order they were written.

    Raises ValueError if two writers make the same file.
    """
    files: dict[str, bytes] = {}
    for writer_name, write in WRITERS:
        for name, content in write(publication, dict(files)).items():
            if name in files:
                raise ValueError(
                    f"Writer {writer_name} makes {name}, which another has made; rename one of them."
                )
            files[name] = content
    return files


def build_draft(publication: Publication, drafts_root: Path) -> DraftSummary:
    """Writes `<drafts_root>/<period_code>/v<version>/`, readable by its owner only, whole or not at all."""
    files = draft_files(publication)
    folder = drafts_root / publication.period_code / f"v{publication.version}"
    changed = publish_folder(folder, files, last=(checksums.CHECKSUMS,))
    return DraftSummary(
        release_id=publication.release_id,
        folder=folder,
        rows={table.name: len(table.rows) for table in publication.tables},
        sha256={name: sha256(content) for name, content in sorted(files.items())},
        sizes={name: len(content) for name, content in sorted(files.items())},
        changed=changed,
    )
