# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the sync service, ten times, under eight clients that ask the gateway without a pause (load.py), in a booted systemd
where root may boot one (tests/system/machine.py), else without systemd; the notes say which.
  recovery-failed    requests that were not answered, or with 5xx
  recovery-max-ms    the longest wait of any client: the median of the turns"""
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

import gateway
import harness

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(TOP / "tests/system"))
import machine as rig  # noqa: E402 (the path comes first)

FIGURES = {
    "recovery-failed": ("requests", "= 0"),
    "recovery-max-ms": ("ms", "<= 60"),
}
KILLS = 10
PAUSE_S = 0.7
SYNCD = "terrafusion-syncd.service"


class Booted:
    what = "in a booted systemd"

    def __enter__(self):
        self.machine = rig.Machine("terrafusion-bench")
        try:
            self.machine.make_overlay().install().boot()
            self.machine.run("systemd-sysusers")
            self.machine.run("systemd-tmpfiles", "--create", "terrafusion.conf")
            self.machine.run("systemctl", "daemon-reload")
            self.machine.run("systemctl", "reload", "dbus.service")
            self.machine.write("/etc/terrafusion/terrafusion.yaml", "systems: {}\n")
            self.machine.write("/srv/load.py", (TOP / "tests/bench/load.py").read_text())
            self.machine.run("systemctl", "start", "terrafusion.target")
            self.machine.ready()
        except BaseException:
            self.machine.close()
            raise
        return self

    def __exit__(self, *_):
        self.machine.close()

    def load(self, seconds):
        return self.machine.start("python3", "/srv/load.py", "5000", str(seconds))

    def kill(self):
        self.machine.run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", SYNCD)

    def cause(self):
        return self.machine.get("/status", key=None)[1]["syncservice"]["last_cause"]


class Standalone:
    what = "without systemd"

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.folder.mkdir()
        self.place = gateway.Place(self.folder, harness.BUILD / "src/syncd/terrafusion-syncd")
        self.gateway = self.place.gateway()
        return self

    def __exit__(self, *_):
        self.gateway.stop()

    def load(self, seconds):
        return subprocess.Popen([sys.executable, TOP / "tests/bench/load.py", str(self.gateway.port), str(seconds)], stdout=subprocess.PIPE,
                                text=True, env={**self.place.environment, "SYNC_SERVICE_API_KEY": gateway.KEY})

    def kill(self):
        pid = self.gateway.process.pid
        os.kill(int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]), signal.SIGKILL)

    def cause(self):
        return "signal 9 (KILL)"


def measure(names, options):
    failed, longest = 0, []
    place = Standalone(options.folder / "recovery") if rig.why_not() else Booted()
    with place:
        for turn in range(max(1, options.turns // 2)):
            load = place.load(KILLS * PAUSE_S + 2)
            time.sleep(1)
            for _ in range(KILLS):
                place.kill()
                time.sleep(PAUSE_S)
            told = json.loads(load.communicate(timeout=60)[0])
            if place.cause() != "signal 9 (KILL)":
                raise SystemExit("bench: it was not killed")
            options.note(f"{place.what}, turn {turn + 1}: {told['answered']} answered, {len(told['failed'])} failed, longest {told['max_ms']:.1f} ms, "
                         f"median of those above 20 ms {statistics.median(told['waits_ms'] or [0]):.1f}")
            failed += len(told["failed"])
            longest.append(told["max_ms"])
    for name, value in (("recovery-failed", failed), ("recovery-max-ms", statistics.median(longest))):
        if name in names:
            yield name, value
