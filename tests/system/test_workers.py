# SPDX-License-Identifier: Apache-2.0
"""What happens to a worker's unit becomes the cause of its attempt, and the operation goes on from where it was."""
import contextlib
import json
import time

import pytest

from conftest import BIG
from machine import wait

UNIT_DROP_IN = "/run/systemd/system/terrafusion-operation@.service.d/90-test.conf"
SERVICE = "terrafusion-operation@{}.service"


@contextlib.contextmanager
def setting(machine, text, path=UNIT_DROP_IN):
    """A drop-in for as long as the block lasts. /run is the machine's own memory, so it is written from within."""
    folder = path.rpartition("/")[0]
    machine.run("mkdir", "-p", folder)
    machine.run("tee", path, text=text)
    machine.run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        machine.run("rm", "-f", path)
        machine.run("systemctl", "daemon-reload")


def target_empty(machine):
    """The big county before its first sync: an empty target, and nothing known of it."""
    tables = [row["name"] for row in machine.sql(f"{BIG}/cama.db", "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'")]
    machine.as_service("sqlite3", f"{BIG}/cama.db", "".join(f"delete from {table};" for table in tables))
    machine.shell("rm -f /var/lib/terrafusion/pairs/big.* /var/lib/terrafusion/journals/big-*")


def in_the_middle(machine, number, least=20000, most=180000):
    """Waits until so many records are read."""
    def read():
        operation = machine.operation(number)
        assert operation["status"] in ("PENDING", "RUNNING"), operation
        return operation["records_processed"] > least and operation["records_processed"]
    n = wait(read, "the worker to be in the middle", 30, step=0)
    assert n < most, f"{n} records were read already"
    return n


def begin(machine, pair="big", kind="full"):
    status, answer = machine.http("POST", "/api/sync/operations", {"sync_pair_id": pair, "kind": kind})
    assert status == 202, answer
    return answer["id"]


def causes(operation):
    return [attempt["error"]["detail"] for attempt in operation.get("attempt_list", []) if attempt.get("error")]


def big_agrees(machine):
    """By plain SQL, which shares nothing with the service."""
    values = machine.sql(f"{BIG}/pacs.db", "select count(*) n, sum(assessed_val) total from property_val")[0]
    there = machine.sql(f"{BIG}/cama.db", "select count(*) n, sum(assessed_value) total from assessment")[0]
    assert (there["n"], float(there["total"])) == (values["n"], float(values["total"]))
    for source, target in (("property", "parcel"), ("imprv", "improvement"), ("land_detail", "land"), ("sale", "sale")):
        assert machine.sql(f"{BIG}/cama.db", f"select count(*) n from {target}") == machine.sql(f"{BIG}/pacs.db", f"select count(*) n from {source}"), target


def test_killed_in_the_middle(machine):
    target_empty(machine)
    number = begin(machine)
    n = in_the_middle(machine, number)
    machine.run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", SERVICE.format(number))
    begun = time.monotonic()
    operation = machine.finished(number)
    print(f"killed at {n} records, completed {time.monotonic() - begun:.1f} s later")
    assert operation["status"] == "COMPLETED", operation
    assert operation["attempts"] == 2
    assert causes(operation) == ["The worker was killed by signal 9 (SIGKILL)"]
    assert sum(result["inserted"] for result in operation["results"].values()) > 150000
    big_agrees(machine)
    assert any("killed by signal 9" in text for text in machine.messages(f"OPERATION_ID={number}"))
    assert machine.show(SERVICE.format(number), "ActiveState") == "inactive"       # nothing failed is left over


def test_hung(machine):
    target_empty(machine)
    with setting(machine, "[Service]\nWatchdogSec=2\n"):
        number = begin(machine)
        in_the_middle(machine, number)
        machine.run("systemctl", "kill", "--kill-whom=main", "-s", "STOP", SERVICE.format(number))
        begun = time.monotonic()
        operation = machine.finished(number)
    print(f"hung worker: completed {time.monotonic() - begun:.1f} s later (WatchdogSec=2)")
    assert operation["status"] == "COMPLETED", operation
    assert causes(operation) == ["The worker gave no sign of life for too long and was killed (watchdog)"]
    big_agrees(machine)


def test_out_of_memory(machine):
    """Needs the unified hierarchy of control groups: with the old one systemd does not learn of it."""
    if not machine.path("/sys/fs/cgroup").exists() or machine.run("stat", "-fc", "%T", "/sys/fs/cgroup").stdout.strip() != "cgroup2fs":
        pytest.skip("this machine's control groups are of version 1: no memory limit for the container's units")
    target_empty(machine)
    with setting(machine, "[Service]\nMemoryMax=6M\n"):
        number = begin(machine)
        wait(lambda: causes(machine.operation(number)), "an attempt to end")
    operation = machine.finished(number)
    assert causes(operation)[0].endswith("was killed (oom-kill)")
    assert operation["status"] == "COMPLETED"


