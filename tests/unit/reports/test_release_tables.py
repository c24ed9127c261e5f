from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from reports.release.draft import draft_files
from reports.release.publication import Publication
from reports.release.tables import table_csv, table_parquet

CONTRACTS = Path(__file__).parents[3] / "quality" / "contracts"
SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"


@pytest.fixture(scope="module")
def files(publication: Publication) -> dict[str, bytes]:
    return draft_files(publication)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_csv_rows_stand_in_key_order_with_numbers_as_numbers(publication: Publication) -> None:
    content = table_csv(publication.table("local_compliance"))

    assert not content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n") == 13  # a header and twelve rows
    rows = rows_of(content)
    assert [row["body_kind"] for row in rows] == ["courts"] + ["cps"] * 3 + ["mdp"] + ["police"] * 7
    shown = {row["published_as"]: row for row in rows if row["body_kind"] == "police"}
    figures = ("case_count", "met_count", "rate_percent", "rate_is_about", "rate_band", "obs_status")
    assert [shown["about"][name] for name in figures] == ["60", "40", "70", "true", "", ""]
    assert [shown["band"][name] for name in figures] == ["30", "", "", "", "50% to 79%", "c"]
    assert [shown["base"][name] for name in figures] == ["15", "", "", "", "", "c"]


def test_no_cell_of_a_csv_runs_in_a_spreadsheet(files: dict[str, bytes]) -> None:
    courts = rows_of(files["local_compliance.csv"])[0]
    assert courts["area_name"] == '\'=HYPERLINK("x","Ynys Môn")'

    for name, content in files.items():
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(content.decode("utf-8"), newline="")):
                assert not [cell for cell in row if cell.lstrip()[:1] in {"=", "+", "@", "\t"}], name


def test_parquet_holds_the_same_rows_typed_and_compressed_with_zstd(publication: Publication) -> None:
    table = publication.table("local_compliance")

    file = pq.ParquetFile(io.BytesIO(table_parquet(table)))

    assert [tuple(row.values()) for row in file.read().to_pylist()] == list(table.rows)
    types = {field.name: str(field.type) for field in file.schema_arrow}
    assert (types["case_count"], types["rate_percent"], types["rate_is_about"]) == ("int64", "int32", "bool")
    # a file never written by a year-stamped pandas: no metadata but that of the format
    assert file.metadata.metadata is None
    groups = file.metadata
    assert {groups.row_group(0).column(place).compression for place in range(groups.num_columns)} == {"ZSTD"}
    assert not file.schema_arrow.field("area_code").nullable


def test_areas_are_the_police_areas_and_the_national_forces(files: dict[str, bytes]) -> None:
    rows = rows_of(files["areas.csv"])

    kinds = [row["area_kind"] for row in rows]
    assert (kinds.count("police_area"), kinds.count("national_force")) == (43, 2)
    assert {row["area_code"] for row in rows if row["is_ons_code"] == "false"} == {"BTP", "MDP"}
    gwent = next(row for row in rows if row["area_name"] == "Gwent")
    assert (gwent["area_code"], gwent["region_name"], gwent["country_code"]) == (
        "W15000002", "Wales", "W92000004",
    )  # fmt: skip


def test_every_code_in_the_figures_has_a_meaning(files: dict[str, bytes], publication: Publication) -> None:
    known: dict[str, set[str]] = {}
    for row in rows_of(files["codes.csv"]):
        assert row["code_name"]
        known.setdefault(row["column"], set()).add(row["code"])

    assert known["obs_status"] == {"c", "x", "z", "w"}
    for table in publication.tables:
        for row in rows_of(files[f"{table.name}.csv"]):
            for column in known.keys() & row.keys():
                assert row[column] in known[column] | {""}, (table.name, column)


def test_every_code_promised_in_the_marts_has_a_meaning(files: dict[str, bytes]) -> None:
    known = {(row["column"], row["code"]) for row in rows_of(files["codes.csv"])}

    promised = {
        (column["name"], str(value))
        for path in CONTRACTS.glob("open_data_*.yml")
        for column in yaml.safe_load(path.read_text(encoding="utf-8"))["columns"]
        for check in column.get("checks") or []
        for value in (check.get("invalid") or {}).get("valid_values", [])
        if column["name"] != "rate_band"  # which is in words
    }
    assert len(promised) > 40
    assert promised - known == set()


def test_the_catalogue_holds_every_metric_with_who_reports_it(files: dict[str, bytes]) -> None:
    rows = {row["metric_id"]: row for row in rows_of(files["metric-catalogue.csv"])}

    seed = list(csv.DictReader((SEEDS / "metrics.csv").open(encoding="utf-8", newline="")))
    assert set(rows) == {row["metric_id"] for row in seed}
    recorded = rows["r02_s01_recorded_24h"]
    assert recorded["body_kinds"] == "police; btp; mdp"
    assert (recorded["metric_version"], recorded["polarity"], recorded["valid_from"]) == (
        "1", "higher", "2024-04-01",
    )  # fmt: skip
    assert recorded["right_title"] == "To have the details of the crime recorded without unjustified delay"
    assert rows["r04_s01_referrals_n"]["valid_to"] == "2026-06-30"


def test_the_dictionary_describes_every_column_of_every_csv_and_of_itself(files: dict[str, bytes]) -> None:
    described: dict[str, list[str]] = {}
    for row in rows_of(files["data-dictionary.csv"]):
        assert row["description"]
        described.setdefault(row["file"], []).append(row["column"])

    headers = {
        name: content.decode("utf-8").partition("\r\n")[0].split(",")
        for name, content in files.items()
        if name.endswith(".csv")
    }
    assert described == headers
