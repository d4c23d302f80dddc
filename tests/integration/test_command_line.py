# SPDX-License-Identifier: Apache-2.0
"""terrafusionctl: verbs, signals, exit statuses, and that --json is the JSON of the HTTP API."""
import json
import signal
import subprocess

import pytest
from test_daemons import CTL, grow, service  # noqa: F401 (a fixture)


def start(service, *arguments):  # noqa: F811
    return subprocess.Popen([str(CTL), *arguments], env=service.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_pair_with_its_kind(service, kind):  # noqa: F811
    done = service.ctl("run", f"pacs_to_cama:{kind}", "--wait", "--json")
    assert json.loads(done.stdout)["kind"] == kind, done.stderr


def test_a_pair_with_a_wrong_kind(service):  # noqa: F811
    done = service.ctl("run", "pacs_to_cama:ful", "--wait")
    assert done.returncode == 2 and 'Did you mean "full"' in done.stderr, done
    done = service.ctl("run", "pacs_to_cama:full", "--incremental")
    assert done.returncode == 2 and "names the kind already" in done.stderr, done


def running(service):  # noqa: F811
    active = service.get("/api/sync/active")[1]
    return active and active[0]["status"] == "RUNNING" and active[0]["id"]


def test_a_stopped_unit_cancels_its_operation(service):  # noqa: F811
    """systemctl stop sends SIGTERM to the command that waits."""
    grow(service.county, 200000)
    waiting = start(service, "run", "pacs_to_cama:full", "--wait")
    operation = service.wait(lambda: running(service), "the operation to run")
    waiting.send_signal(signal.SIGTERM)
    assert waiting.wait(60) == 143, waiting.communicate()
    assert service.get(f"/api/sync/status/{operation}")[1]["status"] == "CANCELLED"


def test_an_interrupted_wait_leaves_the_operation(service):  # noqa: F811
    grow(service.county, 60000)
    waiting = start(service, "run", "pacs_to_cama:full", "--wait")
    operation = service.wait(lambda: running(service), "the operation to run")
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(60) == 130
    assert f"terrafusionctl cancel {operation}" in waiting.communicate()[1]
    assert service.finished(operation)["status"] == "COMPLETED"
