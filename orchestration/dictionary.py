"""The data dictionary: what every mart and reference table holds, for whom, and how its measures combine.

Written from dbt's manifest and the seed `measures`. What belongs here: reading both, and the page
docs/data-dictionary.md. What does not: what a table means (the yml beside the model says so). Nothing here
imports Dagster.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.files import replacing

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "data-dictionary.md"
MEASURES = PROJECT / "dbt_project" / "seeds" / "measures.csv"
COMMAND = "make docs"

#: Owner as the models' `meta` names it -> who that is, and what the owner answers for.
OWNERS: Mapping[str, str] = {
    "analysts": "MoJ analysts: what the figures mean and how they are made",
    "secretariat": "Programme Board secretariat: what is put before the Board and what it decided",
    "data_engineers": "MoJ data engineers: what arrived, and what was wrong with it",
    "publication": "MoJ statistics publication: what may leave the department",
}

NUMERIC = ("bigint", "integer", "smallint", "double")
IDENTIFIER = "identifier"
_BETTER = {
    "higher": "higher is better",
    "lower": "lower is better",
    "by_metric": "better as the metric's polarity says",
    "neither": "",
}


INTRODUCTION = """\
Every mart, its grain, key, owner and columns, and every reference table: what analysts find in
`warehouse/serving/current`. Written by `make docs` from the models' own descriptions and from
`reference.measures`; do not edit it. How to ask: [analyst guide](analyst-guide.md); how figures are
made: [methods](methods.md).

A figure *adds up* over what its column says and over nothing else: a case may be counted under
several metrics, so nothing adds up over metrics. Rates never add up and are never averaged: sum the
counts and divide.
"""


class DictionaryError(ValueError):
    """A table or measure is not described as every reader needs it; the message says which and how."""


@dataclass(frozen=True)
class Measure:
    """What a numeric column of the marts measures; one name means the same in every mart."""

    column_name: str
    unit: str
    better: str
    additive_over: tuple[str, ...]
    how_to_combine: str

    @property
    def is_identifier(self) -> bool:
        """Whether the number only names something."""
        return self.unit == IDENTIFIER

    @property
    def sentence(self) -> str:
        """Unit, polarity and additivity in words; empty for an identifier."""
        if self.is_identifier:
            return ""
        combined = (
            f"adds up over {' and '.join(self.additive_over)}: {self.how_to_combine}"
            if self.additive_over
            else f"does not add up: {self.how_to_combine}"
        )
        return "; ".join(filter(None, (f"Unit: {self.unit}", _BETTER[self.better], combined))) + "."


def load_measures(path: Path = MEASURES) -> dict[str, Measure]:
    """Return column name -> measure, from the seed. Raises DictionaryError on a word it does not know."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    measures = {}
    for row in rows:
        over = tuple(word for word in row["additive_over"].split(";") if word != "none")
        if row["better"] not in _BETTER or not set(over) <= {"areas", "quarters"}:
            raise DictionaryError(f"{path.name}: {row['column_name']} has a word that is not known: {row}.")
        measures[row["column_name"]] = Measure(
            row["column_name"], row["unit"], row["better"], over, row["how_to_combine"]
        )
    return measures


def grain_and_purpose(description: str) -> tuple[str, str]:
    """Return a table's grain, the first sentence of its description, and its purpose, the rest of it."""
    grain, _, purpose = " ".join(description.split()).partition(". ")
    return grain.rstrip(".") + ".", purpose


def marts_of(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the marts of a dbt manifest, in order of name."""
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    return sorted((node for node in models if node["schema"] == "marts"), key=lambda node: str(node["name"]))


def owner_of(node: Mapping[str, Any]) -> str:
    """Return a mart's owner. Raises DictionaryError if it has none that is known."""
    owner = str(node["config"]["meta"].get("owner"))
    if owner not in OWNERS:
        raise DictionaryError(
            f"{node['original_file_path']}: name its owner in config.meta, one of {', '.join(OWNERS)}."
        )
    return owner


def key_of(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of a mart's key. Raises DictionaryError if it names none."""
    key = node["config"]["meta"].get("key")
    if not key:
        raise DictionaryError(f"{node['original_file_path']}: name the columns of its key in config.meta.")
    return tuple(key)


def dictionary_page(manifest: Mapping[str, Any], measures: Mapping[str, Measure]) -> str:
    """Return docs/data-dictionary.md as text. Raises DictionaryError on a mart or measure not described."""
    marts = marts_of(manifest)
    reference = sorted(
        (node for node in manifest["nodes"].values() if node["resource_type"] == "seed"),
        key=lambda node: str(node["name"]),
    )
    parts = [
        "# Data dictionary\n",
        INTRODUCTION,
        "## Owners\n",
        _table(("owner", "who"), [(f"`{owner}`", who) for owner, who in OWNERS.items()]),
        "## Marts\n",
        _table(
            ("mart", "owner", "for"),
            [
                (
                    f"[`{node['name']}`](#{node['name']})",
                    f"`{owner_of(node)}`",
                    grain_and_purpose(node["description"])[1],
                )
                for node in marts
            ],
        ),
        *(_mart(node, measures) for node in marts),
        "## Reference tables\n",
        _table(
            ("table", "what it holds"),
            [(f"`{node['name']}`", " ".join(node["description"].split())) for node in reference],
        ),
    ]
    return "\n".join(parts)


def _mart(node: Mapping[str, Any], measures: Mapping[str, Measure]) -> str:
    grain, purpose = grain_and_purpose(node["description"])
    rows = []
    for column in node["columns"].values():
        name, kind = str(column["name"]), str(column["data_type"])
        if kind in NUMERIC and name not in measures:
            raise DictionaryError(f"{node['name']}.{name} is not in {MEASURES.name}; add its row.")
        said = measures[name].sentence if kind in NUMERIC else ""
        rows.append((f"`{name}`", kind, " ".join(filter(None, (column["description"], said)))))
    key = ", ".join(f"`{name}`" for name in key_of(node))
    return "\n".join(
        (
            f"### {node['name']}\n",
            f"{grain} {purpose}\n",
            f"Key: {key}. Owner: `{owner_of(node)}`.\n",
            _table(("column", "type", "meaning"), rows),
        )
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    lines += [
        f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with --check say whether it is stale; the exit code is 1 if it is."""
    # orchestration.dbt imports Dagster, which only the command needs
    from orchestration.dbt import ensure_manifest, read_json

    page = dictionary_page(read_json(ensure_manifest(PROJECT / "dbt_project")), load_measures())
    if "--check" in (sys.argv[1:] if arguments is None else arguments):
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
            return 0
        print(f"{PAGE.name} is not what the models say; run `{COMMAND}`.", file=sys.stderr)
        return 1
    with replacing(PAGE) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
