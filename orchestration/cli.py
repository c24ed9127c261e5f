"""The command `vcc`: thin. It reads the arguments; each command lives in orchestration/commands.

Nothing is imported here that a command does not need, so that `vcc --help` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from orchestration.commands import BUSY, ERROR_LOG_NAME, FAILED, OK, UNUSABLE
from orchestration.errors import FAILURES, UNUSABLE_ERRORS
from orchestration.locking import BUSY_ERRORS

EXIT_CODES = """\
exit codes:
  0  done, or nothing to do; `check`: the return would be accepted
  1  the run failed or a check blocked it; `check`: the return would be rejected
  2  the command or a file it names cannot be used
  3  another run works on the data root
  130  stopped from the keyboard
"""


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    main_parser = argparse.ArgumentParser(
        prog="vcc",
        description="Victims' Code compliance: returns in, marts, flagged indicators and open data out.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    main_parser.add_argument(
        "--data-root",
        type=Path,
        metavar="FOLDER",
        help="where all data lies (default: VCC_DATA_ROOT, else data)",
    )
    main_parser.add_argument(
        "--as-of",
        metavar="DATE",
        help="take this day as today, as 2026-12-10 (default: VCC_AS_OF, else the sample's day, else today)",
    )
    commands = main_parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    sample = commands.add_parser(
        "sample", help="deliver sample returns: six synthetic quarters and a real audit"
    )
    sample.add_argument("--quarters", type=int, default=6, help="synthetic quarters (default: 6)")
    sample.add_argument("--seed", type=int, default=20260401, help="of the generator (default: 20260401)")
    sample.add_argument(
        "--areas", nargs="+", metavar="PFA_CODE", help="only these police areas (default: all)"
    )
    sample.add_argument(
        "--no-breakdowns", action="store_true", help="totals only: smaller files, quicker runs"
    )

    submit = commands.add_parser("submit", help="deliver one file into the inbox, as its sender would")
    submit.add_argument("file", type=Path)
    submit.add_argument("--sender", required=True, metavar="CODE", help="as E23000028-police")

    check = commands.add_parser("check", help="say what acceptance would say of a file; nothing is stored")
    check.add_argument("file", type=Path)
    check.add_argument("--sender", metavar="CODE", help="also check that this sender may send it")
    check.add_argument("--format", choices=("text", "json", "html"), default="text")
    check.add_argument("--output", type=Path, metavar="FILE", help="write the report there, not here")
    check.add_argument(
        "--annotate", type=Path, metavar="FILE", help="write a copy (.xlsx) with comments on its cells"
    )

    template = commands.add_parser("template", help="write the workbook that a sender fills in for a period")
    template.add_argument("--sender", required=True, metavar="CODE", help="as E23000028-police")
    template.add_argument("--period", required=True, metavar="PERIOD_CODE", help="as 2026-27-Q2")
    template.add_argument("--kind", default="quarterly", help="kind of return (default: quarterly)")
    template.add_argument(
        "--breakdowns", action="store_true", help="rows for every breakdown too, not only the totals"
    )
    template.add_argument(
        "--nil", nargs="+", default=[], metavar="SHEET", help="sheets to be declared empty on the cover"
    )
    template.add_argument(
        "--output", type=Path, metavar="FILE", help="default: here, named like sender, kind and period"
    )
    template.add_argument("--force", action="store_true", help="replace a file of that name")

    run = commands.add_parser("run", help="receive, build, check, serve and write outputs")
    which = run.add_mutually_exclusive_group(required=True)
    which.add_argument("--period", metavar="PERIOD_CODE", help="one quarter, as 2026-27-Q1")
    which.add_argument("--all", action="store_true", help="every quarter whose returns are due, in one run")
    run.add_argument(
        "--stage",
        choices=("provisional", "final"),
        default="final",
        help="provisional: local figures only; final: also detections and the draft release (default: final)",
    )
    run.add_argument(
        "--no-wait",
        action="store_true",
        help="give up at once (exit code 3) if another run is on, and not after half a minute",
    )

    status = commands.add_parser("status", help="returns expected against received")
    status.add_argument("--period", metavar="PERIOD_CODE", help="list who has not sent for this quarter")
    status.add_argument("--all", action="store_true", help="with --period: list everybody")

    receipt = commands.add_parser("receipt", help="one receipt, with all that is known of it")
    receipt.add_argument("receipt", metavar="ID", help="id or its beginning, or the sha256 of the file")
    receipt.add_argument("--format", choices=("text", "json", "html"), default="text")
    receipt.add_argument("--output", type=Path, metavar="FILE", help="write it there, not here")
    receipt.add_argument(
        "--annotate", type=Path, metavar="FILE", help="write a copy (.xlsx) with comments on its cells"
    )

    ledger = commands.add_parser("ledger", help="whether the ledger of receipts is as it was written")
    ledger.add_argument("action", choices=("verify",), help="verify: name every receipt changed or removed")

    archive = commands.add_parser("archive", help="take content away again; hashes and receipts stay")
    actions = archive.add_subparsers(dest="action", metavar="ACTION", required=True)
    purge = actions.add_parser("purge", help="delete quarantined files whose time is over")
    purge.add_argument("--dry-run", action="store_true", help="only say which")
    erase = actions.add_parser("erase", help="erase the content of a receipt for good, and build anew")
    erase.add_argument("receipt", metavar="RECEIPT_ID", help="id or its beginning, or the sha256 of the file")
    erase.add_argument("--role", required=True, help="in whose role, as 'data protection officer'; no name")
    erase.add_argument("--reason", required=True, help="why, in a few words; kept for good, so no name")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    erase.add_argument("--no-run", action="store_true", help="do not build anew; `vcc run --all` must follow")

    flags = commands.add_parser("flags", help="severe indicators of a quarter")
    flags.add_argument("--period", metavar="PERIOD_CODE", help="default: the latest quarter that is due")

    packs = commands.add_parser("packs", help="packs of a quarter for its areas, the Board and the Taskforce")
    packs.add_argument("--period", metavar="PERIOD_CODE", required=True, help="as 2026-27-Q2")
    packs.add_argument("--stage", choices=("provisional", "final"), default="final", help="default: final")

    site = commands.add_parser("site", help="the public site of what is published, and its preview")
    site.add_argument(
        "action",
        choices=("build", "preview"),
        help="build: make the public one anew; preview: as it will be with all drafts, restricted",
    )

    annual = commands.add_parser("annual-report", help="the report that reports/annual_report.yml asks for")
    annual.add_argument(
        "action", choices=("build", "publish"), help="publish: on the site, once it is laid before Parliament"
    )

    _add_release(commands)
    _add_pages(commands)

    simulate = commands.add_parser(
        "simulate", help="what a proposed table of rules would have flagged; nothing is recorded"
    )
    simulate.add_argument(
        "--rules",
        type=Path,
        metavar="FILE",
        required=True,
        help="a `rules` return (.xlsx, .ods, .zip), or a .csv of its sheet `rules` with what changes",
    )
    simulate.add_argument(
        "--output", type=Path, metavar="FOLDER", help="default: under restricted/simulations, named like FILE"
    )
    simulate.add_argument(
        "--format",
        choices=("text", "csv", "json", "html"),
        default="text",
        help="what is printed: a summary, every right and quarter, the summary for a program, or the page;"
        " the folder holds all (default: text)",
    )

    docs = commands.add_parser("docs", help="dbt's documentation of the served build, as one page")
    docs.add_argument("--output", type=Path, metavar="FILE", help="default: warehouse/dbt-docs.html")

    traced = commands.add_parser(
        "trace", help="from a figure back to the rows, returns and files it was made from"
    )
    where = traced.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--area", metavar="AREA", help="code or name of a police area, as Essex; NAT for btp and mdp"
    )
    where.add_argument("--nation", action="store_true", help="the national figure")
    where.add_argument(
        "--group", metavar="GROUP", help="code or name of a larger geography; of several, region:London"
    )
    traced.add_argument("--body", required=True, metavar="KIND", help="kind of body, as police")
    traced.add_argument("--metric", required=True, metavar="ID", help="metric, question or delivery item")
    traced.add_argument("--period", required=True, metavar="PERIOD_CODE", help="as 2026-27-Q2")
    traced.add_argument("--mode", help="only figures collected so, as census; for feedback the way of asking")
    traced.add_argument("--frame", help="only figures of these cases, as all_cases")
    traced.add_argument("--crime-type", metavar="GROUP", help="the cases of an offence group")
    traced.add_argument("--characteristic", metavar="NAME", help="the cases of a characteristic's --value")
    traced.add_argument("--value", metavar="CODE", help="value of the --characteristic")
    traced.add_argument("--format", choices=("text", "json", "csv"), default="text")

    page = commands.add_parser("ui", help="the web page of the runs, on this machine only")
    page.add_argument("--port", type=int, default=3000, help="default: 3000")

    periods = commands.add_parser("periods", help="the quarters that can be run")
    periods.add_argument("action", choices=("list", "sync"), help="sync: make them known to the web page")

    commands.add_parser("clean", help="delete the data root, if all that came into it is of the sample")
    return main_parser


def _add_release(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    release = commands.add_parser("release", help="open data: draft, audit, approve, publish, withdraw")
    steps = release.add_subparsers(dest="action", metavar="ACTION", required=True)

    build = steps.add_parser(
        "build", help="draft a quarter's next version, withholding until the audit passes"
    )
    build.add_argument("period", metavar="PERIOD_CODE", help="as 2026-27-Q2")
    unscheduled = build.add_mutually_exclusive_group()
    unscheduled.add_argument("--patch", action="store_true", help="a correction, not in the calendar")
    unscheduled.add_argument("--major", action="store_true", help="another meaning or other columns")
    build.add_argument("--reason", help="why there is this version; printed on it (default: the calendar's)")

    words = {
        "audit": "audit a draft again, with everything that is public now",
        "approve": "note that exactly this draft may be published",
        "publish": "publish an approved draft, on its day from the hour of the calendar",
        "withdraw": "take the files of a published version away; its page stays and says why",
    }
    for action, said in words.items():
        step = steps.add_parser(action, help=said)
        step.add_argument("period", metavar="PERIOD_CODE", help="as 2026-27-Q2")
        step.add_argument("version", metavar="VERSION", nargs="?", help="as 1.0.0 (default: the newest)")
        if action in ("approve", "withdraw"):
            step.add_argument("--role", required=True, help="in whose role, as 'head of statistics'; no name")
            step.add_argument("--reason", required=True, help="why, in a few words; no name")
        if action == "approve":
            step.add_argument(
                "--sums", metavar="HASH", help="beginning of the SHA-256 of the SHA256SUMS that was looked at"
            )

    steps.add_parser("list", help="every version and its state, and the days ahead")
    diff = steps.add_parser("diff", help="rows added, removed and revised between two versions")
    diff.add_argument("period", metavar="PERIOD_CODE", help="as 2026-27-Q2")
    diff.add_argument("first", metavar="VERSION", nargs="?", help="default: the one before the second")
    diff.add_argument("second", metavar="VERSION", nargs="?", help="default: the newest")
    diff.add_argument("--format", choices=("text", "json", "csv"), default="text")

    validate = steps.add_parser("validate", help="run every validator on a draft or a published version")
    validate.add_argument("period", metavar="PERIOD_CODE", nargs="?", help="default: the newest there is")
    validate.add_argument("version", metavar="VERSION", nargs="?", help="default: the newest")

    backtest = steps.add_parser("backtest", help="make a version again from its receipts, compare every byte")
    backtest.add_argument("period", metavar="PERIOD_CODE", help="as 2026-27-Q2")
    backtest.add_argument("version", metavar="VERSION", help="as 1.0.0")
    backtest.add_argument(
        "--folder", type=Path, metavar="FOLDER", help="keep what is made there (default: deleted at the end)"
    )


def _add_pages(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    pages = commands.add_parser(
        "pages", help="pages of markdown and SQL: check, build, look at while writing"
    )
    actions = pages.add_subparsers(dest="action", metavar="ACTION", required=True)
    words = {
        "check": "say everything that is wrong with pages, with file and line",
        "build": "write finished pages into a folder",
        "serve": "show pages on this machine, made anew whenever a file is saved",
    }
    for action, said in words.items():
        step = actions.add_parser(action, help=said)
        step.add_argument(
            "pages",
            type=Path,
            nargs="*",
            metavar="PAGE",
            help="files or folders (default: the public site's)",
        )
        if action == "build":
            step.add_argument("--output", type=Path, metavar="FOLDER", required=True)
        if action == "serve":
            step.add_argument("--port", type=int, default=8000, help="default: 8000")
        step.add_argument("--source", choices=("published", "warehouse"), default="published")
        step.add_argument(
            "--drafts", action="store_true", help="with releases still under embargo, marked so"
        )
        step.add_argument(
            "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a value for $NAME in SQL"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an error is one line on the standard error."""
    options = parser().parse_args(arguments)
    try:
        module = importlib.import_module(f"orchestration.commands.{options.command.replace('-', '_')}")
        code: int = module.run(options)
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        print("\nvcc: stopped. What was done is kept; run the command again to go on.", file=sys.stderr)
        return 130
    except Exception as error:
        if os.environ.get("VCC_TRACEBACK"):
            raise
        print(f"vcc: {said(error)}", file=sys.stderr)
        return exit_code(error)
    return code


def exit_code(error: Exception) -> int:
    """Return the exit code for an error: what cannot be used is 2, another run is 3, anything else 1."""
    names = _kinds(error)
    if names & BUSY_ERRORS:
        return BUSY
    return UNUSABLE if names & UNUSABLE_ERRORS else FAILED


def said(error: Exception) -> str:
    """Return the line that a person is shown: the error's own words, or that the program is at fault."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    words = " ".join(str(error).split())
    if _kinds(error) & (UNUSABLE_ERRORS | FAILURES | BUSY_ERRORS):
        return words or type(error).__name__
    return (
        f"This is a fault of the program, not of what was asked ({type(error).__name__}: {words})."
        f" Where it arose is in {_write_log(error)}."
    )


def _kinds(error: Exception) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _write_log(error: Exception) -> str:
    """Keep where an internal error arose, beside the log of the last run; return the name of the file."""
    from orchestration.project import dagster_home

    log = dagster_home() / ERROR_LOG_NAME
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError as refused:
        return f"no log, for {log} cannot be written ({refused.strerror}); set VCC_TRACEBACK=1 to see it"
    return str(log)


if __name__ == "__main__":
    sys.exit(main())
