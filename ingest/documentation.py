"""docs/returns.md, written from the forms, the reference data and the register of rules.

`python -m ingest.documentation` writes it, with `--check` it only says whether it is up to date. Belongs
here: how forms and rules read as a page. Does not: facts about them (ingest/forms, ingest/acceptance).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path

from ingest.acceptance.registry import GROUPS, RULES, Rule
from ingest.files import replacing
from ingest.form import Column, Form, Forms, Sheet, load_forms
from ingest.limits import Limits
from ingest.reference import Reference

PAGE = Path(__file__).resolve().parents[1] / "docs" / "returns.md"
COMMAND = "make docs"

INTRODUCTION = Path(__file__).with_name("returns_introduction.md")


def returns_page(forms: Forms, reference: Reference) -> str:
    """Return docs/returns.md as text."""
    parts = [
        INTRODUCTION.read_text(encoding="utf-8"),
        "## Kinds of return\n",
        _kinds(forms, reference),
        *(_form(form, forms) for form in forms),
        "## Code lists\n",
        "Areas, bodies, senders, metrics, questions and items are listed in `dbt_project/seeds`, each with\n"
        "the dates it is in force; a template has them as drop-downs. `ALL` stands on total rows.\n",
        _breakdowns(reference),
        "## Steps of a case\n",
        "What a decision may do with a case. A case starts as `detected`, which statistics set; `eligible\n"
        "to close` is theirs too, and changes nothing here. A `decisions` return is judged against all\n"
        "decisions accepted before, and when it is sent again against those of later quarters too.\n",
        _steps_of_a_case(reference),
        "## Acceptance rules\n",
        "An error rejects the return, a warning does not. The codes never change their meaning.\n",
        *(_rules(group) for group in GROUPS),
        "## Limits\n",
        "A file beyond these is refused before it is read, or its reading is stopped. Each is a setting:\n"
        "the environment variable `VCC_LIMIT_` and the name in capitals.\n",
        _table(("limit", "default"), _limits()),
    ]
    return "\n".join(parts)


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


_CYCLES = {
    "reporting": "with the returns of the period",
    "review": "with the joint review of the period",
    "none": "at no date",
}
_SENDERS = {
    "body": "body",
    "regional": "region that stands for several bodies",
    "reviewer": "local policing body or other reviewer",
    "secretariat": "Programme Board secretariat",
    "survey_contractor": "survey contractor",
    "ministry": "Ministry of Justice",
}


def _kinds(forms: Forms, reference: Reference) -> str:
    kind_of = {sender.sender_code: sender.sender_kind for sender in reference.senders}
    rows = []
    for kind in forms.kinds:
        form = forms.get(kind, forms.versions(kind)[-1])
        assert form is not None
        senders = {kind_of[row.sender_code] for row in reference.sender_bodies if row.form_kind == kind}
        rows.append(
            (
                f"`{kind}`",
                form.title,
                ", ".join(words for name, words in _SENDERS.items() if name in senders),
                form.frequency,
                _CYCLES[form.cycle],
                "while the period runs" if form.timing == "during" else "after the period",
            )
        )
    return _table(("kind", "what it is", "who sends it", "a return is for a", "due", "sent"), rows)


def _form(form: Form, forms: Forms) -> str:
    until = f" to {form.valid_to}" if form.valid_to else " on"
    lines = [
        f"### {form.title}: `{form.kind}`, version {form.version}\n",
        f"{form.description.strip()}",
        f"In force for periods from {form.valid_from}{until}; basis: {form.basis}.\n",
    ]
    earlier = forms.get(form.kind, form.version - 1)
    if earlier is not None:
        changes = list(_changes(earlier, form))
        lines.append(f"Against version {earlier.version}: {'; '.join(changes) or 'no change of columns'}.")
        lines.append("Every other sheet and column is as in that version.\n")
        known = {sheet.name for sheet in earlier.sheets}
        for sheet in form.sheets:
            if sheet.name not in known:
                lines += _sheet(sheet)
        return "\n".join(lines)
    for sheet in form.sheets:
        lines += _sheet(sheet)
    return "\n".join(lines)


def _changes(earlier: Form, form: Form) -> Iterator[str]:
    if earlier.frequency != form.frequency:
        yield f"a return is for a {form.frequency}, no longer for a {earlier.frequency}"
    before = {sheet.name: sheet for sheet in earlier.sheets}
    for sheet in form.sheets:
        if sheet.name not in before:
            yield f"the sheet `{sheet.name}` is new"
            continue
        old = {column.stored_as: column for column in before[sheet.name].columns}
        new = {column.stored_as: column for column in sheet.columns}
        for name, column in new.items():
            if name not in old:
                yield f"`{column.name}` is new in `{sheet.name}`"
            elif old[name].name != column.name:
                yield f"`{sheet.name}.{old[name].name}` is headed `{column.name}`"
        for name in old.keys() - new.keys():
            yield f"`{sheet.name}.{old[name].name}` is left out"


def _sheet(sheet: Sheet) -> Iterator[str]:
    yield f"**Sheet `{sheet.name}`.** {sheet.description}"
    if sheet.key:
        yield f"Key: {', '.join(sheet.key)}."
    yield ""
    rows = [(f"`{c.name}`", _type(c), _required(c), c.description) for c in sheet.columns]
    yield _table(("field" if sheet.layout == "fields" else "column", "type", "filled", "what it holds"), rows)
    if sheet.figure_sets:
        sets = [
            (f"`{figures.name}`", ", ".join(figures.needs), ", ".join(figures.may_have))
            for figures in sheet.figure_sets.values()
        ]
        yield _table((f"by {sheet.figures_chosen_by}", "needs", "may have"), sets)


def _type(column: Column) -> str:
    if column.type != "code":
        return f"{column.type} of {column.unit}" if column.unit and column.type == "count" else column.type
    codes = ", ".join(column.codes) if column.codes else f"list: {str(column.codes_from).replace('_', ' ')}"
    return f"code ({codes}{', ' if column.also else ''}{', '.join(column.also)})"


def _required(column: Column) -> str:
    if column.required:
        return "always"
    when = column.required_when
    if when is None:
        return "if there is something"
    return f"if {when.column} is {'blank' if when.is_blank else 'filled'}"


def _breakdowns(reference: Reference) -> str:
    groups = [
        (f"`{row.crime_type}`", row.crime_type_name, row.reporting)
        for row in reference.crime_types
        if row.reporting != "not_accepted"
    ]
    values: dict[str, list[str]] = {}
    for row in reference.characteristics:
        values.setdefault(row.characteristic, []).append(f"`{row.characteristic_value}` {row.label}")
    categories = [(f"`{name}`", "; ".join(labels)) for name, labels in values.items()]
    return "\n".join(
        [
            _table(("crime_type", "offence group", "reporting"), groups),
            _table(("characteristic", "categories"), categories),
        ]
    )


def _steps_of_a_case(reference: Reference) -> str:
    rows = [
        (
            f"`{step.from_state}`",
            f"`{step.to_state}`",
            ", ".join(f"`{role}`" for role in step.roles),
            "a notice that names the case" if step.needs else "",
            step.basis,
            f"{step.valid_from}{f' to {step.valid_to}' if step.valid_to else ' on'}",
        )
        for step in reference.case_transitions
    ]
    return _table(("from", "to", "may be decided by", "needs", "basis", "in force"), rows)


def _rules(group: str) -> str:
    rules: list[Rule] = sorted((r for r in RULES.values() if r.group == group), key=lambda rule: rule.code)
    rows = [
        (f"`{rule.code}`", "quarantine" if rule.quarantines else rule.severity, rule.message, rule.remedy)
        for rule in rules
    ]
    header = ("code", "severity", "what is wrong", "how to mend it")
    return f"### {group.capitalize()}\n\n{_table(header, rows)}"


def _limits() -> Iterator[tuple[str, str]]:
    defaults = Limits()
    for field in fields(Limits):
        value = getattr(defaults, field.name)
        yield f"`{field.name}`", f"{value:,}" if isinstance(value, int) else f"{value:g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with --check say whether it is stale; the exit code is 1 if it is."""
    # Importing judge fills the register of rules.
    import ingest.acceptance.judge  # noqa: F401

    page = returns_page(load_forms(), Reference.load())
    if "--check" in (sys.argv[1:] if arguments is None else arguments):
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
            return 0
        print(f"{PAGE.name} is not what the forms and rules say; run `{COMMAND}`.", file=sys.stderr)
        return 1
    with replacing(PAGE) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
