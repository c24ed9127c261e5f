"""Forms: what a return of one kind and version looks like, read from the YAML files in ingest/forms.

Belongs here: reading and checking forms. Does not: judging a return (ingest/acceptance) or reading one
(ingest/readers).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from ingest.period import Cycle, Period

FORMS_DIR = Path(__file__).parent / "forms"

TYPES = ("string", "text", "code", "count", "date", "decimal", "number", "grade", "flag")
LAYOUTS = ("table", "fields")
FREQUENCIES = ("quarter", "half", "year")
CYCLES = ("reporting", "review", "none")
TIMINGS = ("after", "during")
REPORTING_KIND = "quarterly"
"""The kind of return that bodies report on: its form says how long a reporting period is."""
CODE_SETS = (
    "areas",
    "bodies",
    "characteristic_values",
    "characteristics",
    "crime_types",
    "delivery_items",
    "legacy_questions",
    "legacy_responses",
    "periods",
    "questions",
    "recipients",
    "rights",
    "scored_items",
    "senders",
    "statistics",
)
COVER_FIELDS = ("kind", "form_version", "sender_code", "period_code")
GUIDANCE_SHEET, LISTS_SHEET, PREVIOUS_SHEET, REPORT_SHEET = "guidance", "lists", "previous", "report"
HELPER_SHEETS = (GUIDANCE_SHEET, LISTS_SHEET, PREVIOUS_SHEET, REPORT_SHEET)
"""Sheets that a template or an annotated copy adds: screened for personal data, otherwise not read."""


class FormError(ValueError):
    """A form's YAML is not a valid form. The text says which file, where in it, and how to mend it."""


@dataclass(frozen=True)
class RequiredWhen:
    """A cell is due when another cell of the row is blank (or filled)."""

    column: str
    is_blank: bool


@dataclass(frozen=True)
class Column:
    """One column of a table, or one field of the cover.

    Types: string (exactly as written), text (free text), code (one of a list), count (whole number from 0),
    date, decimal (above 0), number (of any sign), grade (0 to 3), flag (yes or no). `codes` are fixed in the
    form, `codes_from` names a list of the reference data, `also` adds codes to it, `restricted` maps a code
    to the columns and values of rows that may use it. `name` heads the column on the sheet; `stored_as` is
    its name from raw on, the same in every version of the form, whatever the sheet calls it.
    """

    name: str
    type: str
    description: str
    required: bool = False
    required_when: RequiredWhen | None = None
    unit: str | None = None
    codes: tuple[str, ...] = ()
    codes_from: str | None = None
    also: tuple[str, ...] = ()
    restricted: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    stored_as: str = ""

    def __post_init__(self) -> None:
        """A column is stored under its own name unless the form says otherwise."""
        if not self.stored_as:
            object.__setattr__(self, "stored_as", self.name)


