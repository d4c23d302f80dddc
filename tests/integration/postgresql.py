# SPDX-License-Identifier: Apache-2.0
"""What the tests of PostgreSQL systems share: a server of their own, a folder for a worker, and psql as the second checker."""
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
import harness  # noqa: E402  (found by the line above)

SERVER = pathlib.Path(__file__).resolve().parents[1] / "servers/postgresql"
OK, FAILED, QUARANTINED, GUARD, TRY_AGAIN, CONFIGURATION = 0, 1, 3, 4, 75, 78


class Server:
    def __init__(self, *settings, standby_of=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="terrafusion-pg-"))
        self.folder.chmod(0o755)
        if standby_of:
            self.start(str(standby_of.folder), action="standby")
        else:
            self.start(*settings)

    def start(self, *settings, action="start"):
        done = subprocess.run([SERVER, action, self.folder, *settings], check=True, capture_output=True, text=True)
        self.address = done.stdout.strip()
        self.port = int(re.search(r"port=(\d+)", self.address)[1])

    def stop(self, mode="fast"):
        subprocess.run([SERVER, "stop", self.folder, mode], check=False)

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, *statements, database="postgres", check=True):
        """Rows as psql shows them, "|" between values."""
        command = ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", f"{self.address} dbname={database}"]
        done = subprocess.run([*command, *[word for one in statements for word in ("-c", one)]], capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

    def script(self, database, text):
        done = subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", "-", f"{self.address} dbname={database}"], input=text,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def database(self, name):
        self.sql(f"drop database if exists {name}", f"create database {name}")
        return f"{self.address} dbname={name}"


class Place:
    """A folder with configuration and state for one worker."""

    def __init__(self, folder, systems, mapping, **environment):
        self.folder = pathlib.Path(folder)
        (self.folder / "etc/mappings").mkdir(parents=True, exist_ok=True)
        self.systems(systems)
        self.mapping(mapping)
        self.more = environment

    def systems(self, systems):
        text = "systems:\n"
        for name, members in systems.items():
            text += f"  {name}:\n" + "".join(f"    {key}: {json.dumps(value)}\n" for key, value in members.items())
        (self.folder / "etc/terrafusion.yaml").write_text(text)

    def mapping(self, text):
        (self.folder / "etc/mappings/pair.yaml").write_text(text)

    def environment(self, **more):
        return {**os.environ, "CONFIGURATION_DIRECTORY": str(self.folder / "etc"), "STATE_DIRECTORY": str(self.folder / "state"),
                "RUNTIME_DIRECTORY": str(self.folder / "run"), "TERRAFUSION_SHARE": str(self.folder / "share"),
                "LOG_LEVEL": "info", **self.more, **more}

    def forget(self):
        shutil.rmtree(self.folder / "state", ignore_errors=True)

    def insert(self, kind="full", **parameters):
        return harness.insert_operation(self.folder / "state", self.environment(), kind, "pair", parameters)

    def worker(self, operation, **more):
        done = subprocess.run([str(harness.WORKER), operation], env=self.environment(**more), capture_output=True, text=True, timeout=300,
                              check=False)
        self.stderr = done.stderr
        return done.returncode

    def run(self, kind="full", expect=OK, **parameters):
        operation = self.insert(kind, **parameters)
        status = self.worker(operation)
        assert status == expect, f"{status}, expected {expect}: {self.error(operation)} {self.stderr}"
        return operation

    def rows(self, file, sql, *arguments):
        db = sqlite3.connect(f"file:{self.folder / 'state' / file}?mode=ro", uri=True)
        try:
            return db.execute(sql, arguments).fetchall()
        finally:
            db.close()

    def error(self, operation):
        """What the operation, or else its last attempt, says went wrong."""
        text = self.rows("state.db", "select error from operation where id = ?", operation)[0][0]
        if text is None:
            attempts = self.rows("state.db", "select error from attempt where operation_id = ?", operation)
            text = attempts[-1][0] if attempts else None
        return json.loads(text) if text else None

    def result(self, operation):
        """{entity: (read, inserted, updated, deleted, unchanged, held)}"""
        return {row[0]: row[1:] for row in self.rows(
            "pairs/pair.db", "select entity, n_read, n_inserted, n_updated, n_deleted, n_unchanged, n_held from result "
            "where operation_id = ?", operation)}

    def report(self, operation):
        return json.loads(self.rows("state.db", "select report from operation where id = ?", operation)[0][0])

    def findings(self):
        return [json.loads(row[0])[0] for row in self.rows("pairs/pair.db", "select findings from quarantine order by key")]
