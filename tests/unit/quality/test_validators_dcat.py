from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quality.validators import dcat_profile

Spoil = Callable[[Path], object]

# The mandatory properties of the classes Dataset and Distribution, as the model's own pages list them.
DATASET = (
    "dct:accessRights",
    "dcat:contactPoint",
    "dct:creator",
    "dct:description",
    "dct:identifier",
    "dct:license",
    "dct:modified",
    "dct:publisher",
    "ukgov:securityClassification",
    "dct:title",
    "dct:accrualPeriodicity",
    "dcat:version",
)
DISTRIBUTION = ("dct:identifier", "dct:license", "dcat:mediaType", "dct:title")
BEYOND = ("dct:temporal", "dct:spatial", "adms:status", "rdfs:comment", "dcat:theme")


def test_a_whole_release_passes_without_a_network(release: Path, no_network: None) -> None:
    assert dcat_profile.validate(release) == []


def _entry(change: Callable[[dict[str, Any]], object]) -> Spoil:
    def spoil(release: Path) -> None:
        path = release / "dcat.jsonld"
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document), encoding="utf-8")

    return spoil


def _file(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """Changes the distribution of areas.csv."""
    return _entry(
        lambda document: change(
            next(one for one in document["dcat:distribution"] if one["dct:title"] == "areas.csv")
        )
    )


@pytest.mark.parametrize("name", [*DATASET, *BEYOND])
def test_a_dataset_without_one_of_its_properties_is_found_out(release: Path, name: str) -> None:
    _entry(lambda document: document.pop(name))(release)

    faults = dcat_profile.validate(release)

    last = name.partition(":")[2]
    assert any(f"/v1.0.0 {last}:" in fault.message for fault in faults), faults


@pytest.mark.parametrize("name", [*DISTRIBUTION, "dcat:byteSize", "spdx:checksum", "dct:format"])
def test_a_distribution_without_one_of_its_properties_is_found_out(release: Path, name: str) -> None:
    _file(lambda one: one.pop(name))(release)

    faults = dcat_profile.validate(release)

    last = name.partition(":")[2]
    assert any(f"/areas.csv {last}:" in fault.message for fault in faults), faults


@pytest.mark.parametrize(
    ("spoil", "file", "words"),
    [
        (_entry(lambda d: d.update({"dct:accessRights": "PUBLIC"})), "dcat.jsonld", "(it has PUBLIC)"),
        (
            _entry(lambda d: d.update({"dct:title": [d["dct:title"], {"@value": "Two", "@language": "en"}]})),
            "dcat.jsonld",
            "title: one",
        ),
        (
            _entry(lambda d: d.update({"dct:accrualPeriodicity": {"@id": "http://purl.org/cld/freq/often"}})),
            "dcat.jsonld",
            "updateFrequency",
        ),
        (
            _entry(lambda d: d["dcat:contactPoint"].update({"vcard:hasEmail": "nobody"})),
            "dcat.jsonld",
            "e-mail address",
        ),
        (_entry(lambda d: d["dcat:contactPoint"].pop("vcard:fn")), "dcat.jsonld", "one name of the team"),
        (_entry(lambda d: d.update({"rdfs:comment": "x" * 251})), "dcat.jsonld", "at most 250 characters"),
        (_entry(lambda d: d.update({"dct:modified": "yesterday"})), "dcat.jsonld", "modified: one date"),
        (_entry(lambda d: d.update({"dcat:version": "1.0"})), "dcat.jsonld", "major.minor.patch"),
        (
            _entry(
                lambda d: d["dct:temporal"].update(
                    {"dcat:endDate": {"@value": "2025-12-31", "@type": "xsd:date"}}
                )
            ),
            "dcat.jsonld",
            "in that order",
        ),
        (
            _entry(lambda d: d["dct:spatial"][0].update({"dct:identifier": "England"})),
            "dcat.jsonld",
            "Office for National Statistics",
        ),
        (_file(lambda one: one.update({"dcat:mediaType": "csv"})), "dcat.jsonld", "such as text/csv"),
        (
            _file(lambda one: one["spdx:checksum"]["spdx:checksumValue"].update({"@value": "abc"})),
            "dcat.jsonld",
            "64 hexadecimal digits",
        ),
        (_entry(lambda d: d.update({"@type": "dcat:Catalog"})), "dcat.jsonld", "holds 0 dcat:Dataset"),
        # read elsewhere, or not at all
        (_entry(lambda d: d.update({"@context": "https://a.example/c"})), "dcat.jsonld", "not written out"),
        (
            _entry(lambda d: d["dct:publisher"].update({"@context": "https://a.example/c"})),
            "dcat.jsonld",
            "would have to be fetched",
        ),
        (lambda release: (release / "dcat.jsonld").write_text("{"), "dcat.jsonld", "is not JSON"),
        # against the files
        (lambda release: (release / "new.csv").write_text("x"), "new.csv", "stands in the folder only"),
        (lambda release: (release / "areas.csv").unlink(), "areas.csv", "stands in dcat.jsonld only"),
        (
            lambda release: (release / "areas.csv").write_text("x"),
            "areas.csv",
            "areas.csv has 1 bytes, dcat.jsonld says",
        ),
        (
            _file(lambda one: one["spdx:checksum"]["spdx:checksumValue"].update({"@value": "0" * 64})),
            "areas.csv",
            "another SHA-256",
        ),
    ],
)
def test_a_spoiled_entry_is_found_out(
    release: Path, no_network: None, spoil: Spoil, file: str, words: str
) -> None:
    spoil(release)

    faults = dcat_profile.validate(release)

    assert any(fault.file == file and words in fault.message for fault in faults), [
        fault.message for fault in faults
    ]
