from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from return_files import COUNT, SENDER, ReturnFile

from ingest.acceptance import Verdict, check_file
from ingest.acceptance.found import MAX_PROBLEMS_PER_RULE
from ingest.clock import FixedClock
from ingest.form import Forms
from ingest.reference import Reference

Judged = Callable[..., Verdict]
CLOCK = FixedClock(datetime(2025, 7, 15, tzinfo=UTC))


def test_the_text_says_counts_first_then_groups_by_rule(good: ReturnFile, judged: Judged) -> None:
    for row in good["metrics"]:
        row["collection_mode"] = "cens2s"
    good.row("metrics", metric_id=COUNT)["count"] = "-1"
    good.cover["remark"] = "none"
    text = judged(good, SENDER).to_text()
    lines = text.splitlines()
    assert lines[0] == "REJECTED: 4 errors, 1 warning."
    assert "period 2025-26-Q1" in lines[1]
    assert lines[2] == "Rows read: metrics 3, feedback 6, delivery 6."
    assert text.index("SHAPE-004 error, 3 places") < text.index("FIGURES-001 error, 1 place")
    assert text.index("FIGURES-001 error") < text.index("SHAPE-007 warning")
    assert "  - metrics, row 2, count: found -1; expected a number from 0" in lines


def test_only_the_first_twenty_of_a_rule_are_shown(good: ReturnFile, judged: Judged) -> None:
    total = good.row("metrics", metric_id=COUNT)
    good["metrics"].extend(dict(total, crime_type=f"VAP{n}", count="1") for n in range(30))
    verdict = judged(good, SENDER)
    lines = verdict.to_text().splitlines()
    assert verdict.counts["SHAPE-004"] == 30
    assert len([line for line in lines if "crime_type: found VAP" in line]) == 20
    assert "  - and 10 more" in lines


def test_places_that_differ_in_their_row_alone_are_told_together(good: ReturnFile, judged: Judged) -> None:
    total = good.row("metrics", metric_id=COUNT)
    for n in range(2_500):  # rows 5 to 2504
        good["metrics"].append(dict(total, crime_type=("VAP1", "VAP2", "VAP1", "VAP3")[n % 4], count="1"))
    verdict = judged(good, SENDER)
    lines = verdict.to_text().splitlines()
    assert lines[0] == "REJECTED: 2,500 errors, 0 warnings."
    told = [line.partition("; expected")[0] for line in lines if line.startswith("  - ")]
    first = ", ".join(str(row) for row in range(5, 25, 2))
    second = ", ".join(str(row) for row in range(6, 46, 4))
    assert told[:2] == [
        f"  - metrics, rows {first} and 490 more, crime_type: found VAP1",
        f"  - metrics, rows {second} and 240 more, crime_type: found VAP2",
    ]
    assert told[3] == "  - and 1,500 more"  # of 1,000 that are kept, all are told


def test_runs_of_rows_are_shortened(good: ReturnFile, judged: Judged) -> None:
    for place in (0, 1, 3, 4, 5):
        good["feedback"][place]["survey_mode"] = "pigeon"
    text = judged(good, SENDER).to_text()
    assert "  - feedback, rows 2, 3, 5 to 7, survey_mode: found text of 6 characters; expected one of" in text


def test_many_rules_are_listed_with_their_counts_first(good: ReturnFile, judged: Judged) -> None:
    for row in good["feedback"]:
        row["survey_mode"] = "pigeon"
    few = judged(good, SENDER, name="few").to_text()
    assert "How many, by rule:" not in few
    good.cover["remark"] = "none"
    good["delivery"][0]["grade"] = "9"
    good.row("metrics", metric_id=COUNT)["count"] = "-1"
    lines = judged(good, SENDER, name="many").to_text().splitlines()
    place = lines.index("How many, by rule:")
    assert lines[place + 1 : place + 5] == [
        "  1  SHAPE-003 error: A cell is not of the type of its column.",
        "  6  SHAPE-004 error: A code is not on the form's list.",
        "  1  FIGURES-001 error: A figure is negative.",
        "  1  SHAPE-007 warning: A column (or a line of the cover) is not part of the form; it is not read.",
    ]


def test_a_flood_of_problems_is_counted_but_not_all_kept(good: ReturnFile, judged: Judged) -> None:
    total = good.row("metrics", metric_id=COUNT)
    flood = MAX_PROBLEMS_PER_RULE + 5
    good["metrics"].extend(dict(total, crime_type="X1", count="1") for _ in range(flood))
    verdict = judged(good, SENDER)
    assert verdict.counts["SHAPE-004"] == flood
    assert sum(p.rule_code == "SHAPE-004" for p in verdict.problems) == MAX_PROBLEMS_PER_RULE
    assert verdict.count("error") == verdict.problem_count


def test_json_holds_the_same_verdict(good: ReturnFile, judged: Judged) -> None:
    good.row("metrics", metric_id=COUNT)["count"] = "-1"
    verdict = judged(good, SENDER)
    told = json.loads(verdict.to_json())
    assert told["outcome"] == "rejected"
    assert told["counts"] == {"FIGURES-001": 1}
    assert told["rows_accepted"] == {"metrics": 0, "feedback": 0, "delivery": 0}
    assert told["problems"][0]["remedy"].startswith("Write the number of cases")


@pytest.mark.parametrize(("spoil", "code"), [(None, 0), ("-1", 1)])
def test_exit_codes(good: ReturnFile, judged: Judged, spoil: str | None, code: int) -> None:
    if spoil:
        good.row("metrics", metric_id=COUNT)["count"] = spoil
    assert judged(good, SENDER).exit_code == code


def test_a_file_that_cannot_be_read_exits_with_2(tmp_path: Path, reference: Reference, forms: Forms) -> None:
    (tmp_path / "r.xlsx").write_bytes(b"")
    verdict = check_file(tmp_path / "r.xlsx", SENDER, reference, forms, CLOCK)
    assert verdict.exit_code == 2
    assert verdict.to_text().startswith("REJECTED: 1 error")


def test_checking_a_file_judges_it_as_of_now(
    tmp_path: Path, good: ReturnFile, reference: Reference, forms: Forms
) -> None:
    path = good.zip(tmp_path / "r.zip")
    assert check_file(path, SENDER, reference, forms, CLOCK).outcome == "accepted"
    late = FixedClock(datetime(2025, 12, 1, tzinfo=UTC))
    assert check_file(path, SENDER, reference, forms, late).outcome == "accepted_with_warnings"


def test_checking_loads_nothing_heavy(project_folder: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys; import ingest.acceptance, ingest.reference, ingest.form, ingest.clock; "
        "print([m for m in ('pandas', 'pyarrow', 'dagster', 'duckdb', 'numpy', 'holidays') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project_folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_unknown_sender_is_named(
    good: ReturnFile, tmp_path: Path, reference: Reference, forms: Forms
) -> None:
    path = good.zip(tmp_path / "r.zip")
    with pytest.raises(
        ValueError, match=r"'yjs-barnsly' is no sender's code; perhaps yjs-barnsley is meant\."
    ):
        check_file(path, "yjs-barnsly", reference, forms, CLOCK)
    assert check_file(path, SENDER, reference, forms, CLOCK).is_accepted
