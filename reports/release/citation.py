"""CITATION.cff: how to cite the release, in Citation File Format 1.2.0."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from reports.release.publication import Publication
from reports.release.publisher import publisher

CITATION = "CITATION.cff"


def citation_text(publication: Publication) -> str:
    """The citation in one line, for people."""
    facts = publisher()
    return (
        f"{facts.organisation.name} ({publication.issued_on.year}). {facts.full_title(publication)},"
        f" version {publication.version}. {facts.release_uri(publication.period_code, publication.version)}"
    )


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """CITATION.cff of type dataset."""
    facts = publisher()
    uri = facts.release_uri(publication.period_code, publication.version)
    document = {
        "cff-version": "1.2.0",
        "message": "If you use these figures, please cite them as below.",
        "type": "dataset",
        "title": facts.full_title(publication),
        "abstract": f"{facts.summary} {facts.description}",
        "authors": [{"name": facts.organisation.name, "website": facts.organisation.uri}],
        "contact": [{"name": facts.contact_name, "email": facts.contact_email}],
        "version": publication.version,
        # a text, as the format asks for; a bare date would be read as a date
        "date-released": publication.issued_on.isoformat(),
        "license": facts.licence_name,
        "url": uri,
        "identifiers": [{"type": "url", "value": uri, "description": "This version of the release"}],
        "keywords": list(facts.keywords),
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return {CITATION: text.encode("utf-8")}
