# SPDX-License-Identifier: Apache-2.0
"""The pairs' schedules as systemd's timers, and what workers may use, made by the generator."""
import time


from conftest import BIG
from machine import wait

DROP_IN = "/run/systemd/generator/terrafusion-operation@.service.d/50-config.conf"
MAPPING = "/etc/terrafusion/mappings/{}.yaml"
SHIPPED = "/usr/local/share/terrafusion/mappings/{}.yaml"


def timers(machine):
    text = machine.run("systemctl", "list-units", "--type=timer", "--plain", "--no-legend", "terrafusion-sync@*").stdout
    return {line.split()[0]: line.split()[2] for line in text.splitlines()}


def scheduled(machine, pair, text):
    """The pair's mapping with a schedule of its own, in effect after a reload. Without text: the shipped one again."""
    if text is None:
        machine.run("rm", MAPPING.format(pair))
    else:
        shipped = machine.run("cat", SHIPPED.format(pair)).stdout
        machine.run("tee", MAPPING.format(pair), text=shipped.replace("\nsource:", f"\nschedule:\n{text}\nsource:", 1))
    machine.run("systemctl", "reload", "terrafusion-syncd.service")


def test_workers_get_what_the_configuration_says(machine):
    wait(lambda: f'ReadWritePaths="-{BIG}"\n' in (text := machine.run("cat", DROP_IN, check=False).stdout) and "MemoryMax=536870912\n" in text,
         "the sync service to have had the drop-in made")
    unit = "terrafusion-operation@00000000-0000-7000-8000-000000000000.service"
    assert machine.show(unit, "MemoryMax") == str(512 << 20)
    assert BIG in machine.show(unit, "ReadWritePaths")


def test_limit_changes_with_a_reload(machine):
    machine.run("tee", "/etc/terrafusion/terrafusion.d/limit.yaml", text="limits: {worker_memory: 300M}\n")
    machine.run("systemctl", "reload", "terrafusion-syncd.service")
    unit = "terrafusion-operation@00000000-0000-7000-8000-000000000000.service"
    wait(lambda: machine.show(unit, "MemoryMax") == str(300 << 20), "the new limit")
    # Changed while the sync service is down: it sees that at its start.
    machine.run("systemctl", "stop", "terrafusion-syncd.service")
    machine.run("rm", "/etc/terrafusion/terrafusion.d/limit.yaml")
    machine.run("systemctl", "start", "terrafusion-syncd.service")
    wait(lambda: machine.show(unit, "MemoryMax") == str(512 << 20), "the old limit")


def test_timer_runs_a_pair(machine):
    """A real schedule, and systemd's own timer: it comes with a reload, runs, changes and goes."""
    name = "terrafusion-sync@gis_to_cama:incremental.timer"
    assert timers(machine) == {}
    before = machine.newest("gis_to_cama")
    scheduled(machine, "gis_to_cama", '  incremental: "*:*:0/1"')
    begun = time.monotonic()
    wait(lambda: timers(machine).get(name) == "active", "the timer")
    assert name in machine.run("systemctl", "list-timers", "--plain").stdout
    wait(lambda: (n := machine.newest("gis_to_cama")) and (not before or n["id"] != before["id"]) and n["status"] == "COMPLETED",
         "the timer to have run the pair", 20)
    print(f"the timer ran {time.monotonic() - begun:.1f} s after the reload")
    newest = machine.newest("gis_to_cama")
    assert newest["kind"] == "incremental"
    # Another schedule replaces it; a stop of the service stops the timers, and its start starts them.
    scheduled(machine, "gis_to_cama", '  incremental: "hourly"\n  full: "Sun 02:00"')
    both = {name: "active", name.replace("incremental", "full"): "active"}
    wait(lambda: timers(machine) == both, "two timers")
    assert "hourly" in machine.show(name, "TimersCalendar") or "*-*-* *:00:00" in machine.show(name, "TimersCalendar")
    machine.run("systemctl", "stop", "terrafusion-syncd.service")
    wait(lambda: timers(machine) == {}, "the timers to stop with the service")
    machine.run("systemctl", "start", "terrafusion-syncd.service")
    wait(lambda: timers(machine) == both, "the timers to come back with the service")
    scheduled(machine, "gis_to_cama", None)
    wait(lambda: timers(machine) == {}, "the timers to go with the schedule")


def test_bad_schedule_is_a_mistake_of_its_pair(machine):
    scheduled(machine, "gis_to_cama", '  incremental: "every hour"')
    try:
        wait(lambda: any('The schedule "every hour" is none' in text for text in machine.messages("-u", "terrafusion-syncd", "-b")), "the mistake")
        status, answer = machine.http("POST", "/api/sync/full", {"sync_pair_id": "gis_to_cama"})
        assert status == 409 and "every hour" in answer["detail"], answer
        assert timers(machine) == {}
    finally:
        scheduled(machine, "gis_to_cama", None)
    wait(lambda: machine.http("POST", "/api/sync/incremental", {"sync_pair_id": "gis_to_cama"})[0] == 200, "the pair to be whole again")


def test_broken_configuration_makes_nothing(machine):
    """The generator says why, and a daemon-reload goes on as if it had not been there."""
    machine.run("tee", "/etc/terrafusion/terrafusion.d/broken.yaml", text="systems: {pacs: {kind: sqllite, path: /x}}\n")
    machine.run("systemctl", "daemon-reload")
    assert machine.run("test", "-e", DROP_IN, check=False).returncode != 0
    wait(lambda: any("broken.yaml:1:" in text for text in machine.messages("-t", "terrafusion-generator")), "the generator's word")
    assert machine.get("/health/live", key=None)[0] == 200
    machine.run("rm", "/etc/terrafusion/terrafusion.d/broken.yaml")
    machine.run("systemctl", "daemon-reload")
    assert machine.run("test", "-e", DROP_IN, check=False).returncode == 0
