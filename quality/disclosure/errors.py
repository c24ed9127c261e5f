"""The one error of the audit: what stops a release before or after it was attacked."""

from __future__ import annotations


class DisclosureError(Exception):
    """A release cannot be audited, or cannot be mended; the text says where and what to do."""
