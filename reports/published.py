"""What is public, as a database that can do nothing else: the only thing that pages for the public may read.

Belongs here: opening release folders as the schema `published`. Does not: the warehouse, or other figures.

Tables of figures (`local_compliance`, `notices` ...) hold the rows of every release that was given, reference
tables (`areas`, `codes`, `breakdowns`, `metric_catalogue`, `data_dictionary`) those of the newest. `releases`
says which they are. `places` and `councils` are facts about areas from the reference data of this repository:
names by which people look for an area, and its place on the tile map. `current` has one row: the newest.

`measures` and `rights` say in plain words what is measured (pages/words), `quarters` has the quarters
in order, `files` what can be downloaded, `rules` the row of the disclosure rules, `calendar` the announced
days. The macros `change_in_words`, `difference_in_words` and `wilson_bound` set figures side by side.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

#: Files of a release that describe its figures: the newest release's stand for all.
REFERENCE_FILES = ("areas.csv", "breakdowns.csv", "codes.csv", "metric-catalogue.csv", "data-dictionary.csv")
SCHEMA = "published"
#: Names of measures and rights in words for everybody.
WORDS = Path(__file__).parent / "pages" / "words"


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


def releases_in(public: Path) -> tuple[list[PublishedRelease], list[Mapping[str, Any]]]:
    """The releases that are current in a public folder, and all versions as its releases.json tells of them.

    Both are empty where nothing was published yet. Raises PublishedError for a list that cannot be read.
    """
    listing = public / "releases" / "releases.json"
    if not listing.is_file():
        return [], []
    try:
        versions: list[Mapping[str, Any]] = json.loads(listing.read_bytes())["releases"]
    except (ValueError, KeyError, TypeError):
        raise PublishedError(f"{listing} is not the list of releases; restore it from the backup.") from None
    # The link is read once: what is shown comes from one tree, whatever is published meanwhile.
    tree = public.resolve()
    return [
        PublishedRelease(
            period_code=version["period_code"],
            period_label=version["period_label"],
            version=version["version"],
            issued_on=version["issued_on"],
            sums_sha256=version["sums_sha256"],
            folder=tree / version["path"],
        )
        for version in versions
        if version["status"] == "current"
    ], versions


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


#: No other file, no extension, no network, no variable of Python; one thread, so that the same rows come in
#: the same order.
LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "memory_limit": "4GB",
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
        _make_files(con, releases)
        _make_words(con)
        _make_rules(con, seeds)
        _make_comparisons(con)


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
            coalesce(
                nullif(trim(regexp_replace(
                    replace(lower(strip_accents(areas.area_name)), '''', ''), '[^a-z0-9]+', '-', 'g'
                ), '-'), ''),
                lower(areas.area_code)
            ) as slug,
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


def _make_files(con: duckdb.DuckDBPyConnection, releases: Sequence[PublishedRelease]) -> None:
    """The files of every release, and how large they are: what a page of downloads lists."""
    con.execute(
        f"create table {SCHEMA}.files"
        " (period_code varchar, version varchar, file_name varchar, byte_count bigint)"
    )
    con.executemany(
        f"insert into {SCHEMA}.files values (?, ?, ?, ?)",
        [
            (release.period_code, release.version, file.name, file.stat().st_size)
            for release in releases
            for file in sorted(release.folder.iterdir())
            if file.is_file()
        ],
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _make_words(con: duckdb.DuckDBPyConnection) -> None:
    """What is measured, in words for everybody; a metric that has none yet keeps its definition.

    `in_a_sentence(name)` is a name as it stands inside a sentence: without a capital, unless it is a proper
    name, which has another capital in it. `spelled_out(text)` is a definition without the abbreviations it
    was written down with.
    """
    spelled = "text"
    for written, words in con.execute(
        "select written, words from read_csv(?, header = true, all_varchar = true)",
        [str(WORDS / "abbreviations.csv")],
    ).fetchall():
        spelled = f"replace({spelled}, {_quoted(written)}, {_quoted(words)})"
    con.execute(f"create macro {SCHEMA}.spelled_out(text) as {spelled}")
    con.execute(
        f"""
        create macro {SCHEMA}.in_a_sentence(name) as
            case when regexp_matches(name, ' [A-Z]') then name
            else lower(left(name, 1)) || substr(name, 2) end
        """
    )
    for name in ("measures", "rights"):
        con.execute(
            f"create temp table words_{name} as select * from read_csv(?, header = true, sample_size = -1)",
            [str(WORDS / f"{name}.csv")],
        )
    con.execute(
        f"""
        create table {SCHEMA}.measures as
        select
            catalogue.metric_id, catalogue.right_number, catalogue.information,
            coalesce(words.measure_name, {SCHEMA}.spelled_out(catalogue.definition)) as measure_name,
            coalesce(words.short_name, measure_name) as short_name,
            words.headline_body_kind,
            catalogue.unit, catalogue.polarity, catalogue.tier, catalogue.body_kinds, catalogue.time_limit
        from {SCHEMA}.metric_catalogue as catalogue
        left join words_measures as words using (metric_id)
        order by catalogue.right_number, catalogue.metric_id
        """
    )
    con.execute(
        f"""
        create table {SCHEMA}.rights as
        select
            catalogue.right_number, any_value(catalogue.right_title) as right_title,
            coalesce(any_value(words.short_title), any_value(catalogue.right_title)) as short_title,
            any_value(words.plain_words) as plain_words,
            count(*) filter (
                where catalogue.information = 'statistic' and catalogue.tier = 'core'
                and catalogue.polarity <> 'contextual'
            ) > 0 as has_statistics,
            printf('right-%02d', catalogue.right_number) as slug
        from {SCHEMA}.metric_catalogue as catalogue
        left join words_rights as words using (right_number)
        group by catalogue.right_number
        order by catalogue.right_number
        """
    )


def _make_rules(con: duckdb.DuckDBPyConnection, seeds: Path) -> None:
    """The rules that the newest release was made by, the announced days, and the quarters in their order."""
    con.execute(
        f"""
        create table {SCHEMA}.rules as
        select * exclude (effective_from, effective_to)
        from read_csv(?, header = true, sample_size = -1)
        where rule_version = coalesce(
            (
                select max(disclosure_rule_version) from {SCHEMA}.local_compliance
                where release_period_code = (select period_code from {SCHEMA}.current)
            ),
            0
        )
        """,
        [str(seeds / "disclosure_rules.csv")],
    )
    con.execute(
        f"create table {SCHEMA}.calendar as select * from read_csv(?, header = true, sample_size = -1)",
        [str(seeds / "release_calendar.csv")],
    )
    con.execute(
        f"""
        create view {SCHEMA}.quarters as
        select
            period_code, period_label, is_newest,
            4 * cast(left(period_code, 4) as integer) + cast(right(period_code, 1) as integer)
                as quarter_index,
            case right(period_code, 1)
                when '1' then 'Apr-Jun ' when '2' then 'Jul-Sep ' when '3' then 'Oct-Dec ' else 'Jan-Mar '
            end
            || (cast(left(period_code, 4) as integer) + (right(period_code, 1) = '4')::integer)::varchar
                as quarter_label
        from {SCHEMA}.releases
        order by period_code
        """
    )


def _make_comparisons(con: duckdb.DuckDBPyConnection) -> None:
    """Two published rates in words: another only where their 95% intervals do not overlap.

    The rule of all public pages and of the data tool, for anybody can check it on what is printed. It is
    stricter than the tests of docs/methods.md, which need counts that are not rounded. `wilson_bound` is the
    bound of sums of published counts, in whole percent, rounded outwards; `side` is -1 (lower) or 1 (upper).
    """
    con.execute(
        f"""
        create macro {SCHEMA}.difference_in_words(lower_1, upper_1, lower_0, upper_0) as
            case
                when lower_1 > upper_0 then 'higher'
                when upper_1 < lower_0 then 'lower'
                when coalesce(lower_1 + upper_1 + lower_0 + upper_0, -1) >= 0
                    then 'no detectable difference'
            end
        """
    )
    con.execute(
        f"""
        create macro {SCHEMA}.change_in_words(lower_1, upper_1, lower_0, upper_0) as
            replace({SCHEMA}.difference_in_words(lower_1, upper_1, lower_0, upper_0), 'difference', 'change')
        """
    )
    z = f"(select interval_z from {SCHEMA}.rules)"
    con.execute(
        f"""
        create macro {SCHEMA}.wilson_bound(met, cases, side) as
            case when cases > 0 then cast(side * ceil(
                side * 100.0
                * (2.0 * met + {z} ^ 2 + side * {z} * sqrt({z} ^ 2 + 4.0 * met * (1.0 - met / cases)))
                / (2.0 * (cases + {z} ^ 2)) - 1e-9
            ) as integer) end
        """
    )
