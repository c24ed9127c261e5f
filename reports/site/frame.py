"""The values that the layout of the public site needs: navigation, publisher, releases, words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reports.components.text import neutral
from reports.release.publisher import Publisher, publisher
from reports.site.labels import MAIN_LANGUAGE, labels

if TYPE_CHECKING:
    from reports.published import PublishedRelease

#: Section of a page (`section:` in its front matter) -> the page that its navigation entry leads to.
NAVIGATION: Mapping[str, str] = {
    "home": "index.html",
    "areas": "areas/index.html",
    "rights": "rights/index.html",
    "data-tool": "data-tool/index.html",
    "metrics": "metrics/index.html",
    "downloads": "downloads.html",
    "notices": "notices/index.html",
    "methods": "methods.html",
    "search": "search.html",
}
FOOTER: Mapping[str, str] = {
    "about": "about.html",
    "accessibility": "accessibility.html",
    "data-quality": "data-quality.html",
    "releases": "releases/index.html",
    "annual-report": "annual-report/index.html",
    "feed": "feed.xml",
}

#: What a page may load: its own styles, scripts and pictures. Chromium takes 'self' from a folder, too.
#: What a <meta> cannot set (frame-ancestors ...) is not here: browsers would complain on every page.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'"
)


#: Pages that carry a box for finding things -> the kinds of things found there.
SEARCHED: Mapping[str, tuple[str, ...]] = {
    "index.html": ("area", "right", "metric"),
    "areas/index.html": ("area",),
    "search.html": ("area", "right", "metric"),
}
SEARCH_SCRIPTS = ("assets/search-index.js", "assets/search.js")


def site_values(
    releases: Sequence[PublishedRelease] = (),
    *,
    languages: Sequence[str] = (MAIN_LANGUAGE,),
    of: Publisher | None = None,
) -> dict[str, object]:
    """`site` of the layout: the same for every page and language of one build."""
    of = of or publisher()
    ordered = sorted(releases, key=lambda release: release.period_code)
    told = [
        {
            "release_id": release.release_id,
            "period_code": release.period_code,
            "period_label": neutral(release.period_label),
            "version": release.version,
            "issued_on": release.issued_on,
            "sums_sha256": release.sums_sha256,
            "path": f"releases/{release.release_id}",
        }
        for release in ordered
    ]
    return {
        "policy": POLICY,
        "base_uri": of.base_uri,
        "navigation": [{"section": section, "path": path} for section, path in NAVIGATION.items()],
        "footer": [{"name": name, "path": path} for name, path in FOOTER.items()],
        "languages": tuple(languages),
        "scripts": dict.fromkeys(SEARCHED, SEARCH_SCRIPTS),
        "releases": told,
        "newest": told[-1] if told else None,
        "organisation": of.organisation.name,
        "contact_name": of.contact_name,
        "contact_email": of.contact_email,
        "licence_title": of.licence_title,
        "licence_uri": of.licence_uri,
    }


def frame(
    releases: Sequence[PublishedRelease] = (),
    *,
    language: str = MAIN_LANGUAGE,
    languages: Sequence[str] = (MAIN_LANGUAGE,),
) -> dict[str, object]:
    """All values of the layout that do not depend on the page: `site`, `labels`, `lang`."""
    return {
        "site": site_values(releases, languages=languages),
        "labels": labels(language),
        "lang": language,
    }


def root_of(path: str) -> str:
    """From a page of the site back to its root: `../` for each folder of the path."""
    return "../" * path.count("/")
