# SPDX-License-Identifier: Apache-2.0
"""A booted systemd: an overlay of this machine's own root in systemd-nspawn, with the build installed in it. Root needed.

Nothing of it is kept. The upper folder outlives a boot, so a machine that lost its power can be booted again."""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

TOP = pathlib.Path(os.environ.get("TERRAFUSION_SOURCE", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("TERRAFUSION_BUILD", TOP / "build-tests/plain"))
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "SYSTEMD_PAGER": "cat", "TERM": "dumb"}
# What this machine would start there, and the tests do not need.
MASKED = ["postgresql.service", "nginx.service", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "dpkg-db-backup.timer",
          "fstrim.timer", "systemd-networkd.service", "systemd-resolved.service", "cron.service", "ssh.service"]
KEY = "dev-api-key"
FINAL = ("COMPLETED", "FAILED", "CANCELLED")


def why_not():
    """The reason for which no machine can be booted here, or None."""
    if os.geteuid() != 0:
        return "booting a systemd needs root"
    for program in ("systemd-nspawn", "nsenter", "meson"):
        if not shutil.which(program):
            return f"{program} is not installed"
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, text=True)
        if tried.returncode != 0:
            return f"nothing can be mounted here: {tried.stderr.strip()}"
        subprocess.run(["umount", folder], check=True)
    return None


def wait(condition, what, seconds=30, step=0.05):
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited {seconds} s for {what}; it was {result!r}"
        time.sleep(step)


