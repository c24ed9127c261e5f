"""The ledger: one row for every number that was ever published, and what it says about a true count.

`published_columns.yml` declares every column of every public table. A table, a column or a band text that it
does not know stops the audit: a figure nobody has thought about is a figure nobody has audited.

Forms of a row (`form`):

- `rounded`, `suppressed`: a count of a cell, or that it is withheld as small;
- `open_band_high`, `open_band_low`, `closed_band`, `below`, `at_least`: a rate of a cell lies in a range;
- `percent`, `interval`: worked out from the rounded counts beside them, so they say nothing more;
- `percent_of_counts`, `interval_of_counts`: the same figures where the rounded counts do not give them, so
that
  they must come from true ones;
- `sum_of_published`: the sum of published cells, worked out again here; `rounded_sum`, `peers`: a sum that is
  not, and so a number of its own about its members;
- `derived`: made of published figures, as its declaration says; where that is a figure of another table
  (`of`, `column`, `match`), it must be the same;
- `change`: a change between two versions of a cell; `withheld`: an earlier version gave a figure, this one
  does not.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from quality.disclosure.errors import DisclosureError
from quality.disclosure.rules import Rules

DECLARATION = Path(__file__).parent / "published_columns.yml"

AREA_GROUPS = "area_groups"

#: Kinds of column that hold no figure about people, or nothing to solve.
_SILENT = {"key", "label", "code", "plain", "status"}
_KINDS = _SILENT | {"count", "percent", "band", "interval", "sum", "derived", "inequality", "words", "change"}


@dataclass(frozen=True)
class LedgerRow:
    """One published number.

    `cell_id` and `measure` say of what (null for a number about several cells, which stand in `members` as
    `cell_id#measure`); `lower` and `upper` what it says about the measure: a count, or percent for a rate
    (None: no limit, or nothing new). `value` is the number as printed, `text` the words.
    """

    release_id: str
    table_name: str
    row_key: str
    column_name: str
    cell_id: str | None
    measure: str | None
    form: str
    value: float | None = None
    text: str | None = None
    lower: float | None = None
    upper: float | None = None
    members: tuple[str, ...] = ()
    rule_version: int | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """Where the number stands, whatever the release."""
        return self.table_name, self.row_key, self.column_name

    @property
    def place(self) -> str:
        """Where the number stands, in words."""
        return f"{self.release_id}, {self.table_name}, row {self.row_key}, column {self.column_name}"


def release_order(release_id: str) -> tuple[str, tuple[int, ...]]:
    """Sorts releases by period and version. Raises DisclosureError for a name that is not period/vN.N.N."""
    period, separator, version = release_id.partition("/v")
    try:
        return period, tuple(int(part) for part in version.split(".")) if separator else ()
    except ValueError:
        raise DisclosureError(
            f"{release_id!r} names no release; write period and version, as in 2025-26-Q1/v1.0.0."
        ) from None


# ---------------------------------------------------------------------------------------- declaration


@dataclass(frozen=True)
class _Column:
    """What a column is (`kind`) and what its kind needs to know."""

    kind: str
    settings: Mapping[str, Any]

    def applies(self, row: Mapping[str, Any]) -> bool:
        """Does the column belong to this row (`when: {unit: count}`)?"""
        return all(row.get(name) == value for name, value in self.settings.get("when", {}).items())


@dataclass(frozen=True)
class _Table:
    name: str
    key: tuple[str, ...]
    cell_id: str | None
    columns: Mapping[str, _Column]


def load_declaration(path: Path = DECLARATION) -> dict[str, _Table]:
    """What every published column is, by table. Raises DisclosureError for a kind it does not know."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    shared = document.get("columns", {})
    tables = {}
    for name, body in document["tables"].items():
        columns = {}
        for column, declared in {**_wanted(shared, body.get("shared", [])), **body["columns"]}.items():
            settings = {"is": declared} if isinstance(declared, str) else dict(declared)
            kind = settings.pop("is", None)
            if kind not in _KINDS:
                raise DisclosureError(
                    f"{path.name}: column {column} of {name} is {kind!r}; it must be one of "
                    f"{', '.join(sorted(_KINDS))}."
                )
            if kind == "inequality" and settings.get("says") not in ("below", "at_least"):
                raise DisclosureError(f"{path.name}: {name}.{column} says `below` or `at_least` (`says:`).")
            if kind == "derived" and not settings.get("from"):
                raise DisclosureError(f"{path.name}: {name}.{column} is derived; say from what (`from:`).")
            columns[column] = _Column(kind, settings)
        missing = [column for column in body["key"] if column not in columns]
        if missing:
            raise DisclosureError(
                f"{path.name}: key columns of {name} are not declared: {', '.join(missing)}."
            )
        tables[name] = _Table(name, tuple(body["key"]), body.get("cell_id"), columns)
    return tables


