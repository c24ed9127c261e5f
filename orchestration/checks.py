"""What is promised, as checks on the page: one a contract, with the measured values in its table.

An error blocks everything after it in the same run; a warning is shown and read by a named role.
What belongs here: turning outcomes into checks. What does not: measuring (quality), dbt's tests (dbt brings
them).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from orchestration.assets.outputs import OPEN_DATA
from orchestration.assets.receiving import RECEIPTS
from orchestration.metadata import link, markdown_table
from orchestration.project import Project
from orchestration.resources import OneRunAtATime, Progress
from orchestration.warehouse import WarehouseError

CHECKING = "Checking contracts"
CONTRACT = "contract"


def contract_keys(project: Project) -> dict[str, dg.AssetKey]:
    """Return contract -> key of the table it speaks of."""
    from quality.verify import contract_datasets

    if not any(project.contracts_folder.glob("*.yml")):
        return {}
    return {
        contract: dg.AssetKey(dataset.split("."))
        for contract, dataset in contract_datasets(project.contracts_folder).items()
    }


def build_contract_checks(project: Project) -> list[dg.AssetChecksDefinition]:
    """Return the step that verifies the candidate, with one blocking check a contract."""
    keys = contract_keys(project)
    if not keys:
        return []

    @dg.multi_asset_check(
        name="contracts",
        specs=[
            dg.AssetCheckSpec(
                CONTRACT,
                asset=key,
                blocking=True,
                description=f"Every promise of the contract {contract} on this table, measured on the"
                " candidate build.",
            )
            for contract, key in keys.items()
        ],
    )
    def contracts(
        context: dg.AssetCheckExecutionContext,
        project: dg.ResourceParam[Project],
        progress: dg.ResourceParam[Progress],
        one_run_at_a_time: OneRunAtATime,
    ) -> Iterator[dg.AssetCheckResult]:
        """Measure the candidate, keep the outcomes, and report each contract."""
        progress(CHECKING, 0, len(keys))
        outcomes = measured_outcomes(project)
        progress(CHECKING, len(keys), len(keys))
        for contract, key in keys.items():
            about = [outcome for outcome in outcomes if outcome["contract"] == contract]
            result = contract_result(contract, key, about)
            if not result.passed:
                # Seen on the run's own page, above the line that says what was not executed.
                context.log.error(f"{contract}: {result.description}")
            yield result

    return [contracts]


def measured_outcomes(project: Project) -> Sequence[Mapping[str, Any]]:
    """Return the outcomes of the candidate's contracts, measured now or kept from when it was verified."""
    from quality.verify import verify, write_outcomes

    build = project.warehouse.build(project.build_id())
    kept = project.checks_path(build.build_id)
    if build.is_verified and kept.is_file():
        return list(json.loads(kept.read_bytes())["outcomes"])
    attempt = project.warehouse.finished_attempt(build.build_id)
    if attempt is None and not build.is_verified:
        raise WarehouseError(
            f"Build {build.build_id} has no finished file to check; launch the whole job 'quarter' to"
            " make it."
        )
    path = build.path if build.is_verified or attempt is None else attempt.path
    written = write_outcomes(verify(path, project.contracts_folder), kept.parent, build.build_id)
    return list(json.loads(written.read_bytes())["outcomes"])


def contract_result(
    contract: str, key: dg.AssetKey, outcomes: Sequence[Mapping[str, Any]]
) -> dg.AssetCheckResult:
    """Return one contract's check: failed if a promise is broken, an error if such a promise blocks."""
    failed = [outcome for outcome in outcomes if not outcome["passed"]]
    has_error = not outcomes or any(outcome["severity"] == "error" for outcome in failed)
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CONTRACT,
        passed=bool(outcomes) and not failed,
        severity=dg.AssetCheckSeverity.ERROR if has_error else dg.AssetCheckSeverity.WARN,
        description=sentence(contract, outcomes, failed),
        metadata={
            "promises broken": len(failed),
            **({"what is broken": _table(failed)} if failed else {}),
            "all promises": _table(outcomes),
        },
    )


def sentence(
    contract: str, outcomes: Sequence[Mapping[str, Any]], failed: Sequence[Mapping[str, Any]]
) -> str:
    """Say in one line how the contract stands; the first broken promise in its own words."""
    if not outcomes:
        return f"The contract {contract} was not measured, which counts as broken."
    if not failed:
        return f"All {len(outcomes)} promises kept."
    first = failed[0]
    promise = first["title"] or first["check"]
    return (
        f"{len(failed)} of {len(outcomes)} promises broken. {promise} (measured {first['measured']},"
        f" {first['threshold']}). {first['detail']}"
    )


