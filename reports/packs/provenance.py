"""What a pack was made of, so that two packs can be told apart and one can be made again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reports.components.text import neutral

Stage = Literal["provisional", "final"]

_STAGES: dict[Stage, str] = {
    "provisional": "Provisional: for the joint local review",
    "final": "Final: after the joint local review",
}


@dataclass(frozen=True)
class Provenance:
    """The sources of a pack: the quarter, the stage of its cycle, the build, and the release if there is one.

    `release_id` is period and version (2026-27-Q2/v1.0.0) and `sums_sha256` the hash of the release's
    SHA256SUMS, once it is drafted or published. `draft` is the folder of the release while it is not yet
    published, `publish_on` the announced day of publication.
    """

    period_code: str
    period_label: str
    stage: Stage
    build_id: str
    release_id: str | None = None
    sums_sha256: str | None = None
    draft: Path | None = None
    publish_on: dt.date | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "period_label", neutral(self.period_label))
        if self.stage not in _STAGES:
            raise ValueError(f"There is no stage {self.stage!r}; a pack is provisional or final.")
        if (self.release_id is None) != (self.sums_sha256 is None):
            raise ValueError("A pack that names a release names the hash of its SHA256SUMS too: give both.")

    @property
    def stage_label(self) -> str:
        """The stage in words."""
        return _STAGES[self.stage]

    @property
    def is_embargoed(self) -> bool:
        """Whether the release is drafted and not published yet."""
        return self.draft is not None

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What the provenance block of a document prints: name and value of each source, in order."""
        found = [("Period", self.period_label), ("Stage", self.stage_label), ("Build", self.build_id)]
        if self.release_id is None:
            found.append(("Release", "not drafted yet"))
        else:
            state = "draft, under embargo" if self.is_embargoed else "published"
            found.append(("Release", f"{self.release_id} ({state})"))
            found.append(("SHA-256 of its SHA256SUMS", str(self.sums_sha256)))
        if self.publish_on is not None:
            found.append(("Publication", f"{self.publish_on:%-d %B %Y}, 9:30"))
        return tuple(found)
