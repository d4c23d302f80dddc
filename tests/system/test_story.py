# SPDX-License-Identifier: Apache-2.0
"""One operation by every way in, told once by all of them; the units' own promises."""
import json
import re

import pytest

from machine import TOP, wait

UNITS = ["terrafusion-gateway.service", "terrafusion-syncd.service", "terrafusion-operation@.service", "terrafusion-sync@.service"]
EXPOSURE_MAX = 1.5


def by_bus(machine, member, *arguments):
    text = machine.run("busctl", "--json=short", "call", "org.terrafusion.Sync1", "/org/terrafusion/Sync1", "org.terrafusion.Sync1.Manager",
                       member, *arguments).stdout
    return json.loads(json.loads(text)["data"][0])


def test_target_starts_all_of_it(machine):
    for unit in ("terrafusion.target", "terrafusion-gateway.socket", "terrafusion-syncd.socket", "terrafusion-gateway.service",
                 "terrafusion-syncd.service"):
        assert machine.show(unit, "ActiveState") == "active", unit
    failed = machine.run("systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout
    assert failed == ""


def test_units_are_verified_without_a_word(machine):
    files = machine.shell("ls /lib/systemd/system/terrafusion*").split()
    assert len(files) >= 7
    done = machine.run("systemd-analyze", "verify", *files)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("unit", UNITS)
def test_exposure(machine, unit):
    text = machine.run("systemd-analyze", "security", "--no-pager", unit.replace("@", "@00000000-0000-7000-8000-000000000000")).stdout
    exposure = float(re.search(r"Overall exposure level for .*: ([0-9.]+) ", text).group(1))
    print(f"{unit}: {exposure}")
    assert exposure <= EXPOSURE_MAX


def test_one_operation_by_every_way_in(machine):
    """Started by D-Bus, read by HTTP, by the command line and in the journal."""
    path = json.loads(machine.run("busctl", "--json=short", "call", "org.terrafusion.Sync1", "/org/terrafusion/Sync1",
                                  "org.terrafusion.Sync1.Manager", "StartOperation", "ssa{sv}", "pacs_to_cama", "full", "0").stdout)["data"][0]
    number = json.loads(json.loads(machine.run("busctl", "--json=short", "call", "org.terrafusion.Sync1", path, "org.terrafusion.Sync1.Operation",
                                               "Get").stdout)["data"][0])["id"]
    by_http = machine.finished(number)
    assert by_http["status"] == "COMPLETED", by_http
    assert sum(result["inserted"] for result in by_http["results"].values()) > 100000
    assert by_bus(machine, "GetOperation", "s", number)["results"] == by_http["results"]
    by_command = json.loads(machine.run("terrafusionctl", "show", number, "--json").stdout)
    assert by_command["results"] == by_http["results"] and by_command["attempt_list"] == by_http["attempt_list"]
    lines = machine.journal(f"OPERATION_ID={number}")
    texts = [line["MESSAGE"] for line in lines]
    assert "uid:0 asked for a run of pacs_to_cama (full) over dbus." in texts and "Began attempt 1 of the full run of pacs_to_cama." in texts
    assert any(text.startswith("The full run of pacs_to_cama completed after ") for text in texts)
    assert {line.get("SYNC_PAIR") for line in lines} == {"pacs_to_cama"}
    assert {line["_SYSTEMD_UNIT"] for line in lines} == {"terrafusion-syncd.service", f"terrafusion-operation@{number}.service"}


def test_sync_by_http(machine):
    status, answer = machine.http("POST", "/api/sync/full", {"sync_pair_id": "gis_to_cama"})
    assert status == 200, answer
    assert machine.finished(answer["id"])["status"] == "COMPLETED"


def test_sync_by_unit(machine):
    machine.run("systemctl", "start", "terrafusion-sync@pacs_to_erp:full.service")
    newest = machine.newest("pacs_to_erp")
    assert (newest["status"], newest["kind"]) == ("COMPLETED", "full")
    machine.run("systemctl", "start", "terrafusion-sync@pacs_to_cama")
    newest = machine.newest("pacs_to_cama")
    assert (newest["status"], newest["kind"]) == ("COMPLETED", "incremental")


def test_unit_fails_when_its_run_fails(machine):
    unit = "terrafusion-sync@no_such_pair.service"
    assert machine.run("systemctl", "start", unit, check=False).returncode != 0
    assert machine.show(unit, "ActiveState", "Result") == ["failed", "exit-code"]
    assert any("no_such_pair" in text for text in machine.messages("-u", unit))
    machine.run("systemctl", "reset-failed", unit)


def test_both_sides_agree(machine):
    count = machine.as_service("terrafusion-sample", "count", "/var/lib/terrafusion/sample", check=False)
    assert count.returncode == 0, count.stdout
