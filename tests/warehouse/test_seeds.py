"""Reference data: the facts that everything else stands on, and that the files agree with one another."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date

import pytest

from tests.warehouse.rendering import DBT

CITY, MET = "E23000034", "E23000001"


def seed_rows(name: str) -> list[dict[str, str]]:
    with (DBT / "seeds" / f"{name}.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def codes(name: str, column: str) -> set[str]:
    return {row[column] for row in seed_rows(name)}


@pytest.mark.parametrize(
    ("child", "column", "parent", "key"),
    [
        ("body_areas", "body_code", "bodies", "body_code"),
        ("body_areas", "pfa_code", "areas", "pfa_code"),
        ("body_kind_areas", "body_kind", "body_kinds", "body_kind"),
        ("body_kind_areas", "pfa_code", "areas", "pfa_code"),
        ("bodies", "body_kind", "body_kinds", "body_kind"),
        ("sender_bodies", "sender_code", "senders", "sender_code"),
        ("sender_bodies", "body_code", "bodies", "body_code"),
        ("sender_bodies", "pfa_code", "areas", "pfa_code"),
        ("similar_areas", "pfa_code", "areas", "pfa_code"),
        ("similar_areas", "peer_pfa_code", "areas", "pfa_code"),
        ("area_bridges", "pfa_code", "areas", "pfa_code"),
        ("local_policing_bodies", "pfa_code", "areas", "pfa_code"),
        ("local_policing_bodies", "lpb_code", "senders", "sender_code"),
        ("youth_offending_teams", "body_code", "bodies", "body_code"),
        ("metric_bodies", "metric_id", "metrics", "metric_id"),
        ("metric_bodies", "body_kind", "body_kinds", "body_kind"),
        ("metrics", "right_number", "rights", "right_number"),
        ("severe_thresholds", "metric_id", "metrics", "metric_id"),
        ("severe_thresholds", "rule_version", "severe_rules", "rule_version"),
        ("case_transitions", "from_state", "case_states", "state"),
        ("case_transitions", "to_state", "case_states", "state"),
    ],
)
def test_every_code_exists_where_it_is_defined(child: str, column: str, parent: str, key: str) -> None:
    # A sender may answer for every body, or every area.
    wildcard = {"ALL"} if child == "sender_bodies" and column != "sender_code" else set()
    assert codes(child, column) - codes(parent, key) == wildcard


def test_the_bodies_of_england_and_wales() -> None:
    kinds = Counter(row["body_kind"] for row in seed_rows("bodies"))
    # 43 areas; the City of London has no prison; 155 youth offending teams; two national forces
    assert kinds == {
        "police": 43,
        "cps": 43,
        "courts": 43,
        "prisons": 42,
        "probation": 43,
        "yjs": 155,
        "btp": 1,
        "mdp": 1,
    }
    assert len(codes("rights", "right_number")) == 12


def test_every_kind_of_body_has_an_answer_for_every_area() -> None:
    stated = {
        (row["body_kind"], row["pfa_code"]): row["applicability"] for row in seed_rows("body_kind_areas")
    }
    areas = codes("areas", "pfa_code") - {"NAT"}
    for kind in ("police", "cps", "courts", "prisons", "probation", "yjs"):
        assert {area for k, area in stated if k == kind} == areas
    assert {key for key, value in stated.items() if value == "not_applicable"} == {
        ("prisons", CITY),
        ("yjs", CITY),
    }


def test_expected_and_existing_bodies_agree() -> None:
    kind_of = {row["body_code"]: row["body_kind"] for row in seed_rows("bodies")}
    existing = {(kind_of[row["body_code"]], row["pfa_code"]) for row in seed_rows("body_areas")}
    expected = {
        (row["body_kind"], row["pfa_code"])
        for row in seed_rows("body_kind_areas")
        if row["applicability"] == "expected"
    }
    assert existing == expected


def test_shares_of_cases_add_up_to_one_in_each_area() -> None:
    kind_of = {row["body_code"]: row["body_kind"] for row in seed_rows("bodies")}
    totals: dict[tuple[str, str], float] = {}
    for row in seed_rows("body_areas"):
        key = kind_of[row["body_code"]], row["pfa_code"]
        totals[key] = totals.get(key, 0.0) + float(row["case_share"])
    assert all(total == pytest.approx(1.0, abs=1e-4) for total in totals.values())


def test_only_returns_that_report_name_each_body() -> None:
    for row in seed_rows("sender_bodies"):
        if row["form_kind"] in ("quarterly", "legacy_audit"):
            assert "ALL" not in (row["body_code"], row["pfa_code"]), row


def test_every_area_has_one_reviewer_who_answers_for_all_of_its_bodies() -> None:
    reviewed = [row for row in seed_rows("sender_bodies") if row["form_kind"] == "insight"]
    assert Counter(row["pfa_code"] for row in reviewed if row["pfa_code"] != "NAT") == dict.fromkeys(
        codes("areas", "pfa_code") - {"NAT"}, 1
    )
    assert {row["sender_code"]: row["body_code"] for row in reviewed if row["pfa_code"] == "NAT"} == {
        "BTPA": "BTP",
        "SSD": "MDP",
    }
    assert {row["body_code"] for row in reviewed if row["pfa_code"] != "NAT"} == {"ALL"}


def test_every_expected_body_has_a_sender_and_london_has_two_cps_areas() -> None:
    senders: dict[str, set[str]] = {}
    for row in seed_rows("sender_bodies"):
        if row["form_kind"] == "quarterly":
            senders.setdefault(row["body_code"], set()).add(row["sender_code"])
    assert set(senders) == codes("bodies", "body_code")
    doubled = {body for body, codes_ in senders.items() if len(codes_) > 1}
    assert doubled == {f"{MET}-cps", f"{CITY}-cps"}
    assert senders[f"{MET}-cps"] == {"cps-london-north", "cps-london-south"}
    assert len({code for codes_ in senders.values() for code in codes_}) == 43 + 14 + 7 + 42 + 12 + 155 + 2


def test_bridges_cover_every_area_once_but_for_the_london_cps_areas() -> None:
    areas = codes("areas", "pfa_code") - {"NAT"}
    bridges: dict[str, Counter[str]] = {}
    groups: dict[str, set[str]] = {}
    for row in seed_rows("area_bridges"):
        bridges.setdefault(row["bridge"], Counter())[row["pfa_code"]] += 1
        groups.setdefault(row["bridge"], set()).add(row["group_code"])
    assert {bridge: len(codes_) for bridge, codes_ in groups.items()} == {
        "cps_area": 14, "criminal_justice_board": 40, "hmcts_region": 7, "probation_region": 12, "region": 10,
    }  # fmt: skip
    for bridge, counts in bridges.items():
        assert set(counts) == areas
        assert {area for area, count in counts.items() if count > 1} == (
            {MET, CITY} if bridge == "cps_area" else set()
        )


def test_like_areas_are_seven_others_and_none_for_london() -> None:
    peers: dict[str, list[str]] = {}
    for row in seed_rows("similar_areas"):
        peers.setdefault(row["pfa_code"], []).append(row["peer_pfa_code"])
    assert set(peers) == codes("areas", "pfa_code") - {"NAT", MET, CITY}
    for area, listed in peers.items():
        assert len(set(listed)) == 7 and area not in listed


def test_only_scored_items_have_a_threshold_and_every_one_is_proposed() -> None:
    scored = {
        row["metric_id"]
        for row in seed_rows("metrics")
        if row["tier"] == "core"
        and row["polarity"] != "contextual"
        and row["information"] in ("statistic", "feedback")
    }
    thresholds = seed_rows("severe_thresholds")
    assert {row["metric_id"] for row in thresholds} == scored
    assert {row["basis"] for row in thresholds} == {"proposed"}
    assert all(0 < float(row["threshold"]) < 1 for row in thresholds)


def test_the_policy_paper_gives_three_rights_no_statistic() -> None:
    with_statistic = {
        int(row["right_number"])
        for row in seed_rows("metrics")
        if row["tier"] == "core" and row["information"] == "statistic" and row["polarity"] != "contextual"
    }
    assert with_statistic == set(range(1, 13)) - {1, 5, 12}


def test_statistics_set_no_state_but_two_and_end_no_case() -> None:
    states = seed_rows("case_states")
    assert {row["state"] for row in states if row["set_by"] == "statistics"} == {
        "detected",
        "eligible_to_close",
    }
    assert {row["state"] for row in states if row["is_closing"] == "true"} == {"closed", "data_error"}
    assert all((row["is_open"] == "true") is (row["is_closing"] == "false") for row in states)
    by_statistics = codes("case_transitions", "to_state") & {"detected", "eligible_to_close"}
    assert by_statistics == set()


def test_dates_run_forward() -> None:
    for path in (DBT / "seeds").glob("*.csv"):
        for row in seed_rows(path.stem):
            start, end = row.get("valid_from"), row.get("valid_to")
            if start and end:
                assert date.fromisoformat(start) <= date.fromisoformat(end), f"{path.stem}: {row}"
