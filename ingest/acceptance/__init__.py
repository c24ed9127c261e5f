"""A return is accepted whole or rejected whole, by small named rules, with every problem told at once.

Belongs here: rules, verdicts, the order of judging. Does not: file formats (ingest/readers), storage
(ingest/receive.py).
"""

from ingest.acceptance.judge import Judgement, check_file, judge
from ingest.acceptance.registry import RULES, Finding, Rule, rule
from ingest.acceptance.submission import Context, Submission
from ingest.acceptance.verdict import Problem, Verdict

__all__ = [
    "RULES",
    "Context",
    "Finding",
    "Judgement",
    "Problem",
    "Rule",
    "Submission",
    "Verdict",
    "check_file",
    "judge",
    "rule",
]
