"""A narrative of the published figures that a local policing body may print or put on its own site.

Belongs here: words made from a release, published or drafted, and from nothing else. Does not belong here:
exact figures, flags, or anything of the warehouse.

What is said to differ does so by the published 95% intervals: two intervals that do not meet. That is a
stricter test than one at 95%, so what is not said here may still be true.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from markupsafe import Markup

from reports import labels
from reports.components.text import plain

MOST_SENTENCES = 5
_BODIES: Mapping[str, str] = {
    "police": "the police",
    "cps": "the Crown Prosecution Service",
    "courts": "the courts",
    "prisons": "prisons",
    "probation": "probation",
    "yjs": "youth offending teams",
    "btp": "the force",
    "mdp": "the force",
}

_FIGURES = """
    select
        figures.period_code, figures.body_kind, figures.area_code, figures.area_name, figures.right_number,
        figures.metric_id, coalesce(measures.measure_name, figures.metric_definition) as measure_name,
        figures.collection_mode, figures.sampling_frame,
        figures.case_count, figures.rate_percent, figures.rate_is_about, figures.rate_lower_percent,
        figures.rate_upper_percent, figures.published_as, figures.obs_status,
        catalogue.polarity, catalogue.version_count,
        beside.like_areas_published, beside.like_areas_rate_percent, beside.like_areas_lower_percent,
        beside.like_areas_upper_percent
    from local_compliance as figures
    left join measures on figures.metric_id = measures.metric_id
    left join (
        select metric_id, arg_max(polarity, metric_version) as polarity,
            count(*) as version_count
        from metric_catalogue group by metric_id
    ) as catalogue on figures.metric_id = catalogue.metric_id
    left join local_benchmarks as beside
        on figures.body_kind = beside.body_kind and figures.area_code = beside.area_code
        and figures.metric_id = beside.metric_id and figures.period_code = beside.period_code
        and figures.collection_mode = beside.collection_mode
        and figures.sampling_frame = beside.sampling_frame
    where figures.unit = 'proportion'
    order by figures.right_number, figures.body_kind, figures.metric_id, figures.collection_mode,
        figures.sampling_frame"""
_NOTICES = """
    select area_code, notice_id, body_kind, right_number, right_title, notice_status, published_on
    from notices
    where release_period_code = (select period_code from current) and published_on is not null
    order by published_on, notice_id"""


@dataclass(frozen=True)
class Narrative:
    """The narrative of one area: its paragraphs as text, and as a fragment of HTML.

    `text` has a blank line between paragraphs, `html` is semantic HTML without style, script or identifiers,
    closed in itself, to be put into any page below a heading of level 1.
    """

    area_code: str
    area_name: str
    text: str
    html: str

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The paragraphs one by one."""
        return tuple(self.text.split("\n\n"))


def narratives(connection: duckdb.DuckDBPyConnection, *, embargo: str | None = None) -> dict[str, Narrative]:
    """The narrative of every area of the newest release: {area code: narrative}.

    `connection` is one of `reports.published.open_published`. `embargo` is a sentence that heads every
    narrative of a release that is not published yet.
    """
    newest = _rows(connection, "select * from current")[0]
    quarters = [
        row["period_code"]
        for row in _rows(connection, "select period_code from releases order by period_code desc limit 2")
    ]
    by_area: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows(connection, _FIGURES):
        by_area[row["area_code"]][row["period_code"]].append(row)
    notices: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(connection, _NOTICES):
        notices[row["area_code"]].append(row)
    made = {}
    for area_code in sorted(by_area):
        now = by_area[area_code].get(newest["period_code"], [])
        if now:
            before = by_area[area_code].get(quarters[1], []) if len(quarters) > 1 else []
            made[area_code] = _narrative(newest, now, before, notices[area_code], embargo)
    return made


def _narrative(
    release: Mapping[str, Any],
    now: Sequence[Mapping[str, Any]],
    before: Sequence[Mapping[str, Any]],
    notices: Sequence[Mapping[str, Any]],
    embargo: str | None,
) -> Narrative:
    area_code, area_name = now[0]["area_code"], plain(now[0]["area_name"])
    is_force = any(row["body_kind"] in labels.NATIONAL_FORCES for row in now)
    where = f"by {area_name}" if is_force else f"in {area_name}"
    scored = [row for row in now if row["polarity"] == "higher"]
    given = [row for row in scored if row["rate_percent"] is not None]
    paragraphs: list[tuple[str, list[str]]] = []
    intro = (
        f"The Victims' Code gives victims of crime in England and Wales twelve rights. These figures show how"
        f" far it was followed {where} in {plain(release['period_label'])}."
    )
    paragraphs.append((intro, []))
    if is_force:
        chosen = sorted(given, key=lambda row: (-(row["case_count"] or 0), row["metric_id"]))
        paragraphs.append(
            (
                "A national force is not compared with police areas. Its figures on most cases were:",
                [f"{_name(row)}: {_rate(row)}" for row in chosen[:MOST_SENTENCES]],
            )
        )
    else:
        paragraphs.extend(_beside_like_areas(given))
    paragraphs.append(_changes(given, before))
    withheld = len(scored) - len(given)
    paragraphs.append(
        (
            f"{len(given)} of {len(scored)} rates are published."
            + (
                f" {withheld} {'is' if withheld == 1 else 'are'} not, to protect people where numbers are"
                " small, or because the figures were not collected or did not come."
                if withheld
                else ""
            ),
            [],
        )
    )
    if notices:
        paragraphs.append(
            (
                "Public notices on this area:",
                [
                    f"Notice {plain(row['notice_id'])} of {row['published_on']:%-d %B %Y} on right"
                    f" {row['right_number']}, {_lower_first(plain(row['right_title']))}"
                    + (" (closed)" if row["notice_status"] == "closed" else "")
                    for row in notices
                ],
            )
        )
    paragraphs.append(
        (
            "These are management information and their definitions are provisional. Counts are rounded."
            f" Source: Ministry of Justice, Victims' Code compliance, {release['period_code']} version"
            f" {release['version']}, Open Government Licence v3.0.",
            [],
        )
    )
    if embargo:
        paragraphs.insert(0, (embargo, []))
    heading = f"Victims' Code: {area_name}"
    return Narrative(area_code, area_name, _text(paragraphs), _html(heading, paragraphs, bool(embargo)))


