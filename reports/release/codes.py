"""What the codes in the files mean: one table of reference for all of them."""

from __future__ import annotations

import duckdb

from reports.release.columns import OBS_NOTE, PUBLISHED_AS
from reports.release.publication import PublicColumn, PublicTable

CODES = "codes"

_COLUMNS = (
    PublicColumn("column", "Column of the files that holds the code.", "VARCHAR"),
    PublicColumn("code", "Code as it stands in that column.", "VARCHAR"),
    PublicColumn("code_name", "Code in words.", "VARCHAR"),
    PublicColumn("meaning", "What it says of a row, where the words alone do not tell.", "VARCHAR"),
    PublicColumn("sort_order", "Order of the codes within their column.", "INTEGER"),
)

_NOTES = {
    "p": ("Provisional", "May be corrected in a later release"),
    "r": ("Revised", "Corrected since it was first published"),
}
_FORMS = {
    "value": ("Value", "A whole percent, or a count to the nearest 5"),
    "about": ("About", "A rate to the nearest 10 percent, because the base is small"),
    "band": ("Band", "A rate as a band, because no rate may be given"),
    "base": ("Base only", "Only the cases are given, no rate"),
    "suppressed": ("Suppressed", "Nothing is given"),
}
# How victims were asked stands in two columns: in breakdowns, among the ways of choosing cases.
_WAYS_OF_ASKING = (
    ("online", "Online", None),
    ("telephone", "By telephone", None),
    ("postal", "By post", None),
    ("face_to_face", "Face to face", None),
    ("mixed", "In several ways", None),
)
_NONE = ("none", "None", "There is no figure")
_LISTS: dict[str, tuple[tuple[str, str, str | None], ...]] = {
    "unit": (
        ("proportion", "Proportion", "Cases met of the cases that count"),
        ("count", "Count", "A number of cases, victims or events"),
        ("counts_by_delay", "Counts by delay", "Cases by the time they took"),
        ("grade_0_3", "Grade", "A body's grade of its own process, from 0 to 3"),
    ),
    "information": (
        ("statistic", "Statistic", "From the records of the bodies"),
        ("feedback", "Feedback", "From victims who were asked"),
        ("delivery", "Delivery", "From the bodies' grades of their own processes"),
    ),
    "collection_mode": (
        ("census", "Census", "Every case was looked at"),
        ("random_sample", "Random sample", "Cases drawn at random were looked at"),
        ("purposive_sample", "Purposive sample", "Cases chosen for a purpose were looked at"),
        *_WAYS_OF_ASKING,
        _NONE,
    ),
    "sampling_frame": (
        ("all_cases", "All cases", None),
        ("recent_cases", "Recent cases", None),
        ("finalised_cases", "Finalised cases", None),
        ("respondents", "Respondents", "Victims who were asked and answered"),
        _NONE,
    ),
    "survey_mode": (*_WAYS_OF_ASKING, _NONE),
    "collected_by": (
        ("own", "The bodies themselves", None),
        ("survey", "The national survey", None),
        _NONE,
    ),
    "area_kind": (
        ("police_area", "Police force area", None),
        ("national_force", "National force", "A force without an area of its own"),
    ),
    "breakdown": (
        ("crime_type", "Offence group", None),
        ("age", "Age", None),
        ("age_child_adult", "Age: child or adult", None),
        ("disability", "Disability", None),
        ("ethnicity", "Ethnicity", None),
        ("gender_reassignment", "Gender reassignment", None),
        ("marriage_and_civil_partnership", "Marriage and civil partnership", None),
        ("pregnancy_and_maternity", "Pregnancy and maternity", None),
        ("religion_or_belief", "Religion or belief", None),
        ("sex", "Sex", None),
        ("sexual_orientation", "Sexual orientation", None),
    ),
    "tier": (
        ("core", "Core", None),
        ("ambition", "Ambition", None),
        ("legacy_2019_20", "Audit of 2019 to 2020", None),
    ),
    "basis": (
        ("code", "Victims' Code", "Taken from the Code"),
        ("policy_paper", "Policy paper", "Taken from the policy paper on the compliance framework"),
        ("prescribed", "Prescribed", "Taken from a prescribed form"),
        ("proposed", "Proposed", "Proposed here; in none of them"),
    ),
    "group_kind": (
        ("criminal_justice_board", "Criminal justice board", None),
        ("cps_area", "Area of the Crown Prosecution Service", None),
        ("hmcts_region", "Region of HM Courts and Tribunals Service", None),
        ("probation_region", "Probation region", None),
        ("region", "Region", "A region of England, or Wales"),
        ("country", "Country", "England or Wales"),
        ("nation", "Nation", "England and Wales"),
        ("like_areas", "Like areas", "Areas most like the one whose code stands as group_code"),
    ),
    "lowest_grade": (
        ("0", "Absent", None),
        ("1", "Drafted but not in use", None),
        ("2", "In use", None),
        ("3", "In use and reviewed", None),
    ),
    "notice_scope": (
        ("single", "Single", "About one body in one area"),
        ("joint", "Joint", "About several bodies or areas"),
    ),
    "notice_status": (
        ("published", "Published", None),
        ("plan_due", "Plan due", "The recipient's plan is awaited"),
        ("plan_overdue", "Plan overdue", "The day for the recipient's plan has gone by"),
        ("plan_published", "Plan published", None),
        ("update_due", "Update due", "An update on the plan is due"),
        ("closed", "Closed", None),
    ),
    "polarity": (
        ("higher", "Higher is better", None),
        ("lower", "Lower is better", None),
        ("contextual", "Context", "Neither higher nor lower is better"),
    ),
}


def read_codes(con: duckdb.DuckDBPyConnection) -> PublicTable:
    """The codes of every coded column with their meanings, by column and order."""
    statuses = con.execute(
        "select obs_status, obs_status_name, meaning from reference.observation_statuses"
        " order by instr('cxzw', obs_status)"
    ).fetchall()
    kinds = con.execute(
        "select body_kind, body_kind_name, null from reference.body_kinds order by sort_order, body_kind"
    ).fetchall()
    entries: list[tuple[str, str, str, str | None]] = [
        *(("obs_status", *status) for status in statuses),
        *(("obs_note", code, *_NOTES[code]) for code in OBS_NOTE),
        *(("published_as", code, *_FORMS[code]) for code in PUBLISHED_AS),
        *(("body_kind", *kind) for kind in kinds),
        *((column, *code) for column, listed in _LISTS.items() for code in listed),
    ]
    within: dict[str, int] = {}
    rows = []
    for entry in entries:
        within[entry[0]] = within.get(entry[0], 0) + 1
        rows.append((*entry, within[entry[0]]))
    return PublicTable(
        name=CODES,
        mart="reference.observation_statuses",
        title="Codes",
        description="One row a column x code. What each code in the files means.",
        columns=_COLUMNS,
        primary_key=("column", "code"),
        rows=tuple(sorted(rows, key=lambda row: (row[0], row[4]))),
    )
