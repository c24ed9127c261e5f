"""What is planted in the sample, so that tests can ask whether it comes out. Data first, look-ups after.

Each plant sits on a body of its own, so that no two disturb one another; the rights of that body which are
not named stay ordinary. Expected states and results are written out by hand, not computed: they are the
independent statement that the marts are compared with. They hold for a history that starts with the
first of `QUARTERS` and receives every return that is not planted as missing, the secretariat's among them:
a case that is closed (ingest/synthetic/board.py) counts as closed from the quarter after the latest one whose
local review was over on that day.
"""

from __future__ import annotations

from dataclasses import dataclass, field

QUARTERS = ("2025-26-Q1", "2025-26-Q2", "2025-26-Q3", "2025-26-Q4", "2026-27-Q1", "2026-27-Q2")

# Letters for one quarter of a plant: (state, result).
STORY = {
    "c": ("NOT_MET", "CLEAR"),
    "s": ("MET", "SEVERE"),
    "P": ("MET", "SEVERE_PERSISTENT"),
    "B": ("MET", "SEVERE_PERSISTENT_BRIDGED"),
    "r": ("NOT_MET", "RESET"),
    "i": ("NOT_MET", "PERSISTENT_IMPROVING"),
    "e": ("NOT_MET", "ELIGIBLE_TO_CLOSE"),
    "p": ("NOT_SUBMITTED", "SEVERE_PENDING"),
    "u": ("NOT_SUBMITTED", "PERSISTENT_UNASSESSED"),
    "n": ("NOT_SUBMITTED", "NOT_ASSESSED"),
    "N": ("NOT_SUBMITTED", "NON_SUBMISSION"),
    "t": ("TOO_FEW", "NOT_ASSESSED"),
    "R": ("MET", "REOPENED"),
}
RECOMMENDED = {"SEVERE_PERSISTENT", "SEVERE_PERSISTENT_BRIDGED", "NON_SUBMISSION", "REOPENED"}


@dataclass(frozen=True)
class Figure:
    """An override of one figure: a rate to draw from, or exact cases and met; `excluded` is a share of cases.

    `is_sampled` makes the body audit thirty cases of this metric in every quarter, planted or not.

    For a feedback question `met` is the number of answers that count as good (for a question of polarity
    `lower`, the answers that do not report the difficulty).
    """

    item_id: str
    quarters: tuple[int, ...]
    rate: float | None = None
    cases: int | None = None
    met: int | None = None
    excluded: float | None = None
    is_sampled: bool = False


@dataclass(frozen=True)
class Plant:
    """One planted truth about a body and, where `right_number` is given, one of its rights.

    `story` has one letter per quarter of QUARTERS. Without a right it holds for every right of the body, and
    says only in which quarters the body is submitted (c) or not. `indicators` are those that must be met (at
    least) wherever the state is MET; `is_s4_met` is None where the right has no delivery item for the body.
    """

    plant_id: str
    kind: str
    body_kind: str
    pfa_code: str
    story: str
    says: str
    right_number: int | None = None
    item_id: str | None = None
    indicators: tuple[str, ...] = ()
    is_s4_met: bool | None = None
    figures: tuple[Figure, ...] = ()
    # delivery item -> (grade or None to leave it as drawn, whether there is an improvement plan)
    delivery: dict[str, tuple[int, bool]] = field(default_factory=dict)
    delivery_quarters: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    needs_all_areas: bool = False
    detail: dict[str, object] = field(default_factory=dict)


ALL = (0, 1, 2, 3, 4, 5)

