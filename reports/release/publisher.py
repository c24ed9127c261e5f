"""Who publishes, where and under what terms: `publisher.yml`, read once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reports.release.publication import Publication

_FILE = Path(__file__).with_name("publisher.yml")


@dataclass(frozen=True)
class Named:
    """Something with a name, and an address and a code where it has them."""

    name: str
    uri: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Publisher:
    """The facts of publisher.yml."""

    name: str
    title: str
    summary: str
    description: str
    keywords: tuple[str, ...]
    base_uri: str
    landing_page: str
    organisation: Named
    contact_name: str
    contact_email: str
    licence_name: str
    licence_title: str
    licence_uri: str
    theme: str
    sources: tuple[Named, ...]
    spatial: tuple[Named, ...]

    def release_uri(self, period_code: str, version: str) -> str:
        """The address of one version of one release, without a slash at its end."""
        return f"{self.base_uri.rstrip('/')}/releases/{period_code}/v{version}"

    def full_title(self, publication: Publication) -> str:
        """Title of one release."""
        return f"{self.title}, {publication.period_label}"


@functools.cache
def publisher(path: Path = _FILE) -> Publisher:
    """The facts of publisher.yml. Raises ValueError naming the entry that is missing or empty."""
    facts: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        made = Publisher(
            name=facts["name"],
            title=facts["title"],
            summary=" ".join(facts["summary"].split()),
            description=" ".join(facts["description"].split()),
            keywords=tuple(facts["keywords"]),
            base_uri=facts["base_uri"],
            landing_page=facts["landing_page"],
            organisation=Named(facts["publisher"]["name"], facts["publisher"]["uri"]),
            contact_name=facts["contact"]["name"],
            contact_email=facts["contact"]["email"],
            licence_name=facts["licence"]["name"],
            licence_title=facts["licence"]["title"],
            licence_uri=facts["licence"]["uri"],
            theme=facts["theme"],
            sources=tuple(Named(source["title"], source.get("uri")) for source in facts["sources"]),
            spatial=tuple(Named(place["name"], place["uri"], place["code"]) for place in facts["spatial"]),
        )
    except KeyError as missing:
        raise ValueError(f"{path.name} has no entry {missing}; write it.") from missing
    return made
