"""The report to the body: the verdict as a page to read, and as comments in a copy of its own workbook.

Belongs here: how a verdict is shown. Does not: what is judged, or the plain text and JSON, which the verdict
writes itself (ingest/acceptance/verdict.py).
"""

from ingest.report.annotated import annotate
from ingest.report.page import to_html
from ingest.report.receipts import verdict_of, write_reports

__all__ = ["annotate", "to_html", "verdict_of", "write_reports"]
