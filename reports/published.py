"""What is public, as a database that can do nothing else: the only thing that pages for the public may read.

Belongs here: opening release folders as the schema `published`. Does not: the warehouse, or other figures.

Tables of figures (`local_compliance`, `notices` ...) hold the rows of every release that was given, reference
tables (`areas`, `codes`, `breakdowns`, `metric_catalogue`, `data_dictionary`) those of the newest. `releases`
says which they are. `places` and `councils` are facts about areas from the reference data of this repository:
names by which people look for an area, and its place on the tile map. `current` has one row: the newest.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

#: Files of a release that describe its figures: the newest release's stand for all.
REFERENCE_FILES = ("areas.csv", "breakdowns.csv", "codes.csv", "metric-catalogue.csv", "data-dictionary.csv")
SCHEMA = "published"


class PublishedError(RuntimeError):
    """The releases cannot be read as they are; the message says what is missing and what to do."""


@dataclass(frozen=True)
class PublishedRelease:
    """One release that pages may quote: its period, version, days, and the folder of its files."""

    period_code: str
    period_label: str
    version: str
    issued_on: str
    sums_sha256: str
    folder: Path

    @property
    def release_id(self) -> str:
        """Period and version, as in 2025-26-Q1/v1.0.0."""
        return f"{self.period_code}/v{self.version}"


@contextmanager
def open_published(releases: Sequence[PublishedRelease], seeds: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection that sees the schema `published` and neither files nor settings.

    `seeds` is the folder of the repository's reference data. Raises PublishedError without a release,
    or when a file of one is missing.
    """
    if not releases:
        raise PublishedError("Nothing is published yet, so there is nothing that a public page may show.")
    folder = Path(tempfile.mkdtemp(prefix="vcc-published-"))
    try:
        path = folder / "releases.duckdb"
        _make(path, sorted(releases, key=lambda release: release.period_code), seeds)
        connection = duckdb.connect(str(path), read_only=True, config=LOCKED)
        try:
            connection.execute(f"set schema = '{SCHEMA}'")
            connection.execute("set lock_configuration = true")
            yield connection
        finally:
            connection.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


#: No other file, no extension, no network; one thread, so that the same rows come in the same order.
LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": 1,
}


def _make(path: Path, releases: Sequence[PublishedRelease], seeds: Path) -> None:
    newest = releases[-1]
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(f"attach '{path}' as scratch")
        con.execute("use scratch")
        con.execute(f"create schema {SCHEMA}")
        con.execute(
            f"create table {SCHEMA}.releases (period_code varchar, period_label varchar, version varchar,"
            " issued_on date, sums_sha256 varchar, is_newest boolean)"
        )
        con.executemany(
            f"insert into {SCHEMA}.releases values (?, ?, ?, ?, ?, ?)",
            [
                (r.period_code, r.period_label, r.version, r.issued_on, r.sums_sha256, r is newest)
                for r in releases
            ],
        )
        con.execute(f"create view {SCHEMA}.current as select * from {SCHEMA}.releases where is_newest")
        tables = sorted({file.stem for release in releases for file in release.folder.glob("*.parquet")})
        if not tables:
            raise PublishedError(f"{newest.folder} holds no table; restore it from the backup.")
        for table in tables:
            files = [str(r.folder / f"{table}.parquet") for r in releases]
            there = [file for file in files if Path(file).is_file()]
            con.execute(
                f"create table {SCHEMA}.{table} as select * from read_parquet(?, union_by_name = true)",
                [there],
            )
        for name in REFERENCE_FILES:
            file = newest.folder / name
            if not file.is_file():
                raise PublishedError(f"{file} is missing; restore it from the backup.")
            con.execute(
                f"create table {SCHEMA}.{Path(name).stem.replace('-', '_')} as"
                " select * from read_csv(?, header = true, delim = ',', quote = '\"', escape = '\"',"
                " sample_size = -1)",
                [str(file)],
            )
        _make_places(con, seeds)


def _make_places(con: duckdb.DuckDBPyConnection, seeds: Path) -> None:
    """Names by which people look for an area, as they are valid today."""
    for name in ("areas", "local_policing_bodies", "youth_offending_teams"):
        con.execute(
            f"create temp table seed_{name} as select * from read_csv(?, header = true, sample_size = -1)",
            [str(seeds / f"{name}.csv")],
        )
    con.execute(
        f"""
        create table {SCHEMA}.places as
        select
            areas.area_code, areas.area_name, areas.region_code, areas.region_name,
            coalesce(seed.force_name, areas.area_name) as force_name,
            coalesce(seed.abbreviation, areas.area_code) as abbreviation,
            seed.tile_row, seed.tile_col, seed.population, reviewer.lpb_name as reviewer_name
        from {SCHEMA}.areas as areas
        left join (select * from seed_areas where valid_to is null) as seed on areas.area_code = seed.pfa_code
        left join (select * from seed_local_policing_bodies where valid_to is null) as reviewer
            on areas.area_code = reviewer.pfa_code
        order by areas.area_name
        """
    )
    con.execute(
        f"""
        create table {SCHEMA}.councils as
        select distinct pfa_code as area_code, trim(council) as council_name
        from (
            select pfa_code, unnest(string_split(la_names, ';')) as council
            from seed_youth_offending_teams
            where valid_to is null
        )
        where trim(council) <> ''
        order by area_code, council_name
        """
    )