def _wanted(shared: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    unknown = [name for name in names if name not in shared]
    if unknown:
        raise DisclosureError(f"published_columns.yml: no shared column is called {', '.join(unknown)}.")
    return {name: shared[name] for name in names}


# ---------------------------------------------------------------------------------------- from a draft


@dataclass(frozen=True)
class _Sheet:
    """One table of a draft: its declaration and its rows as name -> value."""

    table: _Table
    rows: list[dict[str, Any]]
    numeric: frozenset[str]


def ledger_of(
    folder: Path,
    *,
    release_id: str,
    rules: Mapping[int, Rules],
    members: Mapping[tuple[str, str, str], Collection[str]] | None = None,
    earlier: Sequence[LedgerRow] = (),
    declaration: Path = DECLARATION,
) -> list[LedgerRow]:
    """Every number in the Parquet files of a draft folder, sorted.

    `members` says which areas stand in a group: (period_code, group kind, group code) -> area codes; sums of
    published cells are worked out again with it. Without it the table `area_groups` of the draft says so.
    `earlier` are the releases before, in the order they were published; a figure that they hold unchanged
    gets no row of its own. Raises DisclosureError for a table, column or band that is not declared, and for a
    draft without tables.
    """
    release_order(release_id)
    tables = load_declaration(declaration)
    sheets = {}
    for path in sorted(folder.glob("*.parquet")):
        table = tables.get(path.stem) or tables.get(path.stem.removeprefix("open_data_"))
        if table is None:
            raise DisclosureError(
                f"{path.name} of {release_id} is not declared: add the table and each of its columns to "
                f"{declaration.name}, or do not publish it."
            )
        sheets[table.name] = _read(path, table, declaration)
    if not sheets:
        raise DisclosureError(f"There is no Parquet file in {folder}, so there is nothing to audit.")
    maker = _Maker(release_id, rules, _groups(sheets) if members is None else members, sheets)
    rows = [row for sheet in sheets.values() for row in maker.rows_of(sheet)]
    return sorted_rows(_against_earlier(rows, sheets, earlier, release_id))


def _read(path: Path, table: _Table, declaration: Path) -> _Sheet:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = pq.read_table(path)
    undeclared = [field.name for field in content.schema if field.name not in table.columns]
    if undeclared:
        raise DisclosureError(
            f"{path.name} has columns that are not declared: {', '.join(undeclared)}. Say in "
            f"{declaration.name} what each of them is, or take them out of the mart."
        )
    absent = [name for name in table.key if name not in content.column_names]
    if absent:
        raise DisclosureError(f"{path.name} lacks columns of its key: {', '.join(absent)}.")
    numeric = frozenset(
        field.name
        for field in content.schema
        if pa.types.is_integer(field.type)
        or pa.types.is_floating(field.type)
        or pa.types.is_decimal(field.type)
    )
    return _Sheet(table, content.to_pylist(), numeric)


def _groups(sheets: Mapping[str, _Sheet]) -> dict[tuple[str, str, str], set[str]]:
    groups: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    if sheet := sheets.get(AREA_GROUPS):
        for row in sheet.rows:
            groups[row["period_code"], row["group_kind"], row["group_code"]].add(row["area_code"])
    return groups


class _Maker:
    """Turns the rows of the tables of one draft into rows of the ledger."""

    def __init__(
        self,
        release_id: str,
        rules: Mapping[int, Rules],
        members: Mapping[tuple[str, str, str], Collection[str]],
        sheets: Mapping[str, _Sheet],
    ) -> None:
        if not rules:
            raise DisclosureError("No version of the disclosure rules was given to the ledger.")
        self.release_id = release_id
        self.rules = rules
        self.members = members
        self.sheets = sheets
        self._sources: dict[tuple[str, tuple[str, ...]], dict[tuple[Any, ...], list[dict[str, Any]]]] = {}

    def rows_of(self, sheet: _Sheet) -> Iterable[LedgerRow]:
        """All numbers of one table."""
        makers = {
            "count": self._counts,
            "band": self._bands,
            "percent": self._percents,
            "interval": self._intervals,
            "sum": self._sums,
            "derived": self._derived,
            "inequality": self._inequalities,
            "words": self._words,
            "change": self._changes,
        }
        present = sheet.rows[0].keys() if sheet.rows else ()
        for name, column in sheet.table.columns.items():
            if column.kind in makers and name in present:
                yield from makers[column.kind](sheet, name, column)

    # -- what stands in a row

    def _rules(self, row: Mapping[str, Any]) -> Rules:
        version = row.get("disclosure_rule_version")
        version = max(self.rules) if version is None else int(version)
        if version not in self.rules:
            raise DisclosureError(
                f"{self.release_id} applies version {version} of the disclosure rules, which was not given."
            )
        return self.rules[version]

    def _row(self, sheet: _Sheet, column: str, row: Mapping[str, Any], form: str, **said: Any) -> LedgerRow:
        return LedgerRow(
            release_id=self.release_id,
            table_name=sheet.table.name,
            row_key="|".join(str(row[name]) for name in sheet.table.key),
            column_name=column,
            form=form,
            rule_version=self._rules(row).version,
            **{"cell_id": None, "measure": None, **said},
        )

    def _cell(self, sheet: _Sheet, row: Mapping[str, Any]) -> str:
        if sheet.table.cell_id is None:
            raise DisclosureError(
                f"published_columns.yml: {sheet.table.name} has columns about a cell but no cell_id."
            )
        try:
            return sheet.table.cell_id.format(**row)
        except KeyError as missing:
            raise DisclosureError(f"{sheet.table.name} lacks {missing}, a part of its cell_id.") from None

    # -- kinds of column

    def _counts(self, sheet: _Sheet, name: str, column: _Column) -> Iterable[LedgerRow]:
        measure = column.settings["measure"]
        is_breakdown = bool(column.settings.get("is_breakdown", False))
        for row in sheet.rows:
            if not column.applies(row):
                continue
            value, rules = row[name], self._rules(row)
            if value is not None:
                lower, upper = rules.box(_whole(value, sheet, name), is_breakdown=is_breakdown)
                yield self._row(
                    sheet,
                    name,
                    row,
                    "rounded",
                    cell_id=self._cell(sheet, row),
                    measure=measure,
                    value=float(value),
                    lower=lower,
                    upper=upper,
                )
            elif measure == "base" and row.get("obs_status") == "c":
                yield self._row(
                    sheet,
                    name,
                    row,
                    "suppressed",
                    cell_id=self._cell(sheet, row),
                    measure=measure,
                    text="c",
                    lower=0,
                    upper=rules.withheld_max(is_breakdown=is_breakdown),
                )

    def _bands(self, sheet: _Sheet, name: str, column: _Column) -> Iterable[LedgerRow]:
        for row in sheet.rows:
            text = row[name]
            if text is None:
                continue
            band = self._rules(row).band(text, row.get(column.settings["base"]))
            if band is None:
                raise DisclosureError(
                    f"{self.release_id}: {sheet.table.name}.{name} holds {text!r}, a band that the "
                    "rules do not know."
                )
            yield self._row(
                sheet,
                name,
                row,
                band.form,
                cell_id=self._cell(sheet, row),
                measure="rate",
                text=text,
                lower=band.lower,
                upper=band.upper,
            )

    def _percents(self, sheet: _Sheet, name: str, column: _Column) -> Iterable[LedgerRow]:
        def expected(row: Mapping[str, Any], part: int, base: int) -> float | None:
            return self._rules(row).percent(part, base)

        yield from self._recomputed(sheet, name, column, "percent", expected)

    def _intervals(self, sheet: _Sheet, name: str, column: _Column) -> Iterable[LedgerRow]:
        def expected(row: Mapping[str, Any], part: int, base: int) -> float | None:
            return self._rules(row).interval(part, base, column.settings["side"]) if base else None

        yield from self._recomputed(sheet, name, column, "interval", expected)

    def _recomputed(
        self, sheet: _Sheet, name: str, column: _Column, form: str, expected: Any
    ) -> Iterable[LedgerRow]:
        """Figures that the counts beside them give. One they do not give puts the whole column in doubt."""
        given = [row for row in sheet.rows if row[name] is not None]
        part, base = column.settings["part"], column.settings["base"]
        follows = all(
            row.get(part) is not None
            and row.get(base) is not None
            and expected(row, int(row[part]), int(row[base])) == row[name]
            for row in given
        )
        if not follows and sheet.table.cell_id is None:
            raise DisclosureError(
                f"{self.release_id}: {sheet.table.name}.{name} is not what {part} and {base} beside it "
                "give, so it is made of true counts of several cells; work it out from the published ones."
            )
        decimals = max((_decimals(row[name]) for row in given), default=0)
        for row in given:
            value = float(row[name])
            if follows:
                yield self._row(sheet, name, row, form, value=value, text=column.settings.get("side"))
                continue
            half = 0.5 * 10**-decimals
            limits = (value - half, value + half) if form == "percent" else (None, None)
            yield self._row(
                sheet,
                name,
                row,
                f"{form}_of_counts",
                cell_id=self._cell(sheet, row),
                measure="rate",
                value=value,
                text=f"{column.settings.get('side', '')}:{decimals}",
                lower=limits[0],
                upper=limits[1],
            )

    def _sums(self, sheet: _Sheet, name: str, column: _Column) -> Iterable[LedgerRow]:
        given = [row for row in sheet.rows if row[name] is not None and column.applies(row)]
        parts = [self._parts(sheet, name, column, row) for row in given]
        agrees = all(sum(counted) == row[name] for row, (counted, _, _) in zip(given, parts, strict=True))
        # a column with one sum of another origin has that origin throughout: equal by accident proves nothing
        form = "sum_of_published" if agrees else column.settings.get("otherwise", "rounded_sum")
        for row, (_, published, everyone) in zip(given, parts, strict=True):
            value = float(row[name])
            if agrees:
                yield self._row(sheet, name, row, form, value=value, members=published)
            else:
                lower, upper = self._rules(row).box(_whole(row[name], sheet, name))
                yield self._row(
                    sheet, name, row, form, value=value, lower=lower, upper=upper, members=everyone
                )

    def _parts(
        self, sheet: _Sheet, name: str, column: _Column, row: Mapping[str, Any]
    ) -> tuple[list[int], tuple[str, ...], tuple[str, ...]]:
        """Published counts that a sum is made of, their cells, and all cells of the group."""
        settings = column.settings
        source = self.sheets.get(settings["of"])
        if source is None:
            raise DisclosureError(
                f"{self.release_id}: {sheet.table.name}.{name} adds up {settings['of']}, which is "
                "not in the draft."
            )
        match = tuple(settings["match"])
        lines = self._by(source, match).get(tuple(row.get(item) for item in match), [])
        if "group" in settings:
            areas = set(self._areas(sheet, name, settings, row))
            if "leave_out" in settings:
                areas.discard(row[settings["leave_out"]])
            lines = [line for line in lines if line[settings["area"]] in areas]
        counted = [
            line for line in lines if line.get(settings.get("present", settings["column"])) is not None
        ]
        measure = settings["measure"]
        return (
            [int(line[settings["column"]]) for line in counted if line[settings["column"]] is not None],
            tuple(sorted(f"{self._cell(source, line)}#{measure}" for line in counted)),
            tuple(sorted(f"{self._cell(source, line)}#{measure}" for line in lines)),
        )

    def _by(self, source: _Sheet, match: tuple[str, ...]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
        found = self._sources.get((source.table.name, match))
        if found is None:
            found = defaultdict(list)
            for line in source.rows:
                found[tuple(line.get(item) for item in match)].append(line)
            self._sources[source.table.name, match] = found
        return found

    def _areas(
        self, sheet: _Sheet, name: str, settings: Mapping[str, Any], row: Mapping[str, Any]
    ) -> Collection[str]:
        period, kind, code = (
            row.get(item, item) if isinstance(item, str) else item for item in settings["group"]
        )
        areas = self.members.get((str(period), str(kind), str(code)))
        if areas is None:
            raise DisclosureError(
                f"{self.release_id}: {sheet.table.name}.{name} is a sum over {kind} {code} in {period}, "
                "whose areas were not given."
            )
        return areas

    def _derived(self, sheet: _Sheet, name: str, column: _Column) -> Iterable[LedgerRow]:
        for row in sheet.rows:
            if row[name] is None:
                continue
            if "of" in column.settings:
                self._repeated(sheet, name, column, row)
            if name in sheet.numeric:
                yield self._row(sheet, name, row, "derived", value=float(row[name]))
            else:
                yield self._row(sheet, name, row, "derived", text=str(row[name]))

    def _repeated(self, sheet: _Sheet, name: str, column: _Column, row: Mapping[str, Any]) -> None:
        """Raises DisclosureError unless the row repeats the figure that another table publishes."""
        source, match = self.sheets.get(column.settings["of"]), tuple(column.settings["match"])
        key = tuple(row.get(item) for item in match)
        lines = self._by(source, match).get(key, []) if source else []
        if [line.get(column.settings["column"]) for line in lines] != [row[name]]:
            raise DisclosureError(
                f"{self.release_id}: {sheet.table.name}.{name} of {'|'.join(map(str, key))} is {row[name]},"
                f" which is not {column.settings['column']} of {column.settings['of']}, as declared."
            )

    def _inequalities(self, sheet: _Sheet, name: str, column: _Column) -> Iterable[LedgerRow]:
        """A limit in percent; the declaration says on which side of it the true rate lies."""
        form = column.settings["says"]
        for row in sheet.rows:
            if row[name] is None:
                continue
            limit = float(row[name])
            yield self._row(
                sheet,
                name,
                row,
                form,
                cell_id=self._cell(sheet, row),
                measure="rate",
                value=limit,
                lower=limit if form == "at_least" else None,
                upper=limit if form == "below" else None,
            )

    def _words(self, sheet: _Sheet, name: str, column: _Column) -> Iterable[LedgerRow]:
        """A sentence that repeats other columns says no more than they do."""
        for row in sheet.rows:
            if row[name] is not None and row[name] != column.settings["pattern"].format(**row):
                raise DisclosureError(
                    f"{self.release_id}: {sheet.table.name}.{name} holds {row[name]!r}, which is not "
                    f"{column.settings['pattern']!r} as declared."
                )
        return ()

    def _changes(self, sheet: _Sheet, name: str, column: _Column) -> Iterable[LedgerRow]:
        for row in sheet.rows:
            if row[name] is not None:
                value = float(row[name])
                yield self._row(
                    sheet,
                    name,
                    row,
                    "change",
                    cell_id=self._cell(sheet, row),
                    measure=column.settings["measure"],
                    value=value,
                    lower=value,
                    upper=value,
                )


def _whole(value: Any, sheet: _Sheet, name: str) -> int:
    if float(value) != int(value) or value < 0:
        raise DisclosureError(f"{sheet.table.name}.{name} holds {value}, which is no count.")
    return int(value)


def _decimals(value: Any) -> int:
    """Decimals of a printed figure, at most six."""
    return next((places for places in range(6) if math.isclose(round(value, places), value, abs_tol=1e-9)), 6)


def _against_earlier(
    rows: list[LedgerRow], sheets: Mapping[str, _Sheet], earlier: Sequence[LedgerRow], release_id: str
) -> list[LedgerRow]:
    """Leaves out what an earlier release said word for word, and notes what it said and this one does not."""
    in_force: dict[tuple[str, str, str], LedgerRow] = {}
    for row in earlier:
        if row.release_id != release_id:
            in_force[row.identity] = row
    said = {row.identity for row in rows}
    kept = [row for row in rows if row.identity not in in_force or not _same(row, in_force[row.identity])]
    keys = {
        (name, "|".join(str(row[column]) for column in sheet.table.key))
        for name, sheet in sheets.items()
        for row in sheet.rows
    }
    for identity, row in in_force.items():
        if identity not in said and identity[:2] in keys and row.form != "withheld":
            kept.append(
                replace(
                    row, release_id=release_id, form="withheld", value=None, text=None, lower=None, upper=None
                )
            )
    return kept


def _same(one: LedgerRow, other: LedgerRow) -> bool:
    return replace(one, release_id=other.release_id) == other


# ---------------------------------------------------------------------------------------- Parquet


def sorted_rows(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """The rows in the ledger's order: release, table, row, column."""
    return sorted(rows, key=lambda row: (release_order(row.release_id), *row.identity, row.form))


def ledger_bytes(rows: Iterable[LedgerRow]) -> bytes:
    """The ledger as Parquet: the same rows give the same bytes, in whatever order they come."""
    import pyarrow as pa

    ordered = sorted_rows(rows)
    schema = pa.schema(
        [
            ("release_id", pa.string()),
            ("table_name", pa.string()),
            ("row_key", pa.string()),
            ("column_name", pa.string()),
            ("cell_id", pa.string()),
            ("measure", pa.string()),
            ("form", pa.string()),
            ("value", pa.float64()),
            ("text", pa.string()),
            ("lower", pa.float64()),
            ("upper", pa.float64()),
            ("members", pa.list_(pa.string())),
            ("rule_version", pa.int32()),
        ]
    )
    return parquet_bytes(
        schema,
        {
            name: [list(row.members) if name == "members" else getattr(row, name) for row in ordered]
            for name in schema.names
        },
    )


def read_ledger(path: Path) -> list[LedgerRow]:
    """A stored ledger."""
    import pyarrow.parquet as pq

    return [
        LedgerRow(**{**line, "members": tuple(line["members"] or ())})
        for line in pq.read_table(path).to_pylist()
    ]


def parquet_bytes(schema: Any, columns: Mapping[str, list[Any]]) -> bytes:
    """A Parquet file that depends on its content only."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    table = pa.table(columns, schema=schema)
    pq.write_table(
        table,
        stream,
        version="2.6",
        compression="zstd",
        compression_level=9,
        row_group_size=max(table.num_rows, 1),
        store_schema=False,
    )
    return stream.getvalue()


def hash_of(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()
