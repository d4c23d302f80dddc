# SPDX-License-Identifier: Apache-2.0
"""The machine loses its power, or is switched off, in the middle of a run: after the boot the run completes by itself. Last of all, since it boots
the machine that the other tests share."""
import time

import pytest

from conftest import BIG
from machine import wait
from test_workers import SERVICE, begin, big_agrees, causes, in_the_middle, target_empty


@pytest.mark.parametrize("how", ["power lost", "poweroff"])
def test_off_in_the_middle(machine, how):
    machine.run("systemctl", "enable", "terrafusion.target")
    target_empty(machine)
    number = begin(machine)
    n = in_the_middle(machine, number)
    if how == "power lost":
        machine.power_off()
    else:
        machine.shut_down()
    assert machine.sql_outside(f"{BIG}/cama.db", "select count(*) from sale") == 0          # not done yet
    begun = time.monotonic()
    machine.boot()
    machine.ready()                                                             # nobody started anything
    ready = time.monotonic() - begun
    operation = machine.finished(number)
    print(f"{how} at {n} records: ready {ready:.1f} s after the switch, the run complete {time.monotonic() - begun:.1f} s after it")
    assert operation["status"] == "COMPLETED", operation
    assert operation["attempts"] == 2, operation
    if how == "power lost":
        assert causes(operation) == ["The worker ended without an outcome"]
    assert sum(result["inserted"] for result in operation["results"].values()) > 150000
    big_agrees(machine)
    assert machine.show(SERVICE.format(number), "ActiveState") == "inactive"
    failed = machine.run("systemctl", "list-units", "--failed", "--plain", "--no-legend", "terrafusion*").stdout
    assert failed == ""


def test_schedule_after_a_boot(machine):
    """What the generator makes is there before anything of ours runs, so that syncd need not have it made."""
    wait(lambda: machine.run("test", "-e", "/run/systemd/generator/terrafusion-operation@.service.d/50-config.conf", check=False).returncode == 0, "the drop-in")
    texts = machine.messages("-b", "_PID=1")
    assert not any(text.startswith("Reloading") for text in texts), [text for text in texts if text.startswith("Reloading")]
