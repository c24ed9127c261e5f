"""A sample of returns as bodies would send them, made from a seed, with a written truth to test against.

Belongs here: made-up figures, planted truths, and the one real return that is committed (Essex, 2019/20).
Does not: judging returns (ingest/acceptance) or anything that a real delivery would need.
"""

from __future__ import annotations

from ingest.synthetic.essex import deliver_essex
from ingest.synthetic.generate import GenerationSummary, generate

__all__ = ["GenerationSummary", "deliver_essex", "generate"]
