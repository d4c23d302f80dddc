# SPDX-License-Identifier: Apache-2.0
"""The daemons' own units: the next request after a kill, the watchdog, no loop at a start, credentials. What clients see of it: test_recovery.py."""
import time

from machine import wait
from test_story import by_bus
from test_workers import setting

SYNCD, GATEWAY = "terrafusion-syncd.service", "terrafusion-gateway.service"
SYNCD_DROP_IN = "/run/systemd/system/terrafusion-syncd.service.d/90-test.conf"
BROKEN = "/etc/terrafusion/terrafusion.d/broken.yaml"

def restarts(machine, unit=SYNCD):
    return int(machine.show(unit, "NRestarts"))


def test_next_request_after_a_kill(machine):
    before = restarts(machine)
    machine.run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", SYNCD)
    begun = time.monotonic()
    status, pairs = machine.get("/api/pairs")
    print(f"kill -9 of syncd: the next request answered after {(time.monotonic() - begun) * 1000:.0f} ms")
    assert status == 200 and len(pairs) == 4
    assert restarts(machine) == before + 1
    assert any("killed" in text for text in machine.messages("-u", SYNCD, "-n", "20"))


def test_gateway_killed(machine):
    """Its socket stays open: who comes meanwhile waits and is answered."""
    before = restarts(machine, GATEWAY)
    machine.run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", GATEWAY)
    begun = time.monotonic()
    assert machine.get("/status", key=None)[0] == 200
    print(f"kill -9 of the gateway: the next request answered after {(time.monotonic() - begun) * 1000:.0f} ms")
    assert restarts(machine, GATEWAY) == before + 1


def test_hung(machine):
    """SIGSTOP: nobody answers and nobody died; the watchdog ends it."""
    with setting(machine, "[Service]\nWatchdogSec=1\n", SYNCD_DROP_IN):
        machine.run("systemctl", "restart", SYNCD)
        machine.ready()
        before = restarts(machine)
        begun = time.monotonic()
        machine.run("systemctl", "kill", "--kill-whom=main", "-s", "STOP", SYNCD)
        status, _ = machine.get("/api/pairs")
        print(f"SIGSTOP of syncd: the next request answered after {time.monotonic() - begun:.1f} s (WatchdogSec=1)")
        assert status == 200
        wait(lambda: restarts(machine) > before, "the watchdog")
        assert any("Watchdog timeout" in text for text in machine.messages("-u", SYNCD, "-n", "40"))
    machine.run("systemctl", "restart", SYNCD)
    machine.ready()


def test_broken_configuration_answers_who_waits(machine):
    """systemd would start it again for each connection that waits at its socket: they are answered first."""
    machine.run("tee", BROKEN, text="systems: {pacs: {kind: sqllite, path: /x}}\n")
    try:
        assert machine.run("systemctl", "restart", SYNCD, check=False).returncode != 0
        assert machine.show(SYNCD, "ActiveState", "ExecMainStatus", "Result") == ["failed", "78", "exit-code"]
        since = machine.run("date", "+%s.%N").stdout.strip()
        status, answer = machine.get("/api/pairs", port=8000)
        assert status == 503 and "journalctl" in answer["remedy"], answer
        time.sleep(2)
        starts = [text for text in machine.messages("-u", SYNCD, f"--since=@{since}") if text.startswith("Starting ")]
        assert 1 <= len(starts) <= 2, starts
        lines = machine.messages("-u", SYNCD, "-n", "60")
        assert any("broken.yaml:1:" in text and "sqlite" in text for text in lines), lines       # file, line, and what was meant
    finally:
        machine.run("rm", BROKEN)
    machine.run("systemctl", "start", SYNCD)
    machine.ready()


def test_dying_at_its_start_slows_itself(machine):
    """systemd starts it again at once and for ever; it must not spin."""
    with setting(machine, "[Service]\nEnvironment=STATE_DIRECTORY=/dev/null/no LOG_LEVEL=info\nRestartPreventExitStatus=\nReadWritePaths=\n", SYNCD_DROP_IN):
        since = machine.run("date", "+%s.%N").stdout.strip()
        machine.run("systemctl", "restart", SYNCD, check=False)
        time.sleep(4)
        texts = machine.messages("-u", SYNCD, f"--since=@{since}")
        n = len([text for text in texts if text.startswith("Starting ")])
        print(f"a syncd that dies at its start was started {n} times in 4 s")
        assert 5 <= n <= 15
        assert any("times in a row" in text for text in texts)
        wait(lambda: "Waits" in machine.show(SYNCD, "StatusText"), "its word that it waits")
    machine.run("systemctl", "restart", SYNCD)
    machine.ready()


def test_credentials_of_the_folder(machine):
    """A key as a credential; an empty one is a clear line, no folder at all is no trouble."""
    machine.run("tee", "/etc/terrafusion/credentials/api-key", text="geheim\n")
    try:
        machine.run("systemctl", "restart", SYNCD, GATEWAY)
        wait(lambda: machine.get("/api/pairs", key="geheim")[0] == 200, "the key of the credential")
        assert machine.get("/api/pairs")[0] == 401
        machine.run("tee", "/etc/terrafusion/credentials/api-key", text="\n")
        assert machine.run("systemctl", "restart", SYNCD, check=False).returncode != 0
        assert machine.show(SYNCD, "ExecMainStatus") == "78"
        assert any('"api-key" cannot be used: it is empty' in text and "/etc/terrafusion/credentials" in text
                   for text in machine.messages("-u", SYNCD, "-n", "20"))
    finally:
        machine.run("rm", "-rf", "/etc/terrafusion/credentials")
    machine.run("systemctl", "restart", SYNCD, GATEWAY)
    machine.ready()
    machine.run("systemd-tmpfiles", "--create", "terrafusion.conf")


def test_activated_by_the_bus(machine):
    machine.run("systemctl", "stop", SYNCD)
    assert by_bus(machine, "ListActive") == []
    assert machine.show(SYNCD, "ActiveState") == "active"