def _table(outcomes: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    return markdown_table(
        ("promise", "kept", "if broken", "measured", "limit", "detail"),
        [
            (
                outcome["title"] or outcome["check"],
                "yes" if outcome["passed"] else "NO",
                "blocks" if outcome["severity"] == "error" else "warns",
                outcome["measured"],
                outcome["threshold"],
                outcome["detail"],
            )
            for outcome in outcomes
        ],
    )


@dg.asset_check(
    asset=RECEIPTS,
    blocking=True,
    description="Each receipt carries the hash of the one before it: a receipt changed or taken out shows"
    " here.",
)
def ledger_is_intact(project: dg.ResourceParam[Project]) -> dg.AssetCheckResult:
    """Verify the chain of receipts."""
    from ingest.receipts import Ledger

    check = Ledger(project.root.receipts).verify()
    faults = check.faults
    return dg.AssetCheckResult(
        passed=check.is_sound,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"The chain of {check.receipts} receipts is whole." if check.is_sound else faults[0],
        metadata={
            "ledger": link(project.root.receipts),
            "faults": markdown_table(("fault",), [(f,) for f in faults]),
        },
    )


@dg.asset_check(
    asset=RECEIPTS,
    description="Returns that were refused and have not been replaced by an accepted one. The earlier"
    " accepted return, if there is one, stays current.",
)
def no_return_is_refused(project: dg.ResourceParam[Project]) -> dg.AssetCheckResult:
    """List the refused returns that nothing has replaced yet."""
    refused = refused_returns(project)
    return dg.AssetCheckResult(
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            "Every sender's latest return was accepted."
            if not refused
            else f"{len(refused)} refused returns have not been replaced."
        ),
        metadata={
            "refused": markdown_table(
                ("receipt", "sender", "period", "file", "problems", "first problem"),
                [
                    (
                        receipt.receipt_id,
                        receipt.sender_code,
                        receipt.period_code,
                        receipt.file_name,
                        receipt.problem_count,
                        receipt.problems[0].message if receipt.problems else "",
                    )
                    for receipt in refused
                ],
            )
        },
    )


def refused_returns(project: Project) -> list[Any]:
    """Return the receipts of refused returns whose sender has had none accepted since for that period.

    A refusal without a period, of a file that could not be read, ends with any later acceptance.
    """
    from ingest.receipts import Ledger

    open_refusals: dict[Any, Any] = {}
    for receipt in Ledger(project.root.receipts).read():
        if receipt.outcome in ("rejected", "quarantined"):
            open_refusals[receipt.key] = receipt
        elif receipt.is_accepted:
            open_refusals.pop(receipt.key, None)
            # What could not be read names no period: whatever its sender gets accepted later replaces it.
            unread = [key for key in open_refusals if key[0] == receipt.sender_code and key[2] is None]
            for key in unread:
                del open_refusals[key]
    return list(open_refusals.values())


AUDIT, VALIDATORS, PUBLIC_CONTRACTS = "audit", "validators", "public_contracts"
VALIDATING = "Validating draft releases"


@dg.multi_asset_check(
    name="release_checks",
    specs=[
        dg.AssetCheckSpec(
            AUDIT,
            asset=OPEN_DATA,
            blocking=True,
            description="A program that knows everything published tries to undo each draft, and fails to.",
        ),
        dg.AssetCheckSpec(
            VALIDATORS,
            asset=OPEN_DATA,
            blocking=True,
            description="Strangers' validators and our own accept the files of each draft.",
        ),
        dg.AssetCheckSpec(
            PUBLIC_CONTRACTS,
            asset=OPEN_DATA,
            blocking=True,
            description="The contracts of the public tables, measured on the files of each draft.",
        ),
    ],
)
def release_checks(
    project: dg.ResourceParam[Project],
    progress: dg.ResourceParam[Progress],
    one_run_at_a_time: OneRunAtATime,
) -> Iterator[dg.AssetCheckResult]:
    """Report on every draft that lies ready: the audit as it was noted, validators and contracts run now."""
    from orchestration.releasing.comparing import with_files
    from orchestration.releasing.promoting import Releases, audit_lines
    from orchestration.releasing.validating import CONTRACTS, validated

    releases = Releases(project)
    drafts = [state for state in with_files(releases) if not state.was_published]
    lines = [audit_lines(releases, state) for state in drafts]
    yield release_result(
        AUDIT,
        {state.release_id: faults for state, (faults, _) in zip(drafts, lines, strict=True)},
        ("draft", "knew", "narrowest", "withheld"),
        [line for _, line in lines],
    )
    faults: dict[str, dict[str, list[str]]] = {VALIDATORS: {}, PUBLIC_CONTRACTS: {}}
    rows: dict[str, list[tuple[object, ...]]] = {VALIDATORS: [], PUBLIC_CONTRACTS: []}
    for done, state in enumerate(drafts):
        progress(VALIDATING, done, len(drafts))
        for name, found in validated(releases, state).items():
            check = PUBLIC_CONTRACTS if name == CONTRACTS else VALIDATORS
            faults[check].setdefault(state.release_id, []).extend(f"{name}: {fault}" for fault in found)
            rows[check].append((state.release_id, name, "valid" if not found else len(found)))
    progress(VALIDATING, len(drafts), len(drafts))
    for check in (VALIDATORS, PUBLIC_CONTRACTS):
        yield release_result(check, faults[check], ("draft", "validator", "faults"), rows[check])


def release_result(
    check: str,
    faults: Mapping[str, Sequence[str]],
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
) -> dg.AssetCheckResult:
    """Return one check on all drafts: failed, and blocking, if any of them has a fault."""
    found = [f"{release}: {fault}" for release, own in faults.items() for fault in own]
    return dg.AssetCheckResult(
        asset_key=OPEN_DATA,
        check_name=check,
        passed=not found,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(faults)} drafts, no fault." if not found else f"{len(found)} faults. {found[0]}",
        metadata={
            "drafts": markdown_table(tuple(header), [tuple(row) for row in rows]),
            **({"faults": markdown_table(("fault",), [(each,) for each in found[:100]])} if found else {}),
        },
    )


RELEASE_CHECKS = [release_checks]
RECEIPT_CHECKS = [ledger_is_intact, no_return_is_refused]