def _beside_like_areas(given: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    compared = [row for row in given if row["like_areas_rate_percent"] is not None]
    above = [row for row in compared if row["rate_lower_percent"] > row["like_areas_upper_percent"]]
    below = [row for row in compared if row["rate_upper_percent"] < row["like_areas_lower_percent"]]
    if not compared:
        return [("No published rate can be compared with like areas in this quarter.", [])]
    rest = len(compared) - len(above) - len(below)
    made: list[tuple[str, list[str]]] = [
        (
            f"{len(compared)} published rates can be compared with areas like this one: {len(above)}"
            f" {'is' if len(above) == 1 else 'are'} clearly higher, {len(below)} clearly lower, and {rest}"
            " not clearly different.",
            [],
        )
    ]
    for rows, words in (
        (above, "Clearly higher than in like areas"),
        (below, "Clearly lower than in like areas"),
    ):
        if rows:
            rows = sorted(
                rows,
                key=lambda row: (
                    -abs(row["rate_percent"] - row["like_areas_rate_percent"]),
                    row["metric_id"],
                    row["body_kind"],
                ),
            )
            some = " (the largest differences)" if len(rows) > MOST_SENTENCES else ""
            made.append(
                (
                    f"{words}{some}:",
                    [
                        f"{_name(row)}: {_rate(row)}, like areas {row['like_areas_rate_percent']}%"
                        for row in rows[:MOST_SENTENCES]
                    ],
                )
            )
    return made


def _changes(
    given: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]
) -> tuple[str, list[str]]:
    earlier = {_key(row): row for row in before if row["rate_percent"] is not None}
    # a release does not say which version of a definition an earlier figure was made by
    pairs = [(row, earlier[_key(row)]) for row in given if _key(row) in earlier and row["version_count"] == 1]
    if not pairs:
        return ("No published rate can be compared with the quarter before.", [])
    moved = [
        (row, old, "higher" if row["rate_lower_percent"] > old["rate_upper_percent"] else "lower")
        for row, old in pairs
        if row["rate_lower_percent"] > old["rate_upper_percent"]
        or row["rate_upper_percent"] < old["rate_lower_percent"]
    ]
    if not moved:
        return ("No rate was clearly different from the quarter before.", [])
    return (
        "Clearly different from the quarter before:",
        [
            f"{_name(row)}: {word}, {_rate(row)}, was {_rate(old)}"
            for row, old, word in moved[:MOST_SENTENCES]
        ],
    )


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("body_kind", "metric_id", "collection_mode", "sampling_frame"))


def _name(row: Mapping[str, Any]) -> str:
    name = plain(row["measure_name"])
    return f"{name} ({_BODIES.get(row['body_kind'], row['body_kind'])})"


def _rate(row: Mapping[str, Any]) -> str:
    about = "about " if row["rate_is_about"] else ""
    cases = f" of about {row['case_count']:,} cases" if row["case_count"] is not None else ""
    return f"{about}{row['rate_percent']}%{cases}"


def _lower_first(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _text(paragraphs: Sequence[tuple[str, list[str]]]) -> str:
    return "\n\n".join("\n".join([words, *(f"- {line}" for line in lines)]) for words, lines in paragraphs)


def _html(heading: str, paragraphs: Sequence[tuple[str, list[str]]], is_embargoed: bool) -> str:
    """Semantic HTML only: Markup escapes every value that is put into it."""
    out = [Markup('<article lang="en-GB">\n<h2>{}</h2>\n').format(heading)]
    for number, (words, lines) in enumerate(paragraphs):
        element = Markup("<p><strong>{}</strong></p>\n" if is_embargoed and number == 0 else "<p>{}</p>\n")
        out.append(element.format(words))
        if lines:
            out.append(Markup("<ul>\n"))
            out.extend(Markup("<li>{}</li>\n").format(line) for line in lines)
            out.append(Markup("</ul>\n"))
    out.append(Markup("</article>\n"))
    return str(Markup("").join(out))


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
