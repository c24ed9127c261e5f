"""Releases from draft to publication: what is public of a build, and the steps that a draft passes.

Belongs here: joining the marts' own SQL, the writers, the audit, the validators and the journal. Does not:
what stands in a file (reports.release), what a figure gives away (quality.disclosure), Dagster, the terminal.
"""

from __future__ import annotations


class ReleaseError(RuntimeError):
    """A release cannot be built, approved or published as asked; the message says why and what to do."""
