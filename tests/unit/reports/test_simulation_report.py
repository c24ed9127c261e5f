"""What a simulation found, counted and written: whole folders, the same bytes, nothing of a sender's unescaped."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reports import labels
from reports.simulation import (
    FILES,
    Simulation,
    changes,
    documents,
    summary_json,
    tallies,
    write_simulation,
)


def result(
    area: str, quarter: str, then: str, now: str, right: int = 2, kind: str = "police"
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "body_kind": kind, "pfa_code": area, "area_name": f"Area <{area}>", "right_number": right,
        "right_title": "To be heard", "period_code": quarter, "quarter_index": int(quarter[-1]), "rule_version_then": 0,
    }  # fmt: skip
    for when, code in (("then", then), ("now", now)):
        severe = code in ("SEVERE", "SEVERE_PERSISTENT")
        row[f"result_{when}"] = code
        row[f"state_{when}"] = "MET" if severe else "NOT_MET"
        row[f"is_recommended_{when}"] = code == "SEVERE_PERSISTENT"
        row[f"indicators_met_{when}"] = "S1: m1" if severe else None
    return row


def rule(parameter: str, then: float | None, now: float | None, metric: str | None = None) -> dict[str, Any]:
    return {
        "parameter": parameter, "metric_id": metric, "definition": "Crimes & records" if metric else None,
        "value_then": then, "value_now": now, "number_value": now, "text_value": None,
        "basis": None if now is None else "proposed", "origin": "left out" if now is None else "proposed",
        "is_changed": then != now,
    }  # fmt: skip


def expected(scale: float) -> dict[str, Any]:
    return {
        "setting": "normal spread", "tests_met": scale, "tests_met_twice": scale / 2,
        "recommended": (0.0, scale, scale), "rights": 2 * scale, "areas": scale,
    }  # fmt: skip


P, S, C = "SEVERE_PERSISTENT", "SEVERE", "CLEAR"
SIMULATION = Simulation(
    name="stricter.csv",
    table_hash="0123456789ab",
    version_in_force=0,
    proposed_version=1,
    is_whole=False,
    rules=[rule("n_min", 10.0, 20.0), rule("s1_z", 1.6, 1.6), rule("threshold", 0.5, None, "m1")],
    results=[
        result("A", "2026-27-Q1", S, S),
        result("B", "2026-27-Q1", C, S),
        result("C", "2026-27-Q1", C, C, right=4, kind="cps"),
        result("A", "2026-27-Q2", P, P),
        result("B", "2026-27-Q2", C, P),
        result("C", "2026-27-Q2", P, C, right=4, kind="cps"),
    ],
    indicators=[
        {"indicator": "S1", "is_met_then": True, "is_met_now": True},
        {"indicator": "S1", "is_met_then": False, "is_met_now": True},
        {"indicator": "S2", "is_met_then": True, "is_met_now": False},
    ],
    s2_tests={"2026-27-Q2": ([(-3.09, True, 0.01), (-3.09, False, 0.9)], [(-4.0, False, 0.5)])},
    expected_then=[expected(4.0)],
    expected_now=[expected(1.0)],
    histories=50,
    notes=("Then: version 0.",),
)


def rows(name: str, simulation: Simulation = SIMULATION) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(documents(simulation)[name].decode("utf-8"), newline="")))


def counted(measure: str, breakdown: str) -> dict[str, tuple[int, ...]]:
    return {
        t.code: (t.then, t.now, t.both, t.new, t.dropped)
        for t in tallies(SIMULATION)
        if (t.measure, t.breakdown) == (measure, breakdown)
    }


def test_flags_are_counted_in_all_and_by_quarter_right_and_body() -> None:
    assert counted("recommended", "all") == {"": (2, 2, 1, 1, 1)}
    assert counted("recommended", "quarter") == {"2026-27-Q1": (0,) * 5, "2026-27-Q2": (2, 2, 1, 1, 1)}
    assert counted("recommended", "right") == {"2": (1, 2, 1, 1, 0), "4": (1, 0, 0, 0, 1)}
    assert counted("recommended", "body_kind") == {"police": (1, 2, 1, 1, 0), "cps": (1, 0, 0, 0, 1)}
    assert counted("severe", "quarter") == {"2026-27-Q1": (1, 2, 1, 1, 0), "2026-27-Q2": (2, 2, 1, 1, 1)}
    assert counted("indicator_met", "indicator") == {"S1": (1, 2, 1, 1, 0), "S2": (1, 0, 0, 0, 1)}


def test_new_and_dropped_are_those_recommended_under_one_only() -> None:
    assert [row["pfa_code"] for row in changes(SIMULATION, "new")] == ["B"]
    assert [row["pfa_code"] for row in changes(SIMULATION, "dropped")] == ["C"]


def test_the_csv_holds_every_row_marked_with_its_change() -> None:
    found = rows("flags.csv")
    assert [row["change"] for row in found] == ["none", "none", "none", "both", "new", "dropped"]
    assert {row["marking"] for row in found} == {labels.MARKING}
    assert {row["marking"] for row in rows("summary.csv")} == {labels.MARKING}
    assert {row["marking"] for row in rows("expected.csv")} == {labels.MARKING}


def test_the_rules_as_used_leave_out_what_is_not_set() -> None:
    found = rows("rules.csv")
    assert [(row["parameter"], row["number_value"], row["value_in_force"]) for row in found] == [
        ("n_min", "20", "10"),
        ("s1_z", "1.6", "1.6"),
    ]


def test_expected_false_flags_stand_for_both() -> None:
    found = {(row["source"], row["measure"]): (row["then"], row["now"]) for row in rows("expected.csv")}
    assert found["histories", "recommended_quarter_2"] == ("4.0", "1.0")
    assert found["p_values", "s2_tests"] == ("2", "1")
    # two tests at a limit of -3.09, of which 0.1% each fall below by chance: 0.001 * 2
    assert float(found["p_values", "s2_by_chance"][0]) == pytest.approx(0.002, abs=2e-5)
    assert found["p_values", "s2_false_at_most"] == ("0.01", "")


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.ids += [values["id"]] if values.get("id") else []  # type: ignore[list-item]
        if tag == "a":
            self.targets.append((values.get("href") or "").lstrip("#"))


def test_the_page_is_marked_escaped_and_leads_nowhere_else() -> None:
    text = documents(SIMULATION)["simulation.html"].decode("utf-8")
    page = Page()
    page.feed(text)
    assert text.count(labels.MARKING) >= 3
    assert "Area &lt;B&gt;" in text and "Area <" not in text
    assert set(page.targets) <= set(page.ids)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "T of Crimes &amp; records" in text and "not set" in text


def test_nothing_changed_is_said(tmp_path: Path) -> None:
    same = replace(
        SIMULATION,
        rules=[rule("n_min", 10.0, 10.0)],
        results=SIMULATION.results[:1],
        indicators=[],
        s2_tests={},
    )
    text = documents(same)["simulation.html"].decode("utf-8")
    assert "Nothing: every value is that of version 0" in text
    assert "No comparison with like areas could be made" in text


def test_the_json_holds_the_summary() -> None:
    document = json.loads(summary_json(SIMULATION))
    assert document["quarters"] == ["2026-27-Q1", "2026-27-Q2"]
    assert [line["parameter"] for line in document["changed_rules"]] == ["n_min", "threshold"]
    assert document["summary"][0] | {"name": ""} == {
        "measure": "recommended", "breakdown": "all", "code": "", "name": "", "then": 2, "now": 2, "both": 1,
        "new": 1, "dropped": 1,
    }  # fmt: skip


def test_the_folder_is_made_whole_and_the_same_again(tmp_path: Path) -> None:
    folder = tmp_path / "restricted" / "simulations" / "stricter-0123456789ab"
    assert write_simulation(SIMULATION, folder)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert sorted(before) == sorted(FILES)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not write_simulation(SIMULATION, folder)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before
    assert write_simulation(replace(SIMULATION, results=SIMULATION.results[:3]), folder)


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"thesis\.txt"):
        write_simulation(SIMULATION, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(ValueError, match="is a file"):
        write_simulation(SIMULATION, tmp_path / "thesis.txt")
