# SPDX-License-Identifier: Apache-2.0
"""Ten minutes of tests/integration/test_late_commit.py's writers."""
import os
import pathlib
import sys

os.environ.setdefault("TERRAFUSION_LATE_SECONDS", "600")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from test_late_commit import test_no_late_commit_is_missed, workloads  # noqa: E402, F401  (found by the line above; pytest takes both)
