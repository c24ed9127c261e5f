from __future__ import annotations

import datetime as dt
import json
import re
import textwrap
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from reports.release import csvw, data_package, dcat, dictionary
from reports.release.columns import foreign_keys
from reports.release.draft import draft_files
from reports.release.publication import Publication
from reports.release.publisher import publisher
from reports.release.tables import table_csv

OGL = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
URI = "https://victims-code.example/releases/2025-26-Q4/v1.0.0"


@pytest.fixture(scope="module")
def files(publication: Publication) -> dict[str, bytes]:
    return draft_files(publication)


@pytest.fixture(scope="module")
def corrected(publications: ModuleType) -> dict[str, bytes]:
    return draft_files(
        publications.small_publication(
            version="1.0.1", previous="1.0.0", reason="Cumbria corrected its return."
        )
    )


def read(files: dict[str, bytes], name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files[name])
    return document


# --- Data Package


def test_the_package_says_what_it_is_and_whose(files: dict[str, bytes]) -> None:
    package = read(files, "datapackage.json")

    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert package["title"] == "Victims' Code compliance, January to March 2026 (2025/26 Q4)"
    assert (package["name"], package["version"], package["status"]) == (
        "victims-code-compliance-2025-26-q4", "1.0.0", "provisional",
    )  # fmt: skip
    assert package["created"] == "2026-06-18T00:00:00Z"
    assert (package["temporal"]["start"], package["temporal"]["end"]) == ("2026-01-01", "2026-03-31")
    assert package["licenses"] == [
        {"name": "OGL-UK-3.0", "path": OGL, "title": "Open Government Licence v3.0"}
    ]
    assert [who["roles"] for who in package["contributors"]] == [["publisher", "creator"], ["contact"]]
    assert package["sources"][0]["title"]
    assert "replaces" not in package


def test_every_csv_and_parquet_is_a_resource_with_size_hash_key_and_types(files: dict[str, bytes]) -> None:
    resources = {one["path"]: one for one in read(files, "datapackage.json")["resources"]}

    assert set(resources) == {name for name in files if name.endswith((".csv", ".parquet"))}
    names = [one["name"] for one in resources.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)
    for path, one in resources.items():
        assert one["bytes"] == len(files[path])
        fields = [field["name"] for field in one["schema"]["fields"]]
        assert set(one["schema"].get("primaryKey", [])) <= set(fields)
        if path.endswith(".csv"):
            assert one["dialect"]["lineTerminator"] == "\r\n"
            assert files[path].decode("utf-8").partition("\r\n")[0].split(",") == fields
        else:
            assert one["schema"] == resources[path.replace(".parquet", ".csv")]["schema"]


def test_columns_carry_the_limits_of_their_values(files: dict[str, bytes]) -> None:
    resources = {one["path"]: one for one in read(files, "datapackage.json")["resources"]}
    fields = {field["name"]: field for field in resources["group_compliance.csv"]["schema"]["fields"]}

    assert fields["rate_percent"]["constraints"] == {"minimum": 0, "maximum": 100}
    assert fields["case_share_covered"]["constraints"] == {"minimum": 0, "maximum": 1}
    assert fields["case_count"]["constraints"] == {"minimum": 0}
    assert fields["obs_status"]["constraints"] == {"enum": ["c", "x", "z", "w"]}
    assert fields["obs_note"]["constraints"] == {"enum": ["p", "r"]}
    assert fields["published_as"]["constraints"] == {"enum": ["value", "about", "band", "base", "suppressed"]}
    assert fields["metric_id"]["constraints"] == {"required": True}
    assert fields["group_name"].get("constraints") is None


def test_a_correction_says_what_it_replaces(corrected: dict[str, bytes]) -> None:
    package = read(corrected, "datapackage.json")

    assert (package["replaces"], package["reason"]) == ("1.0.0", "Cumbria corrected its return.")


# --- foreign keys


def test_columns_point_to_the_tables_of_reference(publication: Publication) -> None:
    tables = dictionary.csv_tables(publication)

    def keys(name: str) -> list[tuple[tuple[str, ...], str]]:
        found = next(table for table in tables if table.name == name)
        return [(key.columns, key.table) for key in foreign_keys(found, tables)]

    assert keys("local_compliance") == [(("area_code",), "areas"), (("metric_id",), "metric-catalogue")]
    assert keys("local_feedback") == [(("area_code",), "areas"), (("question_id",), "metric-catalogue")]
    assert keys("area_groups") == [(("area_code",), "areas")]
    assert keys("areas") == keys("codes") == []


