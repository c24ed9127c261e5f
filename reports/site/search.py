"""What people look for and by which words: areas, rights and metrics, as a list and as an index for a script.

Names of areas come from the releases and the reference data, councils of the lower tier from `places.csv`,
plain words for rights and metrics from `synonyms.yml`. The index is data only: the script that shows it
writes text.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import yaml

from reports.components.text import neutral

_HERE = Path(__file__).parent
PLACES = _HERE / "places.csv"
SYNONYMS = _HERE / "synonyms.yml"
DISTRICT, FORMER_DISTRICT, OTHER_NAME = "district", "former_district", "other_name"

#: How long names of local policing bodies are said shortly.
_SHORT = (
    ("Police, Fire and Crime Commissioner", "PFCC"),
    ("Police and Crime Commissioner", "PCC"),
    ("Mayor's Office for Policing and Crime", "MOPAC"),
)


@dataclass(frozen=True)
class Area:
    """An area with all names by which people look for it."""

    code: str
    name: str
    slug: str
    force: str
    abbreviation: str
    reviewer: str | None
    boards: tuple[str, ...]
    councils: tuple[str, ...]
    former: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def path(self) -> str:
        """Its page."""
        return f"areas/{self.slug}.html"


@dataclass(frozen=True)
class Metric:
    """A metric of the newest catalogue that is in force."""

    metric_id: str
    name: str
    definition: str
    words: tuple[str, ...]

    @property
    def path(self) -> str:
        """Where the catalogue describes it."""
        return "metrics/index.html#" + self.metric_id.replace("_", "-")


@dataclass(frozen=True)
class Right:
    """A right with its metrics."""

    number: int
    title: str
    official_title: str
    slug: str
    words: tuple[str, ...]
    metrics: tuple[Metric, ...]

    @property
    def path(self) -> str:
        """Its page."""
        return f"rights/{self.slug}.html"


@dataclass(frozen=True)
class Findable:
    """Everything that can be found: areas by name, rights by number."""

    areas: tuple[Area, ...]
    rights: tuple[Right, ...]
    entries: tuple[Mapping[str, object], ...] = field(default=())


def findable(connection: duckdb.DuckDBPyConnection) -> Findable:
    """Areas, rights and metrics of the newest release (an open `published` database)."""
    newest = _one(connection, "select period_code from current")
    boards, councils, places = defaultdict(list), defaultdict(list), defaultdict(list)
    for code, name in _rows(
        connection,
        "select distinct area_code, group_name from area_groups"
        f" where group_kind = 'criminal_justice_board' and release_period_code = '{newest}' order by all",
    ):
        boards[code].append(name)
    for code, name in _rows(connection, "select area_code, council_name from councils order by all"):
        councils[code].append(_turned(name))
    for place in read_places():
        places[place["area_code"], place["place_kind"]].append(place["place_name"])
    areas = tuple(
        Area(
            code=code,
            name=name,
            slug=slug,
            force=force,
            abbreviation=abbreviation,
            reviewer=reviewer,
            boards=tuple(boards[code]),
            councils=tuple(sorted([*councils[code], *places[code, DISTRICT]])),
            former=tuple(places[code, FORMER_DISTRICT]),
            others=tuple(places[code, OTHER_NAME]),
        )
        for code, name, slug, force, abbreviation, reviewer in _rows(
            connection,
            "select area_code, area_name, slug, force_name, abbreviation, reviewer_name from places"
            " order by lower(area_name), area_code",
        )
    )
    words, of_right = _plain_words()
    metrics: dict[int, list[Metric]] = defaultdict(list)
    for metric_id, number, name, definition in _rows(
        connection,
        # What ended within a year still has figures on the site.
        "select metric_id, right_number, measure_name, definition from metric_catalogue"
        " inner join measures using (metric_id, right_number)"
        " where valid_to is null or valid_to >= (select issued_on - interval 1 year from current)"
        " order by right_number, metric_id",
    ):
        metrics[number].append(Metric(metric_id, name, definition, tuple(words[metric_id])))
    rights = tuple(
        Right(number, title, official, slug, tuple(of_right[number]), tuple(metrics[number]))
        for number, title, official, slug in _rows(
            connection,
            "select right_number, short_title, right_title, slug from rights order by right_number",
        )
    )
    return Findable(areas, rights, tuple(_entries(areas, rights)))


def read_places(path: Path = PLACES) -> list[dict[str, str]]:
    """Rows of places.csv. Raises ValueError naming the line of one without area, name or a known kind."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows, 2):
        kind = row["place_kind"]
        if (
            not row["area_code"]
            or not row["place_name"]
            or kind not in (DISTRICT, FORMER_DISTRICT, OTHER_NAME)
        ):
            raise ValueError(
                f"{path.name}, line {number}: it needs area_code, place_name and a known place_kind."
            )
    return rows


