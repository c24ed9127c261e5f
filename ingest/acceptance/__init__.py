"""A return is accepted whole or rejected whole, by small named rules, with every problem told at once.

Belongs here: rules, verdicts, the order of judging. Does not: file formats (ingest/readers), storage
(ingest/receive.py).
"""

from ingest.acceptance.comparison import ReturnFigures, TotalFigures, compared, previous_figures
from ingest.acceptance.judge import Judgement, check_file, conclude, context_of, judge
from ingest.acceptance.registry import RULES, Finding, Rule, rule
from ingest.acceptance.submission import Context, Submission
from ingest.acceptance.verdict import Problem, Verdict

__all__ = [
    "RULES",
    "Context",
    "Finding",
    "Judgement",
    "Problem",
    "ReturnFigures",
    "Rule",
    "Submission",
    "TotalFigures",
    "Verdict",
    "check_file",
    "compared",
    "conclude",
    "context_of",
    "judge",
    "previous_figures",
    "rule",
]