PLANTS: tuple[Plant, ...] = (
    # --- severe in two consecutive quarters --------------------------------------------------------------
    Plant(
        plant_id="s1-middle",
        kind="severe_persistent",
        body_kind="police",
        pfa_code="E23000012",
        story="ccsPie",
        says="Crime report numbers sent in time in 3 of 10 cases for two quarters, then as elsewhere.",
        right_number=3,
        item_id="r03_s01_crn_5wd",
        indicators=("S1",),
        is_s4_met=False,
        figures=(Figure("r03_s01_crn_5wd", (2, 3), rate=0.30),),
        delivery={"r03_d01": (2, True)},
    ),
    Plant(
        plant_id="s1-current",
        kind="severe_persistent",
        body_kind="police",
        pfa_code="E23000037",
        story="ccccsP",
        says="Case outcomes given in time in 3 of 10 cases in the last two quarters.",
        right_number=9,
        item_id="r09_s02_outcome_1wd",
        indicators=("S1",),
        is_s4_met=None,
        figures=(Figure("r09_s02_outcome_1wd", (4, 5), rate=0.30),),
    ),
    Plant(
        plant_id="s2-middle",
        kind="severe_persistent",
        body_kind="police",
        pfa_code="E23000020",
        story="csPiec",
        says="Needs assessed in 60% of cases, above the threshold but far below like areas; closed since.",
        right_number=4,
        item_id="r04_s05_needs_assessed",
        indicators=("S2",),
        is_s4_met=False,
        figures=(Figure("r04_s05_needs_assessed", (1, 2), rate=0.60),),
        delivery={"r04_d01": (2, True)},
        needs_all_areas=True,
    ),
    Plant(
        plant_id="s2-current",
        kind="severe_persistent",
        body_kind="cps",
        pfa_code="E23000010",
        story="cccsPP",
        says="Expenses paid in time in 60% of claims for three quarters, far below like areas.",
        right_number=10,
        item_id="r10_s02_expenses_10wd",
        indicators=("S2",),
        is_s4_met=None,
        figures=(Figure("r10_s02_expenses_10wd", (3, 4, 5), rate=0.60),),
        needs_all_areas=True,
    ),
    Plant(
        plant_id="s3-middle",
        kind="severe_persistent",
        body_kind="police",
        pfa_code="E23000035",
        story="cccsPi",
        says="One victim in six calls the information about the investigation good.",
        right_number=6,
        item_id="r06_f01",
        indicators=("S3",),
        is_s4_met=False,
        figures=(Figure("r06_f01", (3, 4), rate=0.17),),
        delivery={"r06_d01": (2, True)},
    ),
    Plant(
        plant_id="s3-current",
        kind="severe_persistent",
        body_kind="cps",
        pfa_code="E23000016",
        story="ccccsP",
        says="One victim in eight calls the information about the trial clear; under a hundred answers.",
        right_number=8,
        item_id="r08_f01",
        indicators=("S3",),
        is_s4_met=False,
        figures=(Figure("r08_f01", (4, 5), rate=0.12),),
        delivery={"r08_d01": (2, True)},
    ),
    Plant(
        plant_id="s1-national-force",
        kind="severe_persistent",
        body_kind="btp",
        pfa_code="NAT",
        story="sPiecc",
        says="A national force has no like areas: referrals in time in 3 of 10, by S1 alone; closed since.",
        right_number=4,
        item_id="r04_s03_referral_2wd",
        indicators=("S1",),
        is_s4_met=False,
        figures=(Figure("r04_s03_referral_2wd", (0, 1), rate=0.30),),
        delivery={"r04_d01": (2, True)},
    ),
    Plant(
        plant_id="s1-youth-teams",
        kind="severe_persistent",
        body_kind="yjs",
        pfa_code="E23000004",
        story="cccsPi",
        says="All youth offending teams of the area together reach a fifth of the victims they should.",
        right_number=11,
        item_id="r11_s04_yot_progress",
        indicators=("S1",),
        is_s4_met=False,
        figures=(Figure("r11_s04_yot_progress", (3, 4), rate=0.18),),
        delivery={"r11_d01": (2, True)},
    ),
    Plant(
        plant_id="persistent-then-missing",
        kind="persistent_unassessed",
        body_kind="police",
        pfa_code="E23000038",
        story="sPiuee",
        says="Severe twice, better, then no return: the missing quarter neither helps nor resets.",
        right_number=7,
        item_id="r07_s01_vps_offered",
        indicators=("S1",),
        is_s4_met=False,
        figures=(Figure("r07_s01_vps_offered", (0, 1), rate=0.12),),
        delivery={"r07_d01": (2, True)},
    ),
    Plant(
        plant_id="closed-then-severe",
        kind="reopened",
        body_kind="police",
        pfa_code="E23000009",
        story="sPieRi",
        says="Severe twice and better for two quarters, so the case was closed; severe again in the next.",
        right_number=3,
        item_id="r03_s01_crn_5wd",
        indicators=("S1",),
        is_s4_met=False,
        figures=(Figure("r03_s01_crn_5wd", (0, 1, 4), rate=0.30),),
        delivery={"r03_d01": (2, True)},
    ),
    # --- severe, but not twice in a row ------------------------------------------------------------------
    Plant(
        plant_id="severe-once",
        kind="severe_once",
        body_kind="courts",
        pfa_code="E23000005",
        story="ccsrcc",
        says="Court results passed on in time in 3 of 10 cases, in one quarter only.",
        right_number=8,
        item_id="r08_s05_court_to_wcu_5wd",
        indicators=("S1",),
        is_s4_met=False,
        figures=(Figure("r08_s05_court_to_wcu_5wd", (2,), rate=0.30),),
        delivery={"r08_d01": (2, True)},
    ),
    Plant(
        plant_id="severe-once-latest",
        kind="severe_once",
        body_kind="police",
        pfa_code="E23000007",
        story="cccccs",
        says="Hearing dates given in time in 3 of 10 cases in the latest quarter, with no plan to improve.",
        right_number=8,
        item_id="r08_s02_hearing_1wd",
        indicators=("S1",),
        is_s4_met=True,
        figures=(Figure("r08_s02_hearing_1wd", (5,), rate=0.30),),
        delivery={"r08_d01": (2, False)},
    ),
    Plant(
        plant_id="two-different-metrics",
        kind="severe_once",
        body_kind="police",
        pfa_code="E23000031",
        story="cssrcc",
        says="Two quarters in a row on the same right, but each on another metric: not persistent.",
        right_number=6,
        item_id="r06_s02_nfa_letters_ontime",
        indicators=("S1",),
        is_s4_met=False,
        figures=(
            Figure("r06_s02_nfa_letters_ontime", (1,), rate=0.30),
            Figure("r06_s07_police_updates_ontime", (2,), rate=0.30),
        ),
        delivery={"r06_d01": (2, True)},
        detail={"second_item_id": "r06_s07_police_updates_ontime"},
    ),
    # --- small numbers -----------------------------------------------------------------------------------
    Plant(
        plant_id="unlucky-appeals",
        kind="unlucky_small_sample",
        body_kind="police",
        pfa_code="E23000003",
        story="cccccc",
        says="5 of 11 appeals notified in time, twice: below the threshold, but chance alone can do that.",
        right_number=9,
        item_id="r09_s04_appeal_ontime",
        indicators=(),
        is_s4_met=None,
        figures=(Figure("r09_s04_appeal_ontime", (1, 2), cases=11, met=5),),
    ),
    Plant(
        plant_id="unlucky-contacts",
        kind="unlucky_small_sample",
        body_kind="probation",
        pfa_code="E23000013",
        story="cccccc",
        says="5 of 11 first contacts in time, then 6 of 13: few cases, below the threshold, not significant.",
        right_number=11,
        item_id="r11_s02_vlo_contact_20wd",
        indicators=(),
        is_s4_met=False,
        figures=(
            Figure("r11_s02_vlo_contact_20wd", (2,), cases=11, met=5),
            Figure("r11_s02_vlo_contact_20wd", (3,), cases=13, met=6),
        ),
        delivery={"r11_d01": (2, True)},
    ),
    Plant(
        plant_id="unlucky-audit",
        kind="unlucky_small_sample",
        body_kind="police",
        pfa_code="E23000017",
        story="cccccc",
        says="13 of 28 in an audit of thirty cases, then 12 of 27: below the threshold, within chance of it.",
        right_number=8,
        item_id="r08_s07_bail_outcome_ontime_enh",
        indicators=(),
        is_s4_met=False,
        figures=(
            Figure("r08_s07_bail_outcome_ontime_enh", (3,), cases=28, met=13, is_sampled=True),
            Figure("r08_s07_bail_outcome_ontime_enh", (4,), cases=27, met=12, is_sampled=True),
        ),
        delivery={"r08_d01": (2, True)},
    ),
    Plant(
        plant_id="unlucky-answers",
        kind="unlucky_small_sample",
        body_kind="cps",
        pfa_code="E23000002",
        story="cccccc",
        says="4 of 14 answers are good, below the threshold for feedback, twice in a row.",
        right_number=8,
        item_id="r08_f01",
        indicators=(),
        is_s4_met=False,
        figures=(Figure("r08_f01", (3, 4), cases=14, met=4),),
        delivery={"r08_d01": (2, True)},
    ),
    Plant(
        plant_id="too-few",
        kind="too_few",
        body_kind="prisons",
        pfa_code="E23000008",
        story="tttttt",
        says="One update in six given, but fewer than ten cases on every metric and question of the right.",
        right_number=11,
        item_id="r11_s03_vcs_updates",
        indicators=(),
        is_s4_met=False,
        figures=(
            Figure("r11_s03_vcs_updates", ALL, cases=6, met=1),
            Figure("r11_f01", ALL, cases=4, met=0),
            Figure("r11_f02", ALL, cases=5, met=1),
        ),
        delivery={"r11_d01": (2, True)},
    ),
    # --- returns that do not come ------------------------------------------------------------------------
    Plant(
        plant_id="missing-once",
        kind="missing_once",
        body_kind="police",
        pfa_code="E23000024",
        story="cccncc",
        says="No return for one quarter: not submitted, never a pass.",
    ),
    Plant(
        plant_id="missing-twice",
        kind="non_submission",
        body_kind="police",
        pfa_code="E23000026",
        story="ccccnN",
        says="No return for the last two quarters: escalated for that alone.",
    ),
    Plant(
        plant_id="bridged",
        kind="severe_bridged",
        body_kind="police",
        pfa_code="E23000022",
        story="cspBie",
        says="Severe, then no return, then severe: the missing quarter does not break the run.",
        right_number=8,
        item_id="r08_s06_bail_outcome_ontime",
        indicators=("S1",),
        is_s4_met=False,
        figures=(Figure("r08_s06_bail_outcome_ontime", (1, 3), rate=0.28),),
        delivery={"r08_d01": (2, True)},
    ),
    Plant(
        plant_id="rejected",
        kind="rejected",
        body_kind="prisons",
        pfa_code="W15000003",
        story="ccnccc",
        says="The return is rejected and not sent again: not submitted.",
        detail={"rule_group": "figures"},
    ),
    Plant(
        plant_id="rejected-corrected",
        kind="rejected_then_corrected",
        body_kind="police",
        pfa_code="E23000030",
        story="cccccc",
        says="The first file is rejected, a corrected one is accepted.",
        detail={"rule_group": "shape"},
    ),
    Plant(
        plant_id="london-incomplete",
        kind="sender_missing",
        body_kind="cps",
        pfa_code="E23000001",
        story="ccccnc",
        says="One of the two senders is missing: the area's figures are incomplete.",
    ),
    Plant(
        plant_id="london-incomplete-city",
        kind="sender_missing",
        body_kind="cps",
        pfa_code="E23000034",
        story="ccccnc",
        says="The same sender also holds part of the City's cases.",
    ),
    Plant(
        plant_id="youth-team-missing-large",
        kind="youth_team_missing",
        body_kind="yjs",
        pfa_code="E23000028",
        story="ccnccc",
        says="A youth offending team with a third of the cases is missing: the area is not submitted.",
        detail={"missing_body_code": "yjs-thurrock"},
    ),
    Plant(
        plant_id="youth-team-missing-small",
        kind="youth_team_missing",
        body_kind="yjs",
        pfa_code="E23000001",
        story="cccccc",
        says="A small youth offending team is missing: enough cases are in, the area is assessed.",
        detail={"missing_body_code": "yjs-bexley"},
    ),
    # --- returns that come late or twice -----------------------------------------------------------------
    Plant(
        plant_id="late",
        kind="late",
        body_kind="police",
        pfa_code="E23000039",
        story="cccccc",
        says="The return arrives four working days after the due date and counts.",
    ),
    Plant(
        plant_id="revised",
        kind="revised",
        body_kind="police",
        pfa_code="E23000019",
        story="cccccc",
        says="The first file had met and not met swapped on one metric; the second one is current.",
        right_number=8,
        item_id="r08_s01_hearing_informed",
        indicators=(),
        is_s4_met=None,
        detail={"swapped_item_id": "r08_s01_hearing_informed"},
    ),
    # --- signs that are not severe by themselves ---------------------------------------------------------
    Plant(
        plant_id="no-process",
        kind="low_grade",
        body_kind="police",
        pfa_code="E23000036",
        story="cccccc",
        says="The needs assessment process is drafted but not in use; the figures are ordinary.",
        right_number=4,
        item_id="r04_d01",
        indicators=("S4",),
        is_s4_met=True,
        figures=(),
        delivery={"r04_d01": (1, True)},
    ),
    Plant(
        plant_id="many-exclusions",
        kind="many_exclusions",
        body_kind="police",
        pfa_code="E23000025",
        story="cccccc",
        says="Nearly half of the victims are left out as not suitable; the rate itself is ordinary.",
        right_number=7,
        item_id="r07_s01_vps_offered",
        indicators=(),
        is_s4_met=False,
        figures=(Figure("r07_s01_vps_offered", (3, 4, 5), excluded=0.45),),
        delivery={"r07_d01": (2, True)},
    ),
)