class Machine:
    def __init__(self, name, private_network=True):
        self.name, self.private_network = name, private_network
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="terrafusion-machine-", dir="/var/tmp"))
        self.root = self.folder / "root"
        self.process = self.leader = None

    def make_overlay(self, lower="/"):
        """The root: this machine's or another, with all changes in memory."""
        upper = self.folder / "over"
        upper.mkdir()
        self.root.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", upper], check=True)
        (upper / "upper").mkdir()
        (upper / "work").mkdir()
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={upper}/upper,workdir={upper}/work", self.root], check=True)
        for unit in MASKED:
            self.link(f"/etc/systemd/system/{unit}", "/dev/null")
        for gone in ("etc/terrafusion", "var/lib/terrafusion", "run/terrafusion", "etc/systemd/system/multi-user.target.wants/terrafusion.target",
                     "var/log/journal"):
            path = self.root / gone
            if path.is_symlink() or path.is_file():
                path.unlink()
            elif path.is_dir():
                shutil.rmtree(path)
        self.write("/etc/hostname", self.name + "\n")
        self.write("/etc/systemd/journald.conf.d/50-test.conf", "[Journal]\nStorage=persistent\nRateLimitBurst=0\nSyncIntervalSec=1s\n")
        return self

    def install(self):
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], env={**os.environ, "DESTDIR": str(self.root)}, check=True)
        return self

    def path(self, path):
        return self.root / path.lstrip("/")

    def write(self, path, text, mode=0o644):
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def link(self, path, to):
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_symlink():
            file.unlink()
        file.symlink_to(to)

    # Its life

    def boot(self):
        begun = time.monotonic()
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "-D", str(self.root), f"--machine={self.name}",
                   "--kill-signal=SIGRTMIN+3", "--console=pipe", "--boot"]
        command[4:4] = ["--private-network"] if self.private_network else ["--resolv-conf=copy-host"]
        self.log = open(self.folder / "console", "ab")
        self.process = subprocess.Popen([*command, "--", "systemd.unit=multi-user.target"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=ENVIRONMENT, start_new_session=True)
        self.leader = int(wait(self._child, "nspawn to start its systemd"))
        wait(lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded"), "the machine to be up", 120)
        if self.private_network:
            self.run("ip", "link", "set", "lo", "up")
        self.boot_seconds = time.monotonic() - begun
        return self

    def _child(self):
        assert self.process.poll() is None, (self.folder / "console").read_text(errors="replace")[-2000:]
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        # The child is nspawn's own until it has become systemd in its own namespaces.
        return children and os.path.basename(os.readlink(f"/proc/{children[0]}/exe")) == "systemd" and children[0]

    def power_off(self):
        """No goodbye: everything that runs there is gone between two instructions."""
        os.kill(self.leader, signal.SIGKILL)
        self.process.wait(30)
        self.process = None

    def shut_down(self):
        if self.process and self.process.poll() is None:
            self.run("systemctl", "poweroff", check=False)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def close(self):
        self.shut_down()
        for place in (self.root, self.folder / "over"):
            for _ in range(50):
                if subprocess.run(["umount", place], capture_output=True).returncode == 0 or not os.path.ismount(place):
                    break
                time.sleep(0.1)
        if not os.path.ismount(self.root):
            shutil.rmtree(self.folder, ignore_errors=True)

    # What is done there

    def run(self, *command, check=True, timeout=120, text=None):
        done = subprocess.run(["nsenter", "-t", str(self.leader), "-a", "--", *map(str, command)], input=text, capture_output=True, text=True,
                              timeout=timeout, env=ENVIRONMENT)
        assert not check or done.returncode == 0, f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def shell(self, script, **options):
        return self.run("/bin/bash", "-ec", script, **options).stdout

    def start(self, *command):
        """Begins a command there and gives the process."""
        return subprocess.Popen(["nsenter", "-t", str(self.leader), "-a", "--", *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL, text=True, env=ENVIRONMENT)

    def as_service(self, *command, **options):
        return self.run("setpriv", "--reuid=terrafusion", "--regid=terrafusion", "--init-groups", *command, **options)

    def show(self, unit, *names):
        text = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).stdout
        found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return found[names[0]] if len(names) == 1 else [found.get(name, "") for name in names]

    def http(self, method, path, body=None, port=5000, key=KEY, seconds=30):
        """Status and document, or status 0 where nobody answered."""
        command = ["curl", "-s", "-m", str(seconds), "-X", method, "-w", "\n%{http_code}", f"http://127.0.0.1:{port}{path}"]
        if key:
            command += ["-H", f"X-API-Key: {key}"]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        done = self.run(*command, check=False, timeout=seconds + 10)
        text, _, status = done.stdout.rpartition("\n")
        try:
            return int(status or 0), json.loads(text)
        except ValueError:
            return int(status or 0), text

    def get(self, path, **options):
        return self.http("GET", path, **options)

    def journal(self, *arguments):
        """Entries as objects, oldest first."""
        self.run("journalctl", "--sync")
        text = self.run("journalctl", "--no-pager", "-o", "json", "--all", *arguments).stdout
        return [json.loads(line) for line in text.splitlines()]

    def messages(self, *arguments):
        return [str(entry.get("MESSAGE", "")) for entry in self.journal(*arguments)]

    # TerraFusion there

    def ready(self, seconds=30):
        wait(lambda: self.get("/health/ready", key=None)[0] == 200, "the service to be ready", seconds)

    def operation(self, number):
        status, answer = self.get(f"/api/sync/operations/{number}")
        return answer if status == 200 else {"status": status}

    def finished(self, number, seconds=60):
        return wait(lambda: (o := self.operation(number))["status"] in FINAL and o, f"operation {number} to end", seconds)

    def newest(self, pair):
        status, answer = self.get(f"/api/sync/operations?sync_pair_id={pair}&limit=1")
        return answer[0] if status == 200 and answer else None

    def sql(self, database, query):
        rows = self.run("sqlite3", "-readonly", "-json", database, query).stdout
        return json.loads(rows) if rows.strip() else []

    def sql_outside(self, database, query):
        """One value, read while the machine is off; of a copy, so that its journal stays as it was left."""
        with tempfile.TemporaryDirectory() as folder:
            for file in self.path(database).parent.glob(pathlib.Path(database).name + "*"):
                shutil.copy(file, folder)
            with sqlite3.connect(f"{folder}/{pathlib.Path(database).name}") as connection:
                return connection.execute(query).fetchone()[0]
