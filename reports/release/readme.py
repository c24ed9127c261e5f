"""README.txt: what the release is, how to read it, and how to cite it, for somebody who opens the folder."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Mapping

from reports.release.checksums import CHECKSUMS
from reports.release.citation import CITATION, citation_text
from reports.release.dictionary import csv_tables
from reports.release.publication import Publication
from reports.release.publisher import publisher

README = "README.txt"

_ABOUT_THE_RELEASE = {
    "changes.json": "Rows added, removed and revised since the version before, with the reason.",
    CITATION: "How to cite the release, in Citation File Format.",
    "datapackage.json": "Names, types, keys and hashes of the tables, as a Data Package (version 2).",
    "csvw-metadata.json": "Names, types and keys of the CSV files, as CSV on the Web.",
    "dcat.jsonld": "The release for data catalogues, in DCAT 3.",
    CHECKSUMS: f"Check the files with: sha256sum -c {CHECKSUMS}",
}
_SPREADSHEETS = {
    ".ods": "The tables as a spreadsheet (OpenDocument).",
    ".xlsx": "The tables as a spreadsheet.",
}

_NO_ROWS = (
    "No rows in this release: yearly figures come with the last quarter of a financial year, other rows when"
    " there is something to tell."
)

_READING = """\
Each CSV is UTF-8 with one header row. Numeric columns hold numbers or nothing. The Parquet file of the same
name holds the same rows.

Where a figure is withheld or missing, obs_status says why: c confidential, x not available, z not applicable,
w not submitted. A missing figure is never a zero and never a pass. codes.csv says what the codes mean.

Counts of seven and fewer are withheld and other counts are rounded to the nearest 5, so parts may not add up
to totals. A rate on few cases is given about, or as a band; published_as says which.

A total of a larger geography adds up the published counts of its areas. The column whose name ends in
share_covered says how much of the whole they are; where that is too little, no total is given.
area_groups.csv says which areas belong together, with the codes of boards, CPS areas, regions and the nation.
publication_shares.csv says how many figures are published, and how.

obs_note: p provisional, r revised since it was first published.

In a CSV, text that a spreadsheet would run as a formula has an apostrophe before it."""


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """README.txt, naming every file: those written so far, and the descriptors that follow."""
    facts = publisher()
    title = facts.full_title(publication)
    about = [
        f"Version {publication.version}, {publication.issued_on:%-d %B %Y}. Figures: {publication.status}.",
        f"Quarterly figures: {_span(publication.first_day, publication.last_day)}.",
    ]
    if publication.year_first_day is not None:
        year = _span(publication.year_first_day, publication.last_day)
        about[-1] += f" Feedback and breakdowns, once a year: {year}."
    if publication.previous is not None:
        about.append(f"Replaces version {publication.previous}. {publication.reason or ''}".rstrip())
    parts = [
        f"{title}\n{'=' * len(title)}",
        *(_paragraphs(text) for text in about),
        _paragraphs(facts.summary),
        _paragraphs(facts.description),
        *_files(publication, files),
        "Reading the figures\n-------------------\n" + _paragraphs(_READING),
        "Licence\n-------\n" + f"{facts.licence_title} ({facts.licence_name})\n{facts.licence_uri}",
        "Contact\n-------\n" + f"{facts.contact_name}, {facts.organisation.name}\n{facts.contact_email}",
        "How to cite\n-----------\n" + _paragraphs(citation_text(publication)),
    ]
    return {README: ("\n\n".join(parts) + "\n").encode("utf-8")}


def _files(publication: Publication, files: Mapping[str, bytes]) -> list[str]:
    """What each file is, by what it is for."""
    own = {table.name for table in publication.tables}
    helps = {table.name for table in (*publication.references, csv_tables(publication)[-1])}
    tables, help_tables, others = [], [], []
    for table in csv_tables(publication):
        names = ", ".join(name for name in (f"{table.name}.csv", f"{table.name}.parquet") if name in files)
        if table.name in own:
            none = "" if table.rows else f" {_NO_ROWS}"
            tables += [names, *_indented(f"{table.title}. {table.description}{none}")]
        elif table.name in helps:
            help_tables += [names, *_indented(f"{table.title}. {table.description}")]
        else:
            others += [names, *_indented(f"{table.title}.")]
    sheets = [
        line
        for name in sorted(files)
        if (kind := name[name.rfind(".") :]) in _SPREADSHEETS
        for line in (name, *_indented(_SPREADSHEETS[kind]))
    ]
    about = [line for name, said in _ABOUT_THE_RELEASE.items() for line in (name, *_indented(said))]
    parts = {
        "Tables": tables,
        "To read them": help_tables,
        "Spreadsheets": sheets,
        "The same figures in shapes that others ask for": others,
        "About the release": about,
    }
    return [
        f"{heading}\n{'-' * len(heading)}\n" + "\n".join(lines) for heading, lines in parts.items() if lines
    ]


def _span(first: dt.date, last: dt.date) -> str:
    return f"{first:%-d %B %Y} to {last:%-d %B %Y}"


def _indented(text: str) -> list[str]:
    return textwrap.wrap(text, 96, initial_indent="    ", subsequent_indent="    ")


def _paragraphs(text: str) -> str:
    filled = (
        textwrap.fill(paragraph, 100, break_long_words=False, break_on_hyphens=False)
        for paragraph in text.split("\n\n")
    )
    return "\n\n".join(filled)
