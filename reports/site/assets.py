"""The files that every page of the site loads: GOV.UK Frontend's styles without font and crown, and ours."""

from __future__ import annotations

import re
from pathlib import Path

GOVUK = Path("govuk-frontend") / "dist" / "govuk" / "govuk-frontend.min.css"
OWN = Path(__file__).parent / "assets"

#: The typeface is licensed for gov.uk only; Liberation Sans has the widths of Arial.
_LICENSED_FONT = re.compile(r"\"?GDS Transport\"?,\s*arial,\s*sans-serif", re.IGNORECASE)
FONT = 'Arial,"Liberation Sans",Helvetica,sans-serif'


class AssetsError(RuntimeError):
    """A file that the site needs is missing or not as expected; the message says which and what to do."""


def site_assets(node_modules: Path) -> dict[str, bytes]:
    """Path below the site -> content of all styles, scripts and pictures of the frame.

    Raises AssetsError if GOV.UK Frontend is not installed, or if its styles would load another file.
    """
    files = {f"assets/{path.name}": path.read_bytes() for path in sorted(OWN.iterdir()) if path.is_file()}
    files["assets/govuk-frontend.css"] = govuk_styles(node_modules).encode("utf-8")
    return files


def govuk_styles(node_modules: Path) -> str:
    """GOV.UK Frontend's stylesheet that loads nothing: no font, no crown or crest, no source map.

    Raises AssetsError if it is not installed, or still names a file after that.
    """
    path = node_modules / GOVUK
    if not path.is_file():
        raise AssetsError(
            f"{path} is missing: the site's styles come from GOV.UK Frontend. Run `make setup`, which"
            " installs what package-lock.json pins."
        )
    styles = path.read_text(encoding="utf-8")
    styles = re.sub(r"/\*.*?\*/", "", styles, flags=re.DOTALL)
    styles = re.sub(r"@font-face\s*\{[^{}]*\}", "", styles)
    styles = _LICENSED_FONT.sub(FONT, styles)
    styles = re.sub(r"url\([^)]*govuk-crest[^)]*\)", "none", styles)
    for forbidden in ("url(", "@import", "@font-face", "GDS Transport"):
        if forbidden in styles:
            where = styles.index(forbidden)
            raise AssetsError(
                f"{path} has {styles[where : where + 60]!r}, which the site must not load; change"
                " reports/site/assets.py for this version of GOV.UK Frontend."
            )
    return styles.strip() + "\n"
