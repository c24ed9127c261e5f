"""dcat.jsonld: the release for catalogues, in DCAT 3 and the UK Cross-Government Metadata Exchange Model.

The model (https://co-cddo.github.io/ukgov-metadata-exchange-model/) says which properties of DCAT are
mandatory, and takes codes as plain text where DCAT takes addresses: access rights, security classification,
media types. What DCAT asks for beside that is given too. The context stands in the file: reading it needs no
network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.release.encoding import json_bytes, sha256
from reports.release.publication import Publication
from reports.release.publisher import Publisher, publisher

METADATA = "dcat.jsonld"

_CONTEXT: dict[str, Any] = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "spdx": "http://spdx.org/rdf/terms#",
    "ukgov": "https://w3id.org/co-cddo/uk-cross-government-metadata-exchange-model/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_MEDIA_TYPES = {
    "cff": "application/yaml",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "parquet": "application/vnd.apache.parquet",
    "txt": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """dcat.jsonld, every file written so far a distribution. Raises ValueError for an unknown kind."""
    facts = publisher()
    uri = facts.release_uri(publication.period_code, publication.version)
    distributions = [
        _distribution(publication, facts, f"{uri}/{name}", name, content)
        for name, content in sorted(files.items())
    ]
    return {METADATA: json_bytes({"@context": _CONTEXT, **_dataset(publication, facts, uri, distributions)})}


def _dataset(
    publication: Publication, facts: Publisher, uri: str, distributions: list[dict[str, Any]]
) -> dict[str, Any]:
    organisation = {
        "@id": facts.organisation.uri,
        "@type": "foaf:Organization",
        "foaf:name": facts.organisation.name,
    }
    dataset: dict[str, Any] = {
        "@id": uri,
        "@type": "dcat:Dataset",
        "dct:identifier": uri,
        "dct:title": _text(facts.full_title(publication)),
        "dct:alternative": _text(f"{facts.title}, {publication.period_code}"),
        "rdfs:comment": _text(facts.summary),
        "dct:description": _text(f"{facts.summary} {facts.description}"),
        "dcat:keyword": [_text(word) for word in facts.keywords],
        "dcat:theme": {"@id": facts.theme},
        "dct:language": {"@id": "http://publications.europa.eu/resource/authority/language/ENG"},
        "dct:publisher": organisation,
        "dct:creator": {"@id": facts.organisation.uri},
        "dcat:contactPoint": {
            "@type": ["vcard:Kind", "vcard:Organization"],
            "vcard:fn": facts.contact_name,
            "vcard:hasEmail": {"@id": f"mailto:{facts.contact_email}"},
        },
        "dcat:landingPage": {"@id": facts.landing_page, "@type": "foaf:Document"},
        "dct:license": {"@id": facts.licence_uri, "@type": "dct:LicenseDocument"},
        "dct:accessRights": "OPEN",
        "ukgov:securityClassification": "OFFICIAL",
        "dct:issued": _date(publication.issued_on.isoformat()),
        "dct:modified": _date(publication.issued_on.isoformat()),
        "dct:accrualPeriodicity": {"@id": "http://purl.org/cld/freq/quarterly", "@type": "dct:Frequency"},
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _date(publication.covered_from.isoformat()),
            "dcat:endDate": _date(publication.last_day.isoformat()),
        },
        "dct:spatial": [
            {
                "@id": place.uri,
                "@type": "dct:Location",
                "dct:identifier": place.code,
                "rdfs:label": place.name,
            }
            for place in facts.spatial
        ],
        "dcat:version": publication.version,
        "dcat:isVersionOf": {"@id": uri.rpartition("/")[0]},
        "adms:status": publication.status,
    }
    if publication.previous is not None:
        previous = {"@id": facts.release_uri(publication.period_code, publication.previous)}
        dataset["dcat:previousVersion"] = previous
        dataset["dct:relation"] = previous
    if publication.reason is not None:
        dataset["adms:versionNotes"] = _text(publication.reason)
    return {**dataset, "dcat:distribution": distributions}


def _distribution(
    publication: Publication, facts: Publisher, uri: str, name: str, content: bytes
) -> dict[str, Any]:
    ending = name.rpartition(".")[2]
    if ending not in _MEDIA_TYPES:
        raise ValueError(f"{name}: no media type is known for .{ending}; add it to reports/release/dcat.py.")
    media_type = _MEDIA_TYPES[ending]
    return {
        "@id": uri,
        "@type": "dcat:Distribution",
        "dct:identifier": uri,
        "dct:title": name,
        "dcat:accessURL": {"@id": facts.landing_page},
        "dcat:downloadURL": {"@id": uri},
        "dcat:mediaType": media_type,
        "dct:format": {
            "@id": f"https://www.iana.org/assignments/media-types/{media_type}",
            "@type": "dct:MediaTypeOrExtent",
        },
        "dcat:byteSize": {"@value": str(len(content)), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": {"@value": sha256(content), "@type": "xsd:hexBinary"},
        },
        "dct:license": {"@id": facts.licence_uri},
        "dct:accessRights": "OPEN",
        "dct:issued": _date(publication.issued_on.isoformat()),
        "dct:modified": _date(publication.issued_on.isoformat()),
    }


def _text(words: str) -> dict[str, str]:
    return {"@value": words, "@language": "en"}


def _date(day: str) -> dict[str, str]:
    return {"@value": day, "@type": "xsd:date"}