def index_script(entries: Sequence[Mapping[str, object]]) -> bytes:
    """The index as a script that only sets data: `<script src>` works from a folder, where fetch does not."""
    lines = ",\n".join(_json(entry) for entry in entries)
    return f"globalThis.vccSearchIndex = [\n{lines}\n];\n".encode()


def _json(entry: Mapping[str, object]) -> str:
    # Nothing in a string may look like markup, even if somebody pastes the file into a page.
    text = json.dumps(entry, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _entries(areas: Sequence[Area], rights: Sequence[Right]) -> list[Mapping[str, object]]:
    entries: list[Mapping[str, object]] = []
    for area in areas:
        names = [area.force, area.abbreviation, *area.others, *area.boards, *area.councils, *area.former]
        if area.reviewer:
            names.append(area.reviewer)
        names += [
            area.reviewer.replace(*short) for short in _SHORT if area.reviewer and short[0] in area.reviewer
        ]
        entries.append(_entry("area", area.name, area.path, area.force, names, ()))
    for right in rights:
        title = f"Right {right.number}: {right.title}"
        entries.append(_entry("right", title, right.path, "", (), [*right.words, right.official_title]))
        for metric in right.metrics:
            # A metric is found by the words of its right too, after the right itself.
            said = [*metric.words, metric.definition, metric.metric_id, *right.words, right.title]
            entries.append(_entry("metric", metric.name, metric.path, title, (), said))
    return entries


def _entry(
    kind: str, title: str, path: str, note: str, names: Sequence[str], words: Sequence[str]
) -> Mapping[str, object]:
    seen = [name for name in dict.fromkeys(names) if name != title]
    return {
        "kind": kind,
        "title": title,
        "path": path,
        "note": note,
        "names": seen,
        "words": list(dict.fromkeys(words)),
    }


def read_synonyms(path: Path = SYNONYMS) -> list[dict[str, Any]]:
    """Entries of synonyms.yml: `say` (words), and `metrics` (ids) or `rights` (numbers)."""
    entries: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for number, entry in enumerate(entries, 1):
        if not entry.get("say") or not (entry.get("metrics") or entry.get("rights")):
            raise ValueError(f"{path.name}, entry {number}: it needs `say`, and `metrics` or `rights`.")
    return entries


def _plain_words() -> tuple[dict[str, list[str]], dict[int, list[str]]]:
    of_metric: dict[str, list[str]] = defaultdict(list)
    of_right: dict[int, list[str]] = defaultdict(list)
    for entry in read_synonyms():
        for metric_id in entry.get("metrics", ()):
            of_metric[metric_id] += entry["say"]
        for number in entry.get("rights", ()):
            of_right[number] += entry["say"]
    return of_metric, of_right


def _turned(council: str) -> str:
    """`Bristol, City of` as people say it."""
    name, comma, before = council.partition(", ")
    return f"{before} {name}" if comma and before in ("City of", "County of") else council


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(neutral(row)) for row in connection.execute(query).fetchall()]


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]
