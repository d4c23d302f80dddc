# SPDX-License-Identifier: Apache-2.0
"""terrafusion-generator: what it makes of a configuration is what systemd takes, and a broken one makes nothing."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "crash"))
import harness  # noqa: E402 (the path comes first)

GENERATOR = harness.BUILD / "src/generator/terrafusion-generator"
SCHEDULES = ["hourly", "daily UTC", "*:0/15", "*:*:0/10", "Sun 02:00", "Mon..Fri 22:30", "Mon,Wed,sat *-*-* 06:00:00", "*-*~01", "*-02~03 12:00",
             "*-*-1,15 03:00", "Saturday", "0/2:30", "*-1/3-01", "8..18:0/5:00", "2027-01-01 00:00 UTC", "quarterly"]


class Configuration:
    def __init__(self, folder):
        self.folder = folder
        (folder / "etc/mappings").mkdir(parents=True)
        (folder / "out").mkdir()
        (folder / "etc/terrafusion.yaml").write_text(harness.SETTINGS.format(folder="/srv/county") + "limits: {worker_memory: 300M}\n")

    def pair(self, name, schedule):
        text = harness.MAPPING.replace("pair: pacs_to_cama", f"pair: {name}\nschedule:\n  {schedule}")
        (self.folder / f"etc/mappings/{name}.yaml").write_text(text)

    def generate(self):
        out = self.folder / "out"
        shutil.rmtree(out)
        out.mkdir()
        environment = {**os.environ, "CONFIGURATION_DIRECTORY": str(self.folder / "etc"), "TERRAFUSION_SHARE": str(self.folder / "share")}
        environment.pop("SYSTEMD_SCOPE", None)
        done = subprocess.run([str(GENERATOR), str(out), str(out), str(out)], env=environment, capture_output=True, text=True, timeout=60)
        return done, sorted(str(p.relative_to(out)) for p in out.rglob("*") if not p.is_dir())


@pytest.fixture
def configuration(tmp_path):
    return Configuration(tmp_path)


def test_what_is_made(configuration):
    configuration.pair("night", 'full: "Sun 02:00"')
    done, files = configuration.generate()
    assert (done.returncode, done.stderr) == (0, "")
    timer = "terrafusion-sync@night:full.timer"
    assert files == ["terrafusion-operation@.service.d/50-config.conf", timer, f"terrafusion.target.wants/{timer}"]
    assert "MemoryMax=314572800\n" in (configuration.folder / "out" / files[0]).read_text()
    assert 'ReadWritePaths="-/srv/county"\n' in (configuration.folder / "out" / files[0]).read_text()
    assert (configuration.folder / "out" / files[2]).resolve() == configuration.folder / "out" / timer


def test_schedules_are_what_systemd_takes(configuration):
    for number, text in enumerate(SCHEDULES):
        configuration.pair(f"p{number}", f'full: "{text}"')
        assert subprocess.run(["systemd-analyze", "calendar", text], capture_output=True).returncode == 0, text
    done, files = configuration.generate()
    assert done.returncode == 0, done.stderr
    assert len([f for f in files if f.endswith(".timer")]) == 2 * len(SCHEDULES)


@pytest.mark.parametrize("text", ["every hour", "*/15 * * * *", "25:00", "Sun 02:00 Mars/Base"])
def test_bad_schedule_is_named(configuration, text):
    configuration.pair("good", 'full: "daily"')
    configuration.pair("bad", f'full: "{text}"')
    assert subprocess.run(["systemd-analyze", "calendar", text], capture_output=True).returncode != 0
    done, files = configuration.generate()
    assert done.returncode == 0
    assert f"bad.yaml:3:9: The schedule \"{text}\" is none" in done.stderr, done.stderr
    assert "systemd-analyze calendar" in done.stderr
    assert "terrafusion-sync@good:full.timer" in files and not [f for f in files if "bad" in f]


def test_broken_settings_make_nothing(configuration):
    configuration.pair("good", 'full: "daily"')
    (configuration.folder / "etc/terrafusion.yaml").write_text("systems: {pacs: {kind: sqllite, path: /x}}\n")
    done, files = configuration.generate()
    assert done.returncode == 1 and files == []
    assert "terrafusion.yaml:1:" in done.stderr and "no timers" in done.stderr


def test_usage():
    assert subprocess.run([str(GENERATOR)], capture_output=True).returncode == 2
    assert b"NORMAL" not in subprocess.run([str(GENERATOR), "--help"], capture_output=True, check=True).stdout