def test_unit_fails_at_its_start(machine):
    """What systemd cannot set up: said in the attempt, and tried again until it can."""
    target_empty(machine)
    with setting(machine, "[Service]\nReadWritePaths=/no/such/folder\n"):
        number = begin(machine)
        wait(lambda: len(causes(machine.operation(number))) >= 2, "two attempts to fail")
        wait(lambda: (o := machine.operation(number))["status"] == "PENDING" and o["waiting_for"] == "attempt", "it to wait for its next attempt")
    operation = machine.finished(number)
    assert operation["status"] == "COMPLETED"
    assert set(causes(operation)) == {"systemd could not set the worker up (status 226, NAMESPACE)"}
    remedies = [attempt["error"]["remedy"] for attempt in operation.get("attempt_list", []) if attempt.get("error")]
    assert "ReadWritePaths=" in remedies[0]
    big_agrees(machine)


def test_refused_by_systemd(machine):
    """A person has to mend it, so the operation fails at once, with systemd's own words."""
    machine.run("systemctl", "mask", "--runtime", "terrafusion-operation@.service")
    try:
        operation = machine.finished(begin(machine))
    finally:
        machine.run("systemctl", "unmask", "--runtime", "terrafusion-operation@.service")
    assert operation["status"] == "FAILED"
    assert "masked" in operation["error_message"], operation
    assert "systemctl unmask" in operation["error"]["remedy"]
    assert "masked" in causes(operation)[0]


def test_workers_go_on_while_syncd_restarts(machine):
    target_empty(machine)
    number = begin(machine)
    in_the_middle(machine, number)
    worker = machine.show(SERVICE.format(number), "MainPID")
    machine.run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "terrafusion-syncd.service")
    operation = machine.finished(number)
    assert operation["status"] == "COMPLETED" and operation["attempts"] == 1, operation
    assert worker in {line["_PID"] for line in machine.journal(f"_SYSTEMD_UNIT={SERVICE.format(number)}")}
    big_agrees(machine)


def test_worker_dies_while_syncd_is_away(machine):
    """Its unit keeps how it ended until syncd is back to read it."""
    target_empty(machine)
    number = begin(machine)
    in_the_middle(machine, number)
    machine.run("systemctl", "stop", "terrafusion-syncd.service")
    machine.run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", SERVICE.format(number))
    wait(lambda: machine.show(SERVICE.format(number), "ActiveState") == "failed", "the worker's unit to fail")
    machine.run("systemctl", "start", "terrafusion-syncd.service")
    operation = machine.finished(number)
    assert operation["status"] == "COMPLETED", operation
    assert causes(operation) == ["The worker was killed by signal 9 (SIGKILL)"]
    big_agrees(machine)
    assert machine.show(SERVICE.format(number), "ActiveState") == "inactive"


def test_bus_restarts_under_a_run(machine):
    target_empty(machine)
    number = begin(machine)
    in_the_middle(machine, number)
    before = machine.show("terrafusion-syncd.service", "NRestarts")
    machine.run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "dbus.service")
    second = begin(machine, "gis_to_cama", "incremental")
    for each in (number, second):
        operation = machine.finished(each)
        assert operation["status"] == "COMPLETED", operation
        assert operation["attempts"] == 1, operation
    assert machine.show("terrafusion-syncd.service", "NRestarts") == before
    wait(lambda: machine.run("busctl", "status", "org.terrafusion.Sync1", check=False).returncode == 0, "the name to be back on the bus")
    machine.run("terrafusionctl", "run", "gis_to_cama", "--wait")
    big_agrees(machine)


def test_missing_credential(machine):
    """A clear line with its remedy, in the operation and in the journal; the file that is named there mends it."""
    machine.run("tee", "/etc/terrafusion/terrafusion.d/later.yaml",
                text="systems: {later: {kind: postgresql, access: read, connection: host=127.0.0.1 port=1 user=x dbname=x, credential: later-password}}\n")
    machine.run("systemctl", "restart", "terrafusion-syncd.service")
    machine.ready()
    try:
        status, answer = machine.http("POST", "/api/systems/later/check")
        assert status == 202, answer
        operation = machine.finished(answer["id"])
        assert operation["status"] == "FAILED" and 'The credential "later-password" is missing' in operation["error_message"], operation
        assert "/etc/terrafusion/credentials/later-password" in operation["error"]["remedy"]
        assert any("/etc/terrafusion/credentials/later-password" in text for text in machine.messages(f"OPERATION_ID={answer['id']}"))
        machine.run("tee", "/etc/terrafusion/credentials/later-password", text="geheim\n")
        number = machine.http("POST", "/api/systems/later/check")[1]["id"]
        wait(lambda: causes(machine.operation(number)), "an attempt to end")
        assert "missing" not in json.dumps(machine.operation(number))               # found: now it is the server that is not there
        machine.http("POST", f"/api/sync/operations/{number}/cancel")
        assert "geheim" not in json.dumps(machine.journal("-b"))
    finally:
        machine.run("rm", "-f", "/etc/terrafusion/terrafusion.d/later.yaml", "/etc/terrafusion/credentials/later-password")
        machine.run("systemctl", "restart", "terrafusion-syncd.service")
        machine.ready()
