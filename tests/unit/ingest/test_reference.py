from __future__ import annotations

import pickle
import shutil
from datetime import date
from pathlib import Path

import pytest

from ingest.period import Period
from ingest.reference import SEEDS_DIR, Reference, ReferenceDataError

DAY = date(2025, 6, 30)


def test_london_has_two_senders_for_one_body(reference: Reference) -> None:
    view = reference.on(DAY)
    both = {("E23000001-cps", "E23000001"), ("E23000034-cps", "E23000034")}
    assert set(view.served("cps-london-north", "quarterly")) == both
    assert set(view.served("cps-london-south", "quarterly")) == both


def test_who_is_expected_follows_from_the_dated_table(reference: Reference) -> None:
    senders = reference.on(DAY).expected_senders("quarterly")
    # 43 forces, 42 areas with a prison, 155 youth offending teams, 14 CPS Areas, 7 courts regions,
    # 12 probation regions, 2 national forces
    assert len(senders) == 43 + 42 + 155 + 14 + 7 + 12 + 2
    assert "E23000034-prisons" not in senders
    assert reference.on(date(2019, 6, 30)).expected_senders("quarterly") == ()


def test_what_is_not_in_force_is_not_there(reference: Reference) -> None:
    view = reference.on(DAY)
    assert "x_s01_bereaved_meeting" not in view.metrics  # an ambition, without a first day
    assert "l1_ack_yes" not in view.metrics
    assert "l1_ack_yes" in reference.on(date(2020, 3, 31)).metrics
    assert view.metrics_of("yjs", "statistic") == (
        "r09_s05_rj_engaged_n", "r11_s04_yot_progress", "r12_s00_complaints_n",
    )  # fmt: skip
    assert view.legacy_questions == {}
    assert len(reference.on(date(2020, 3, 31)).legacy_questions["q4_vps_taken"]) == 3


def test_codes_are_known_whatever_their_dates(reference: Reference) -> None:
    assert "x_s01_bereaved_meeting" in reference.codes("statistics")
    assert "l1_ack_yes" not in reference.codes("statistics")
    assert "VAP-HOM" not in reference.codes("crime_types")  # subgroups are not accepted in returns
    assert {"VAP", "UNK", "FRA"} <= reference.codes("crime_types")
    with pytest.raises(KeyError):
        reference.codes("people")


def test_a_copy_for_another_process_is_the_same(reference: Reference) -> None:
    reference.on(DAY)
    copy = pickle.loads(pickle.dumps(reference))
    assert copy.on(DAY).served("BTP", "quarterly") == (("BTP", "NAT"),)
    assert copy == reference


def _copy(tmp_path: Path) -> Path:
    folder = tmp_path / "seeds"
    shutil.copytree(SEEDS_DIR, folder)
    return folder


def test_a_faulty_seed_is_refused_with_file_and_row(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    text = (folder / "cycle_rules.csv").read_text()
    (folder / "cycle_rules.csv").write_text(text.replace("2025-04-01", "soon"))
    with pytest.raises(ReferenceDataError, match=r"cycle_rules\.csv, row 2"):
        Reference.load(folder)
    (folder / "cycle_rules.csv").write_text(text.replace("publish_at", "publish"))
    with pytest.raises(ReferenceDataError, match="no column publish_at"):
        Reference.load(folder)
    (folder / "cycle_rules.csv").unlink()
    with pytest.raises(ReferenceDataError, match="cannot be read"):
        Reference.load(folder)


def test_the_latest_cycle_rules_in_force_win(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    with (folder / "cycle_rules.csv").open("a") as stream:
        stream.write("1,2026-04-01,,prescribed,2025-04-01,20,15,10,09:30,90\n")
    reference = Reference.load(folder)
    assert reference.cycle_on(date(2026, 3, 31)).returns_due_working_days == 30
    assert reference.cycle_on(date(2026, 4, 1)).returns_due_working_days == 20
    with pytest.raises(ReferenceDataError, match="cycle_rules"):
        reference.cycle_on(date(2018, 1, 1))
    assert not reference.covers(date(2018, 1, 1))


def test_a_sender_may_answer_for_every_body_or_for_every_body_of_an_area(reference: Reference) -> None:
    view = reference.for_period(Period.parse("2025-26-Q1"))
    assert view.served("survey", "feedback") == tuple(
        sorted((b.body_code, b.pfa_code) for b in view.body_areas)
    )
    essex = view.served("E23000028-lpb", "insight")
    # Essex has a force, a CPS area, courts, prisons, probation and three youth offending teams.
    assert {area for _, area in essex} == {"E23000028"}
    assert {view.bodies[body].body_kind for body, _ in essex} == {
        "police", "cps", "courts", "prisons", "probation", "yjs",
    }  # fmt: skip
    assert view.served("BTPA", "insight") == (("BTP", "NAT"),)
    assert view.served("E23000028-lpb", "decisions") == ()