def test_a_metric_of_two_versions_cannot_be_pointed_at(publication: Publication) -> None:
    catalogue = publication.table("metric-catalogue")
    again = (catalogue.rows[0][0], 2, *catalogue.rows[0][2:])
    twice = replace(catalogue, rows=(*catalogue.rows, again))
    tables = (*publication.tables, twice)

    assert foreign_keys(publication.table("local_compliance"), tables) == ()


# --- what is described is what is written


@pytest.mark.parametrize("module", [data_package, csvw])
def test_a_csv_nobody_has_described_is_refused(
    module: ModuleType, publication: Publication, files: dict[str, bytes]
) -> None:
    with pytest.raises(ValueError, match=r"secret\.csv: every CSV of a release is described"):
        module.write(publication, {**files, "secret.csv": b"a\r\n"})
    with pytest.raises(ValueError, match=r"areas\.csv: every CSV of a release is described"):
        module.write(publication, {name: content for name, content in files.items() if name != "areas.csv"})


def test_a_writer_s_own_table_is_described_everywhere(
    monkeypatch: pytest.MonkeyPatch, publication: Publication, files: dict[str, bytes]
) -> None:
    # a shape for others: codes stand where figures are missing
    local = publication.table("local_compliance")
    other = replace(local, name="for_others", missing_values=("", "c", "z"))
    monkeypatch.setattr(dictionary, "MORE_TABLES", (*dictionary.MORE_TABLES, lambda _: (other,)))
    written = {**files, "for_others.csv": table_csv(other)}

    package = json.loads(data_package.write(publication, written)["datapackage.json"])
    metadata = json.loads(csvw.write(publication, written)["csvw-metadata.json"])

    resource = next(one for one in package["resources"] if one["path"] == "for_others.csv")
    assert resource["schema"]["missingValues"] == ["", "c", "z"]
    table = next(one for one in metadata["tables"] if one["url"] == "for_others.csv")
    assert table["tableSchema"]["columns"][0]["null"] == ["", "c", "z"]
    assert b"for_others.csv,obs_status" in dictionary.write(publication, files)["data-dictionary.csv"]


# --- CSVW


def test_csvw_describes_every_csv(files: dict[str, bytes]) -> None:
    metadata = read(files, "csvw-metadata.json")

    assert metadata["@context"][0] == "http://www.w3.org/ns/csvw"
    tables = {table["url"]: table["tableSchema"] for table in metadata["tables"]}
    assert set(tables) == {name for name in files if name.endswith(".csv")}
    columns = {column["name"]: column for column in tables["local_compliance.csv"]["columns"]}
    assert columns["rate_percent"]["datatype"] == {"base": "integer", "minimum": 0, "maximum": 100}
    assert columns["rate_is_about"]["datatype"] == {"base": "boolean", "format": "true|false"}
    assert columns["obs_status"]["datatype"] == {"base": "string", "format": "c|x|z|w"}
    assert columns["area_name"]["datatype"] == "string"
    assert columns["area_code"]["required"]
    assert tables["local_compliance.csv"]["foreignKeys"][0] == {
        "columnReference": ["area_code"],
        "reference": {"resource": "areas.csv", "columnReference": ["area_code"]},
    }


# --- DCAT


def test_the_catalogue_entry_describes_every_file_written_before_it(files: dict[str, bytes]) -> None:
    entry = read(files, "dcat.jsonld")

    assert entry["@id"] == URI
    assert entry["dct:accrualPeriodicity"]["@id"] == "http://purl.org/cld/freq/quarterly"
    assert [place["dct:identifier"] for place in entry["dct:spatial"]] == ["E92000001", "W92000004"]
    described = {one["dct:title"]: one for one in entry["dcat:distribution"]}
    assert set(described) == set(files) - {"dcat.jsonld", "SHA256SUMS"}
    local = described["local_compliance.csv"]
    assert local["dcat:downloadURL"] == {"@id": f"{URI}/local_compliance.csv"}
    assert local["dcat:mediaType"] == "text/csv"
    assert local["dcat:byteSize"]["@value"] == str(len(files["local_compliance.csv"]))
    assert "dcat:previousVersion" not in entry


