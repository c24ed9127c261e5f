"""From a figure back to the rows, returns and files it was made from.

What belongs here: what is asked (`question`), what is found (`found`; by `find`, of the 2019/20 audit by
`legacy`, both by `known`), how it is told (`tell`).
Everything is read from one build; nothing here imports Dagster, writes, or knows where the data root lies.
"""

from __future__ import annotations

from orchestration.tracing.find import trace
from orchestration.tracing.found import Found
from orchestration.tracing.question import Asked, Question, TraceError, ask
from orchestration.tracing.tell import to_csv, to_json, to_text

__all__ = ["Asked", "Found", "Question", "TraceError", "ask", "to_csv", "to_json", "to_text", "trace"]
