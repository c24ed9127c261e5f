from __future__ import annotations

from typing import Any

import pytest

from reports.release.exposures import exposed_tables
from reports.release.publication import PublicColumn, PublicTable


def manifest(**changes: Any) -> dict[str, Any]:
    model = {
        "name": "open_data_local_compliance",
        "schema": "marts",
        "alias": "open_data_local_compliance",
        "fqn": ["victims_code", "marts", "open_data", "open_data_local_compliance"],
        "description": "One row an area.\nFit to be published.",
        "columns": {
            "area_code": {"name": "area_code", "description": "Area code.", "data_type": "varchar"},
            "case_count": {"name": "case_count", "description": "Cases.", "data_type": "bigint"},
        },
        **changes.get("model", {}),
    }
    key_test = {
        "attached_node": "model.victims_code.open_data_local_compliance",
        "test_metadata": {"name": "unique_key", "kwargs": {"columns": ["area_code"]}},
    }
    return {
        "nodes": {
            "model.victims_code.open_data_local_compliance": model,
            "model.victims_code.secret": {
                **model,
                "name": "secret",
                "fqn": ["victims_code", "marts", "secret"],
            },
            "test.victims_code.unique_key": changes.get("key_test", key_test),
        },
        "exposures": {
            "exposure.victims_code.local": {
                "name": "local",
                "label": "Local figures",
                "config": {"meta": {"release": changes.get("release", "open_data")}},
                "depends_on": {
                    "nodes": changes.get("nodes", ["model.victims_code.open_data_local_compliance"])
                },
            },
            "exposure.victims_code.flags": {
                "name": "flags",
                "label": "Flags",
                "config": {"meta": {}},
                "depends_on": {"nodes": ["model.victims_code.secret"]},
            },
        },
    }


def test_only_what_is_exposed_for_open_data_is_published() -> None:
    (table,) = exposed_tables(manifest())

    assert table == PublicTable(
        name="local_compliance",
        mart="marts.open_data_local_compliance",
        title="Local figures",
        description="One row an area. Fit to be published.",
        columns=(
            PublicColumn("area_code", "Area code.", "VARCHAR"),
            PublicColumn("case_count", "Cases.", "BIGINT"),
        ),
        primary_key=("area_code",),
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nodes": ["model.victims_code.secret"]}, "not an open data mart"),
        ({"nodes": ["source.raw.receipts"]}, "not an open data mart"),
        ({"release": "opendata"}, "write open_data"),
        ({"key_test": {}}, "give it a unique_key test"),
        ({"model": {"columns": {}}}, "without a description"),
        (
            {"model": {"columns": {"area_code": {"description": "", "data_type": "varchar"}}}},
            "without a description of area_code",
        ),
    ],
)
def test_an_exposure_that_would_publish_something_else_is_refused(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        exposed_tables(manifest(**changes))