def test_the_catalogue_entry_of_a_correction_names_the_version_before(corrected: dict[str, bytes]) -> None:
    entry = read(corrected, "dcat.jsonld")

    assert entry["@id"] == URI.replace("v1.0.0", "v1.0.1")
    assert entry["dcat:previousVersion"] == {"@id": URI}
    assert entry["adms:versionNotes"]["@value"] == "Cumbria corrected its return."


def test_a_kind_of_file_without_a_media_type_is_refused(publication: Publication) -> None:
    with pytest.raises(ValueError, match=r"notes\.doc: no media type is known for \.doc"):
        dcat.write(publication, {"notes.doc": b""})


# --- for people


def test_the_citation_is_one_of_a_data_set(files: dict[str, bytes]) -> None:
    citation = yaml.safe_load(files["CITATION.cff"])

    assert (citation["cff-version"], citation["type"], citation["license"]) == (
        "1.2.0",
        "dataset",
        "OGL-UK-3.0",
    )
    assert (citation["version"], citation["date-released"]) == ("1.0.0", "2026-06-18")
    assert citation["authors"][0]["name"] == "Ministry of Justice"
    assert {"message", "title", "url"} <= set(citation)


def test_the_readme_says_how_to_read_check_and_cite_and_names_every_file(
    files: dict[str, bytes], corrected: dict[str, bytes]
) -> None:
    readme = files["README.txt"].decode("utf-8")

    words = " ".join(readme.split())
    for said in (
        "Version 1.0.0, 18 June 2026. Figures: provisional.",
        "Management information",
        "A missing figure is never a zero and never a pass",
        "sha256sum -c SHA256SUMS",
        "Open Government Licence v3.0 (OGL-UK-3.0)",
        f"Ministry of Justice (2026). Victims' Code compliance, January to March 2026 (2025/26 Q4), version 1.0.0. {URI}",
    ):
        assert said in words, said
    for name in set(files) - {"README.txt"}:
        assert name in readme
    assert "draft" not in words.lower()  # the file is published as it stands
    assert max(map(len, readme.splitlines())) <= 100
    assert textwrap.dedent(readme) == readme
    corrected_words = " ".join(corrected["README.txt"].decode("utf-8").split())
    assert "Replaces version 1.0.0. Cumbria corrected its return." in corrected_words


# --- the publisher's facts


def test_a_missing_fact_is_named(tmp_path: Path) -> None:
    source = Path(publisher.__wrapped__.__code__.co_filename).with_name("publisher.yml")
    facts = yaml.safe_load(source.read_text(encoding="utf-8"))
    del facts["contact"]["email"]
    path = tmp_path / "publisher.yml"
    path.write_text(yaml.safe_dump(facts), encoding="utf-8")

    with pytest.raises(ValueError, match=r"publisher\.yml has no entry 'email'"):
        publisher(path)


def test_a_year_of_figures_is_covered_from_its_first_day(publications: ModuleType) -> None:
    made = draft_files(publications.small_publication(year_first_day=dt.date(2025, 4, 1)))

    package, catalogue = read(made, "datapackage.json"), read(made, "dcat.jsonld")
    assert (package["temporal"]["start"], package["temporal"]["end"]) == ("2025-04-01", "2026-03-31")
    assert catalogue["dct:temporal"]["dcat:startDate"]["@value"] == "2025-04-01"
    assert "once a year: 1 April 2025 to 31 March 2026" in " ".join(made["README.txt"].decode().split())


def test_the_readme_says_which_tables_have_no_rows(publication: Publication) -> None:
    emptied = replace(
        publication,
        tables=tuple(
            replace(table, rows=()) if table.name == "local_feedback" else table
            for table in publication.tables
        ),
    )

    told = " ".join(draft_files(emptied)["README.txt"].decode().split())

    assert "No rows in this release" in told.partition("local_feedback.csv")[2][:500]
    assert told.count("No rows in this release") == 1


# --- codes


def test_every_breakdown_that_has_values_is_named_among_the_codes(publication: Publication) -> None:
    codes, values = publication.table("codes"), publication.table("breakdowns")

    named = {row[1] for row in codes.rows if row[0] == "breakdown"}
    assert {row[0] for row in values.rows} == named
    # the same code says something of its own in each breakdown
    assert len({row[2] for row in values.rows if row[1] == "NS"}) > 1
    assert ("crime_type", "VAP", "Violence against the person") in {row[:3] for row in values.rows}