@dataclass(frozen=True)
class FigureSet:
    """The columns that a metric of one unit (or an answer of one response set) fills."""

    name: str
    needs: tuple[str, ...]
    may_have: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that may be filled."""
        return self.needs + self.may_have


@dataclass(frozen=True)
class Sheet:
    """One sheet of a form.

    `prefilled` names the columns that a template fills in and protects; what stands in the others is the
    sender's own entry.
    """

    name: str
    title: str
    description: str
    layout: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    information: str | None = None
    answers: str | None = None
    nil_reason: str | None = None
    figures_chosen_by: str | None = None
    figure_sets: Mapping[str, FigureSet] = field(default_factory=dict)
    not_collected: str | None = None
    cases_stated: str | None = None
    base_stated: str | None = None
    prefilled: tuple[str, ...] = ()

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in form order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def column(self, name: str) -> Column:
        """Return a column by name. Raises KeyError."""
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"The sheet {self.name} has no column {name}.") from None

    def has(self, name: str) -> bool:
        """Say whether the sheet has a column of that name."""
        return name in self._by_name

    @property
    def body_column(self) -> str | None:
        """The column that names the body the row is about, if there is one."""
        return next((name for name in ("body_code", "about_body_code") if self.has(name)), None)

    @property
    def figure_columns(self) -> tuple[str, ...]:
        """Every column that some figure set fills, in form order."""
        used = {name for figures in self.figure_sets.values() for name in figures.columns}
        return tuple(name for name in self.column_names if name in used)

    @property
    def is_broken_down(self) -> bool:
        """Say whether rows may be broken down by crime type or characteristic."""
        return self.has("crime_type") and self.has("characteristic")


@dataclass(frozen=True)
class Form:
    """One kind and version of return. Dates are about the period that a return reports, both included.

    frequency: the kind of period that a return is for. cycle: whether it is due with the returns of the
    period (reporting), with its joint local review (review), or at no date (none). timing: whether it is sent
    after its period, or already while the period runs (during).
    """

    kind: str
    version: int
    title: str
    description: str
    basis: str
    valid_from: date
    valid_to: date | None
    frequency: str
    cycle: str
    sheets: tuple[Sheet, ...]
    timing: str = "after"

    def sheet(self, name: str) -> Sheet:
        """Return a sheet by name. Raises KeyError."""
        for sheet in self.sheets:
            if sheet.name == name:
                return sheet
        raise KeyError(f"The form {self.kind} version {self.version} has no sheet {name}.")

    @property
    def cover(self) -> Sheet:
        """The sheet of fields."""
        return self.sheet("cover")

    @property
    def tables(self) -> tuple[Sheet, ...]:
        """The sheets that are tables, in form order."""
        return tuple(sheet for sheet in self.sheets if sheet.layout == "table")

    @property
    def nil_fields(self) -> Mapping[str, str]:
        """Cover field that declares a sheet empty -> name of that sheet."""
        return {sheet.nil_reason: sheet.name for sheet in self.tables if sheet.nil_reason}

    @property
    def has_due_date(self) -> bool:
        """Say whether a return is due at a date, and may be late or missing."""
        return self.cycle != "none"

    def due_on(self, period: Period, cycle: Cycle) -> date | None:
        """Return the last day on which a return for the period is on time; None if it is due at no date."""
        if self.cycle == "reporting":
            return cycle.returns_due_on(period)
        return cycle.review_due_on(period) if self.cycle == "review" else None

    def in_force(self, day: date) -> bool:
        """Say whether the form may be used for a period that this day belongs to."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Forms:
    """All forms, by kind and version."""

    forms: tuple[Form, ...]

    def __iter__(self) -> Iterator[Form]:
        """Yield the forms by kind, then version."""
        return iter(self.forms)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind there is a form for."""
        return tuple(sorted({form.kind for form in self.forms}))

    def versions(self, kind: str) -> tuple[int, ...]:
        """Every version there is of a kind, ascending."""
        return tuple(form.version for form in self.forms if form.kind == kind)

    def get(self, kind: str, version: int) -> Form | None:
        """Return the form of a kind and version, or None."""
        return next((form for form in self.forms if form.kind == kind and form.version == version), None)

    def for_date(self, kind: str, day: date) -> Form | None:
        """Return the latest version of a kind that is in force on a day, or None."""
        in_force = [form for form in self.forms if form.kind == kind and form.in_force(day)]
        return in_force[-1] if in_force else None

    def reporting_periods(self, kind: str, start: date, through: date) -> list[Period]:
        """Return the periods that returns of a kind are for, each as long as the form in force then says.

        The first is the one that `start` falls in, the last the last that has ended on `through`. A time
        without a form has none.
        """
        periods = []
        day = start
        while day <= through:
            form = self.for_date(kind, day)
            if form is None:
                later = [f.valid_from for f in self.forms if f.kind == kind and f.valid_from > day]
                if not later:
                    break
                day = min(later)
                continue
            period = Period.of(day, form.frequency)
            if period.last_day > through:
                break
            periods.append(period)
            day = period.last_day + timedelta(days=1)
        return periods


def load_forms(forms_dir: Path | str = FORMS_DIR) -> Forms:
    """Read every *.yml of a folder. Raises FormError, naming the file and the place, on the first fault."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    forms = []
    for path in sorted(Path(forms_dir).glob("*.yml")):
        try:
            document = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
        except yaml.YAMLError as error:
            raise FormError(f"{path.name} is not valid YAML: {' '.join(str(error).split())}.") from error
        form = _Reader(path.name).form(document)
        expected = f"{form.kind}_v{form.version}.yml"
        if path.name != expected:
            raise FormError(f"{path.name} holds {form.kind} version {form.version}; name it {expected}.")
        forms.append(form)
    if not forms:
        raise FormError(f"There is no form in {forms_dir}; expected files such as quarterly_v1.yml.")
    return Forms(tuple(sorted(forms, key=lambda form: (form.kind, form.version))))


