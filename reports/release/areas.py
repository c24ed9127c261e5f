"""The areas that figures are given for: a table of reference. What they add up to is a mart of its own."""

from __future__ import annotations

import datetime as dt

import duckdb

from reports.release.publication import PublicColumn, PublicTable

AREAS = "areas"

_AREA_COLUMNS = (
    PublicColumn("area_code", "Area code; BTP or MDP for the national forces.", "VARCHAR"),
    PublicColumn("area_name", "Name of the area.", "VARCHAR"),
    PublicColumn("area_kind", "police_area, or national_force for a force without an area.", "VARCHAR"),
    PublicColumn("is_ons_code", "Is the code one of the Office for National Statistics?", "BOOLEAN"),
    PublicColumn("region_code", "Code of the region or of Wales; blank for a national force.", "VARCHAR"),
    PublicColumn("region_name", "Region.", "VARCHAR"),
    PublicColumn("country_code", "Code of the country; blank for a national force.", "VARCHAR"),
    PublicColumn("country_name", "Name of the country; blank for a national force.", "VARCHAR"),
)

# A country, region or police area has a nine-character code of the ONS; the others have none.
_IS_ONS_CODE = "regexp_full_match({}, '[EWK][0-9]{{8}}')"


def read_areas(con: duckdb.DuckDBPyConnection, on: dt.date) -> PublicTable:
    """The areas as they were on a day: police areas, then the forces without one, by code."""
    rows = con.execute(
        f"""
        select
            pfa_code as area_code, area_name, 'police_area' as area_kind,
            {_IS_ONS_CODE.format("pfa_code")} as is_ons_code, region_code, region_name,
            country_code, country_name
        from reference.areas
        where area_kind = 'police_area' and valid_from <= $1 and (valid_to is null or valid_to >= $1)
        union all
        select
            upper(body_kind), body_kind_name, 'national_force', false, null, 'England and Wales', null, null
        from reference.body_kinds
        where is_national_force
        order by area_code
        """,
        [on],
    ).fetchall()
    return PublicTable(
        name=AREAS,
        mart="reference.areas",
        title="Areas",
        description="One row an area. The police areas and the national forces that figures are given for.",
        columns=_AREA_COLUMNS,
        primary_key=("area_code",),
        rows=tuple(rows),
    )
