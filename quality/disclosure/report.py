"""The report of an audit, as JSON and as one page. Restricted: it names cells and what is possible of them.

No true count stands in it: a reader of the report learns which cells hang together, not what they hold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from quality.disclosure.audit import Audit
from quality.disclosure.mend import Suppression
from quality.disclosure.model import Finding

TEMPLATES = Path(__file__).parent / "templates"
MARKING = "OFFICIAL-SENSITIVE"
#: Rows of the findings' table on the page; the JSON has all.
SHOWN = 200
_METHODS = {
    "lp": "Bounds of the relaxation were too narrow",
    "integer": "Least and greatest whole number",
    "witness": "Tables found while asking about others",
    "undecided": "Not decided in time, so not passed",
}
_WHAT = {"base": "all cases", "met": "cases met", "unmet": "cases not met", "rate": "rate, percent"}


def audit_document(
    audit: Audit,
    suppressions: Iterable[Suppression] = (),
    added: Iterable[Suppression] = (),
    rounds: int = 1,
) -> dict[str, Any]:
    """The report as a JSON document. Only `seconds` differs between two audits of the same inputs.

    `suppressions` are all in force, `added` those that this audit asked for.
    """
    new = set(added)
    return {
        "release": audit.candidate,
        "passes": audit.passes,
        "releases": list(audit.releases),
        "exposed": list(audit.exposed),
        "failures": [_finding(finding) for finding in _sorted(audit.failures)],
        "narrowest": [asdict(found) for found in audit.narrowest],
        "findings_by_attacker": dict(audit.by_attacker),
        "findings_by_method": dict(audit.by_method),
        "clusters_by_size": {str(size): number for size, number in audit.clusters_by_size.items()},
        "clusters_judged": audit.clusters_judged,
        "clusters_carried_over": audit.clusters_carried_over,
        "is_everything": audit.is_everything,
        "exposed_together": [
            {"exposed": list(cluster.exposed), "known": list(cluster.sources)}
            for cluster in audit.exposed_clusters
        ],
        "relations_left_out": audit.relations_left_out,
        "relations_not_yet": audit.relations_not_yet,
        "inferences_left_out": audit.inferences_left_out,
        "numbers_by_table": dict(audit.numbers_by_table),
        "numbers_by_form": dict(audit.numbers_by_form),
        "withheld": [{**asdict(item), "is_new": item in new} for item in sorted(suppressions)],
        "rounds": rounds,
        "criteria": asdict(audit.criteria),
        "rule_versions": list(audit.rule_versions),
        "ledger_hash": audit.ledger_hash,
        "inputs_hash": audit.inputs_hash,
        "seconds": {name: round(value, 3) for name, value in audit.seconds.items()},
    }


def json_bytes(document: dict[str, Any]) -> bytes:
    """The document as UTF-8 text with sorted names."""
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    return f"{text}\n".encode()


def html_bytes(document: dict[str, Any]) -> bytes:
    """The document as one self-contained page."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    failures = document["failures"]
    failed_by = Counter(finding["attacker"] for finding in failures)
    page = environment.get_template("audit.html.j2").render(
        marking=MARKING,
        report=document,
        criteria=document["criteria"],
        seconds=document["seconds"]["in all"],
        numbers_by_table=_counts(document["numbers_by_table"]),
        numbers_by_form=_counts(document["numbers_by_form"]),
        clusters_by_size=_counts(document["clusters_by_size"]),
        attackers=[
            (attacker, f"{number:,}", f"{failed_by[attacker]:,}")
            for attacker, number in document["findings_by_attacker"].items()
        ],
        methods=[
            (_METHODS.get(name, name), f"{number:,}")
            for name, number in document["findings_by_method"].items()
        ],
        failures=[
            (*_named(finding["name"]), finding["attacker"], *_range(finding)) for finding in failures[:SHOWN]
        ],
        failures_left_out=max(0, len(failures) - SHOWN),
        narrowest=[
            (found["table_name"], *_named(found["name"]), found["attacker"], *_range(found))
            for found in document["narrowest"]
        ],
        withheld=[
            (item["cell_id"], item["level"], item["reason"], "now" if item["is_new"] else "earlier")
            for item in document["withheld"][:SHOWN]
        ],
        withheld_left_out=max(0, len(document["withheld"]) - SHOWN),
    )
    return page.encode("utf-8")


def _finding(finding: Finding) -> dict[str, Any]:
    """What is possible of a value; neither the true value nor the tables that prove it."""
    return {
        "name": finding.name,
        "attacker": finding.attacker,
        "low": finding.low,
        "high": finding.high,
        "values": finding.values,
        "method": finding.method,
    }


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.attacker, finding.name))


def _counts(numbers: dict[str, int]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), f"{number:,}") for name, number in numbers.items()]


def _named(name: str) -> tuple[str, str]:
    """Cell and what is known of it, from cell#measure@release."""
    cell, _, rest = name.partition("#")
    measure, _, release = rest.partition("@")
    return cell, f"{_WHAT.get(measure, measure)}, as published in {release}"


def _range(found: dict[str, Any]) -> Sequence[str]:
    least = "at least " if found.get("is_at_least") else ""
    return f"{found['low']:g}", f"{found['high']:g}", f"{least}{found['values']:,}"