class _Reader:
    """Turns one parsed YAML document into a Form, or says precisely what is wrong with it."""

    def __init__(self, file_name: str) -> None:
        self.file_name = file_name

    def fail(self, where: str, what: str) -> FormError:
        return FormError(f"{self.file_name}, {where}: {what}.")

    def mapping(
        self, value: Any, where: str, needs: tuple[str, ...], may_have: tuple[str, ...]
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.fail(where, "expected keys with values")
        for key in needs:
            if key not in value:
                raise self.fail(where, f"the key {key} is missing")
        for key in value:
            if key not in needs + may_have:
                raise self.fail(
                    where, f"the key {key!r} is not known; known are {', '.join(needs + may_have)}"
                )
        return value

    def text(self, value: Any, where: str) -> str:
        # YAML reads an unquoted yes, no or on as a truth value; that is the mistake met most often here.
        if not isinstance(value, str) or not value.strip():
            raise self.fail(where, f"expected text, found {value!r}; put it in quotes")
        return value

    def one_of(self, value: Any, allowed: tuple[str, ...], where: str) -> str:
        if value not in allowed:
            raise self.fail(where, f"{value!r} is not one of {', '.join(allowed)}")
        return str(value)

    def texts(self, value: Any, where: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise self.fail(where, "expected a list that is not empty")
        texts = tuple(self.text(item, where) for item in value)
        if len(set(texts)) != len(texts):
            raise self.fail(where, "an entry stands twice")
        return texts

    def day(self, value: Any, where: str) -> date:
        if type(value) is not date:
            raise self.fail(where, f"expected a date such as 2024-04-01, found {value!r}")
        return value

    def form(self, document: Any) -> Form:
        top = self.mapping(
            document,
            "top level",
            (
                "kind",
                "version",
                "title",
                "description",
                "basis",
                "valid_from",
                "frequency",
                "cycle",
                "sheets",
            ),
            ("valid_to", "timing"),
        )
        version = top["version"]
        if type(version) is not int or version < 1:
            raise self.fail("version", f"expected a whole number from 1, found {version!r}")
        valid_from = self.day(top["valid_from"], "valid_from")
        valid_to = None if top.get("valid_to") is None else self.day(top["valid_to"], "valid_to")
        if valid_to is not None and valid_to < valid_from:
            raise self.fail("valid_to", "is before valid_from")
        if not isinstance(top["sheets"], list) or not top["sheets"]:
            raise self.fail("sheets", "expected a list that is not empty")
        sheets = tuple(self.sheet(entry, f"sheet {number}") for number, entry in enumerate(top["sheets"], 1))
        names = [sheet.name for sheet in sheets]
        if len(set(names)) != len(names):
            raise self.fail("sheets", "two sheets have the same name")
        for name in set(names).intersection(HELPER_SHEETS):
            raise self.fail(f"sheet {name}", "a template adds a sheet of that name; choose another")
        form = Form(
            kind=self.text(top["kind"], "kind"),
            version=version,
            title=self.text(top["title"], "title"),
            description=self.text(top["description"], "description"),
            basis=self.text(top["basis"], "basis"),
            valid_from=valid_from,
            valid_to=valid_to,
            frequency=self.one_of(top["frequency"], FREQUENCIES, "frequency"),
            cycle=self.one_of(top["cycle"], CYCLES, "cycle"),
            sheets=sheets,
            timing=self.one_of(top.get("timing", "after"), TIMINGS, "timing"),
        )
        self.cover(form)
        self.dates(form)
        return form

    def cover(self, form: Form) -> None:
        covers = [sheet for sheet in form.sheets if sheet.layout == "fields"]
        if [sheet.name for sheet in covers] != ["cover"]:
            raise self.fail("sheets", "expected exactly one sheet of layout fields, named cover")
        if form.sheets[0] is not covers[0]:
            raise self.fail("sheets", "the cover must stand first: it says how the others are read")
        for name in COVER_FIELDS:
            if not covers[0].has(name):
                raise self.fail("sheet cover", f"the field {name} is missing")
        for nil_field in form.nil_fields:
            if not covers[0].has(nil_field):
                raise self.fail(
                    "sheet cover", f"the field {nil_field} is missing, which a sheet names as nil_reason"
                )

    def dates(self, form: Form) -> None:
        """A form comes into force, and ends, between two periods of its frequency, never within one."""
        if Period.of(form.valid_from, form.frequency).first_day != form.valid_from:
            raise self.fail("valid_from", f"is not the first day of a {form.frequency} of the financial year")
        if form.valid_to and Period.of(form.valid_to, form.frequency).last_day != form.valid_to:
            raise self.fail("valid_to", f"is not the last day of a {form.frequency} of the financial year")

    def sheet(self, entry: Any, where: str) -> Sheet:
        values = self.mapping(
            entry,
            where,
            ("name", "title", "description", "layout", "columns"),
            (
                "key",
                "information",
                "answers",
                "nil_reason",
                "prefilled",
                "figures",
                "not_collected",
                "stated",
            ),
        )
        name = self.text(values["name"], f"{where}, name")
        where = f"sheet {name}"
        layout = self.one_of(values["layout"], LAYOUTS, f"{where}, layout")
        if not isinstance(values["columns"], list) or not values["columns"]:
            raise self.fail(f"{where}, columns", "expected a list that is not empty")
        columns = tuple(self.column(column, where) for column in values["columns"])
        names = [column.name for column in columns]
        if len(set(names)) != len(names):
            raise self.fail(f"{where}, columns", "two columns have the same name")
        stored = [column.stored_as for column in columns]
        if len(set(stored)) != len(stored):
            raise self.fail(f"{where}, columns", "two columns are stored under the same name")
        for taken in {"receipt_id", "row_number"}.intersection(stored):
            raise self.fail(f"{where}, columns", f"{taken} is added to every row; set another stored_as")

        def known(value: Any, at: str) -> str:
            if value not in names:
                raise self.fail(f"{where}, {at}", f"{value!r} is not a column of the sheet")
            return str(value)

        for column in columns:
            if column.required_when is not None:
                known(column.required_when.column, f"column {column.name}, required_when")
            for columns_and_values in column.restricted.values():
                for other in columns_and_values:
                    known(other, f"column {column.name}, restricted")
        key: tuple[str, ...] = ()
        if layout == "table":
            key = tuple(known(item, "key") for item in self.texts(values.get("key"), f"{where}, key"))
        prefilled: tuple[str, ...] = ()
        if "prefilled" in values:
            given = self.texts(values["prefilled"], f"{where}, prefilled")
            prefilled = tuple(known(item, "prefilled") for item in given)
        chosen_by, figure_sets = self.figures(values.get("figures"), where, known)
        stated = values.get("stated")
        if stated is not None:
            stated = self.mapping(stated, f"{where}, stated", ("cases", "base"), ())
        nil_reason = values.get("nil_reason")
        return Sheet(
            name=name,
            title=self.text(values["title"], f"{where}, title"),
            description=self.text(values["description"], f"{where}, description"),
            layout=layout,
            columns=columns,
            key=key,
            information=values.get("information"),
            answers=known(values["answers"], "answers") if "answers" in values else None,
            nil_reason=None if nil_reason is None else self.text(nil_reason, f"{where}, nil_reason"),
            figures_chosen_by=chosen_by,
            figure_sets=figure_sets,
            not_collected=known(values["not_collected"], "not_collected")
            if "not_collected" in values
            else None,
            cases_stated=known(stated["cases"], "stated, cases") if stated else None,
            base_stated=known(stated["base"], "stated, base") if stated else None,
            prefilled=prefilled,
        )

    def figures(self, value: Any, where: str, known: Any) -> tuple[str | None, dict[str, FigureSet]]:
        if value is None:
            return None, {}
        where = f"{where}, figures"
        if not isinstance(value, dict) or "chosen_by" not in value or len(value) < 2:
            raise self.fail(where, "expected chosen_by and at least one set of columns")
        sets = {}
        for name, entry in value.items():
            if name == "chosen_by":
                continue
            parts = self.mapping(entry, f"{where}, {name}", ("needs",), ("may_have",))
            needs = tuple(
                known(c, f"figures, {name}") for c in self.texts(parts["needs"], f"{where}, {name}")
            )
            extra = parts.get("may_have")
            may_have = tuple(known(c, f"figures, {name}") for c in self.texts(extra, where)) if extra else ()
            sets[str(name)] = FigureSet(str(name), needs, may_have)
        return self.text(value["chosen_by"], f"{where}, chosen_by"), sets

    def column(self, entry: Any, where: str) -> Column:
        values = self.mapping(
            entry,
            f"{where}, a column",
            ("name", "type", "description"),
            ("required", "required_when", "unit", "codes", "codes_from", "also", "restricted", "stored_as"),
        )
        name = self.text(values["name"], f"{where}, a column's name")
        where = f"{where}, column {name}"
        type_ = self.one_of(values["type"], TYPES, f"{where}, type")
        required = values.get("required", False)
        if type(required) is not bool:
            raise self.fail(f"{where}, required", "expected true or false")
        codes = self.texts(values["codes"], f"{where}, codes") if "codes" in values else ()
        codes_from = values.get("codes_from")
        if codes_from is not None:
            self.one_of(codes_from, CODE_SETS, f"{where}, codes_from")
        if (type_ == "code") != (bool(codes) != (codes_from is not None)):
            raise self.fail(
                where, "a code needs codes or codes_from (one of them), and no other type has either"
            )
        when = None
        if "required_when" in values:
            parts = values["required_when"]
            if not isinstance(parts, dict) or len(parts) != 1 or next(iter(parts)) not in ("blank", "filled"):
                raise self.fail(f"{where}, required_when", "expected blank: COLUMN or filled: COLUMN")
            state, column = next(iter(parts.items()))
            when = RequiredWhen(self.text(column, f"{where}, required_when"), is_blank=state == "blank")
        restricted: dict[str, dict[str, tuple[str, ...]]] = {}
        for code, columns in (values.get("restricted") or {}).items():
            if not isinstance(columns, dict) or not columns:
                raise self.fail(f"{where}, restricted", "expected CODE: {COLUMN: [VALUES]}")
            restricted[str(code)] = {
                str(other): self.texts(allowed, f"{where}, restricted") for other, allowed in columns.items()
            }
        return Column(
            name=name,
            type=type_,
            description=self.text(values["description"], f"{where}, description"),
            required=required,
            required_when=when,
            unit=None if values.get("unit") is None else self.text(values["unit"], f"{where}, unit"),
            codes=codes,
            codes_from=codes_from,
            also=self.texts(values["also"], f"{where}, also") if "also" in values else (),
            restricted=restricted,
            stored_as=self.text(values["stored_as"], f"{where}, stored_as") if "stored_as" in values else "",
        )
