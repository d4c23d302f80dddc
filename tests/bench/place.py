# SPDX-License-Identifier: Apache-2.0
"""What the copy measurements share: a folder with configuration and state for one worker, programs, seconds."""
import os
import pathlib
import shutil
import subprocess
import sys
import time

import harness

HERE = pathlib.Path(__file__).resolve().parent


class Place:
    def __init__(self, folder, settings, mapping):
        self.folder = folder
        (folder / "etc/mappings").mkdir(parents=True)
        shutil.copy(HERE / mapping, folder / "etc/mappings/bench.yaml")
        (folder / "etc/terrafusion.yaml").write_text(settings)
        self.forget()

    def forget(self):
        """As if the pair had never run."""
        for name in ("state", "run"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()

    def environment(self):
        return {**os.environ, "CONFIGURATION_DIRECTORY": str(self.folder / "etc"), "STATE_DIRECTORY": str(self.folder / "state"),
                "RUNTIME_DIRECTORY": str(self.folder / "run"), "TERRAFUSION_SHARE": str(self.folder / "share"), "LOG_LEVEL": "warning"}

    def sync(self, kind="full", **parameters):
        """Seconds and peak MiB of one worker that runs the pair."""
        operation = harness.insert_operation(self.folder / "state", self.environment(), kind, "bench", parameters)
        begin = time.monotonic()
        worker = subprocess.Popen([harness.WORKER, operation], env=self.environment())
        _, status, usage = os.wait4(worker.pid, 0)
        seconds = time.monotonic() - begin
        worker.returncode = os.waitstatus_to_exitcode(status)
        if worker.returncode != 0:
            sys.exit(f"bench: the worker ended with {worker.returncode}")
        return seconds, usage.ru_maxrss / 1024


def seconds_of(command, **keywords):
    begin = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **keywords)
    return time.monotonic() - begin


def compile_program(folder, name, *arguments):
    program = folder / name
    if not program.exists():
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, HERE / (name + ".c"), *arguments], check=True)
    return program


def demand_equal(what, ours, expected):
    if ours != expected:
        sys.exit(f"bench: {what}: {ours}, expected {expected}")
