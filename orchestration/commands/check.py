"""`vcc check`: what acceptance would say of a file, before it is sent. Nothing is stored in the data root."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.commands import project_of

if TYPE_CHECKING:
    from ingest.acceptance.verdict import Verdict


def run(options: argparse.Namespace) -> int:
    """Tell every problem at once; 0 accepted, 1 rejected, 2 cannot be read."""
    from ingest.acceptance.judge import conclude, context_of
    from ingest.confine import judge_confined
    from orchestration.project import SettingError

    project = project_of(options)
    if not options.file.is_file():
        raise FileNotFoundError(2, "No such file", str(options.file))
    for written in (options.output, options.annotate):
        if written is not None and _is_same(written, options.file):
            raise SettingError(f"{written} is the file to be checked; give the report another name.")
    try:
        context = context_of(
            options.sender,
            project.reference,
            project.forms,
            project.clock,
            limits=project.limits,
        )
    except ValueError as error:
        raise SettingError(str(error)) from None
    verdict = conclude(judge_confined(options.file, context), context, project.root)
    report = _report(verdict, options.format)
    if options.output is None:
        print(report, end="")
    else:
        from ingest.files import replacing

        with replacing(options.output) as temporary:
            temporary.write_text(report, encoding="utf-8")
        print(verdict.to_text().partition("\n")[0])
        print(f"The report is in {options.output}.")
    if options.annotate is not None:
        _annotate(options.file, verdict, options.annotate)
    return verdict.exit_code


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and one.samefile(other)


def _report(verdict: Verdict, form: str) -> str:
    if form == "json":
        return verdict.to_json()
    if form == "html":
        from ingest.report import to_html

        return to_html(verdict)
    return verdict.to_text()


def _annotate(file: Path, verdict: Verdict, out: Path) -> None:
    """Write the annotated copy, or say why there is none; the standard output is the report's alone."""
    from ingest.report import annotate
    from ingest.report.annotated import NotAnnotated

    try:
        annotate(file, verdict, out)
    except NotAnnotated as refused:
        print(f"vcc: {refused}", file=sys.stderr)
    else:
        print(f"The annotated copy is {out}.", file=sys.stderr)