# What becomes of a sender's return for a quarter, where it is not simply sent in time.
MISSING = "missing"
LATE = "late"
REVISED = "revised"
REJECTED = "rejected"
CORRECTED = "corrected"
FATES: dict[tuple[str, str], str] = {
    ("E23000024-police", QUARTERS[3]): MISSING,
    ("E23000026-police", QUARTERS[4]): MISSING,
    ("E23000026-police", QUARTERS[5]): MISSING,
    ("E23000022-police", QUARTERS[2]): MISSING,
    ("E23000038-police", QUARTERS[3]): MISSING,
    ("cps-london-south", QUARTERS[4]): MISSING,
    ("yjs-thurrock", QUARTERS[2]): MISSING,
    ("yjs-bexley", QUARTERS[2]): MISSING,
    ("W15000003-prisons", QUARTERS[2]): REJECTED,
    ("E23000030-police", QUARTERS[1]): CORRECTED,
    ("E23000019-police", QUARTERS[3]): REVISED,
    ("E23000039-police", QUARTERS[2]): LATE,
}
LATE_WORKING_DAYS = 4
SWAPPED_ITEM = "r08_s01_hearing_informed"

_FIGURES: dict[tuple[str, str, str, str], Figure] = {
    (plant.body_kind, plant.pfa_code, figure.item_id, QUARTERS[index]): figure
    for plant in PLANTS
    for figure in plant.figures
    for index in figure.quarters
}
_TOUCHED: dict[tuple[str, str, str], bool] = {
    (plant.body_kind, plant.pfa_code, figure.item_id): figure.is_sampled
    for plant in PLANTS
    for figure in plant.figures
}
_DELIVERY: dict[tuple[str, str, str, str], tuple[int, bool]] = {
    (plant.body_kind, plant.pfa_code, item_id, QUARTERS[index]): given
    for plant in PLANTS
    for item_id, given in plant.delivery.items()
    for index in plant.delivery_quarters
}


def figure_for(body_kind: str, pfa_code: str, item_id: str, period_code: str) -> Figure | None:
    """The planted figure of a metric or question in one quarter, if there is one."""
    return _FIGURES.get((body_kind, pfa_code, item_id, period_code))


def is_touched(body_kind: str, pfa_code: str, item_id: str) -> bool:
    """Whether a plant rests on this metric or question in any quarter: it is then always collected."""
    return (body_kind, pfa_code, item_id) in _TOUCHED


def is_sampled(body_kind: str, pfa_code: str, item_id: str) -> bool:
    """Whether a touched metric is audited on thirty cases; otherwise it is a census."""
    return _TOUCHED.get((body_kind, pfa_code, item_id), False)


def delivery_for(body_kind: str, pfa_code: str, item_id: str, period_code: str) -> tuple[int, bool] | None:
    """The planted (grade, has a plan) of a delivery item in one quarter, if there is one."""
    return _DELIVERY.get((body_kind, pfa_code, item_id, period_code))


def fate_of(sender_code: str, period_code: str) -> str | None:
    """What becomes of a return that is not simply sent in time: one of the words above, or None."""
    return FATES.get((sender_code, period_code))
