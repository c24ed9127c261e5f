"""Copies for analysts, made by processes that kill themselves: python killed_copy.py DATA_ROOT, then lines of
`BUILD_ID STEP`, each answered with the status of its process. Part of test_serving.py, not a test.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import duckdb  # noqa: F401 - once, before any process is forked

from ingest.paths import DataRoot
from orchestration.serving import Serving
from orchestration.warehouse import Warehouse

#: What a step is: any change to names, modes or files, of which Python tells before it is made.
STEPS = {"os.mkdir", "os.rename", "os.symlink", "os.remove", "os.rmdir", "os.chmod", "os.utime", "open"}
#: Where these say that a name is relative to an open folder, as when a whole folder is deleted.
RELATIVE = {"os.remove", "os.rmdir"}


def publish_and_die(root: DataRoot, build_id: str, step: int) -> None:
    """Publish a build; die before the given step."""
    taken = 0

    def die(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal taken
        is_inside = any(str(argument).startswith(str(root.serving)) for argument in arguments[:2])
        if event in STEPS and (is_inside or (event in RELATIVE and arguments[1] != -1)):
            taken += 1
            if taken == step:
                os.kill(os.getpid(), signal.SIGKILL)

    def told(done: int, total: int) -> None:
        # Python is not told of what DuckDB writes: die between its tables too.
        die("open", (str(root.serving),))

    sys.addaudithook(die)
    Serving(root).publish(Warehouse(root).build(build_id), {}, told)


def main() -> None:
    """Fork a process for every line."""
    root = DataRoot(Path(sys.argv[1]))
    for line in sys.stdin:
        build_id, step = line.split()
        child = os.fork()
        if not child:
            publish_and_die(root, build_id, int(step))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
