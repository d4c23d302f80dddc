# SPDX-License-Identifier: Apache-2.0
"""The sync service dies, hangs, is stopped, refuses its configuration, under clients of the gateway: what they see, and what it says."""
import json
import time

import pytest

from machine import TOP, wait

SYNCD = "terrafusion-syncd.service"
GATEWAY = "terrafusion-gateway.service"


@pytest.fixture(autouse=True)
def load_program(machine):
    machine.write("/srv/load.py", (TOP / "tests/bench/load.py").read_text())
    yield
    machine.run("systemctl", "start", SYNCD, GATEWAY, check=False)
    machine.ready()


def load_begin(machine, seconds, *arguments):
    begun = machine.start("python3", "/srv/load.py", "5000", str(seconds), *arguments)
    time.sleep(1)
    return begun


def load_end(begun):
    out, errors = begun.communicate(timeout=60)
    assert begun.returncode == 0, errors
    return json.loads(out)


def syncservice(machine):
    return machine.get("/status", key=None)[1]["syncservice"]


def kill(machine, signal, unit=SYNCD):
    machine.run("systemctl", "kill", "--kill-whom=main", "-s", signal, unit)


def test_killed_ten_times_under_load(machine):
    restarts = syncservice(machine)["restarts"]
    begun = load_begin(machine, 8)
    for _ in range(10):
        kill(machine, "KILL")
        time.sleep(0.5)
    told = load_end(begun)
    print(f"\n{told['answered']} answered, longest {told['max_ms']:.0f} ms, waits {told['waits_ms']}")
    assert told["failed"] == []
    assert set(told["statuses"]) == {"200"} and told["answered"] > 1000
    assert told["max_ms"] < 1000
    after = syncservice(machine)
    assert after["status"] == "running" and after["restarts"] == restarts + 10
    assert after["last_cause"] == "signal 9 (KILL)" and after["last_restart"]


def test_hung_is_killed_and_nobody_notices_but_the_clock(machine):
    restarts = syncservice(machine)["restarts"]
    begun = load_begin(machine, 14)
    kill(machine, "STOP")
    told = load_end(begun)
    print(f"\nlongest {told['max_ms']:.0f} ms")
    assert told["failed"] == []
    assert 2000 < told["max_ms"] < 10000
    after = syncservice(machine)
    assert after["restarts"] == restarts + 1 and after["last_cause"].startswith("it hung")


def test_stop_is_respected(machine):
    begun = load_begin(machine, 4)
    machine.run("systemctl", "stop", SYNCD)
    told = load_end(begun)
    assert machine.show(SYNCD, "ActiveState") == "inactive"
    assert {words.split(" ")[0] for _, words in told["failed"]} == {"503"}
    assert [words for _, words in told["failed"] if "stopped by an administrator" not in words] == []
    status, problem = machine.get("/api/sync/active")
    assert status == 503 and problem["code"] == "TF-6011"
    assert "stopped by an administrator" in problem["detail"] and "/start-syncservice" in problem["remedy"]
    told = syncservice(machine)
    assert told["status"] == "not running" and told["state"] == "stopped" and "administrator" in told["reason"]
    time.sleep(7)       # longer than from one probe to the next
    assert machine.show(SYNCD, "ActiveState") == "inactive"
    status, answer = machine.http("POST", "/start-syncservice", key="wrong")
    assert status == 401
    status, answer = machine.http("POST", "/start-syncservice")
    assert (status, answer["status"]) == (200, "started"), answer
    assert machine.get("/api/sync/active")[0] == 200
    assert machine.get("/start-syncservice")[1]["status"] == "already running"


def test_restart_that_was_asked_for(machine):
    before, pid = syncservice(machine), machine.show(SYNCD, "MainPID")
    begun = load_begin(machine, 4)
    status, answer = machine.get("/start-syncservice?restart=true")
    assert (status, answer["status"]) == (200, "started"), answer
    assert load_end(begun)["failed"] == []
    assert machine.show(SYNCD, "MainPID") != pid
    after = syncservice(machine)
    assert after["restarts"] == before["restarts"] + 1 and after["last_cause"].startswith("asked for")


def test_restart_by_systemctl_loses_nothing(machine):
    begun = load_begin(machine, 4)
    machine.run("systemctl", "restart", SYNCD)
    told = load_end(begun)
    assert told["failed"] == [] and set(told["statuses"]) == {"200"}


def test_gateway_restarts_without_refusing(machine):
    begun = load_begin(machine, 5)
    for _ in range(3):
        kill(machine, "KILL", GATEWAY)
        time.sleep(0.7)
    told = load_end(begun)
    # Requests in flight were cut; no connection was refused.
    assert all(words in ("closed", "ConnectionResetError", "BrokenPipeError") for _, words in told["failed"]), told["failed"]
    assert len(told["failed"]) <= 3 * 8
    assert told["max_ms"] < 2000


def n_starts(machine):
    return len([text for text in machine.messages("-u", SYNCD, "_PID=1") if text.startswith("Starting ")])


def test_broken_configuration_does_not_loop(machine):
    good = machine.path("/etc/terrafusion/terrafusion.yaml").read_text()
    starts = n_starts(machine)
    machine.write("/etc/terrafusion/terrafusion.yaml", good + "limitz: {operations: 2}\n")
    try:
        machine.run("systemctl", "restart", SYNCD, check=False)
        wait(lambda: machine.show(SYNCD, "ActiveState") == "failed", "the service to be failed")
        time.sleep(3)
        assert machine.show(SYNCD, "ActiveState", "Result", "ExecMainStatus") == ["failed", "exit-code", "78"]
        assert n_starts(machine) - starts <= 3         # the one that was asked for, and one for who waited at the socket
        told = syncservice(machine)
        assert (told["status"], told["state"]) == ("not running", "refused")
        assert "limitz" in told["reason"] and "terrafusion.yaml" in told["reason"]
        status, problem = machine.get("/api/sync/active")
        assert status == 503 and "limitz" in problem["detail"], problem
        begun = time.monotonic()
        status, answer = machine.http("POST", "/start-syncservice")
        assert status == 500 and "limitz" in answer["detail"], answer
        assert time.monotonic() - begun < 5
    finally:
        machine.write("/etc/terrafusion/terrafusion.yaml", good)
    status, answer = machine.http("POST", "/start-syncservice")
    assert (status, answer["status"]) == (200, "started"), answer


def test_bus_restarts(machine):
    """While the bus is away nothing is known, and requests go on; then it is watched again."""
    begun = load_begin(machine, 6)
    kill(machine, "KILL", "dbus.service")
    told = load_end(begun)
    assert told["failed"] == []
    wait(lambda: syncservice(machine)["state"] == "running", "the gateway to know the state again", 40)
    restarts = syncservice(machine)["restarts"]
    kill(machine, "KILL")
    wait(lambda: syncservice(machine)["restarts"] == restarts + 1, "the restart to be seen")
