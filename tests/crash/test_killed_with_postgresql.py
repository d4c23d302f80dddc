# SPDX-License-Identifier: Apache-2.0
"""A worker is killed at sampled system calls while PostgreSQL is source and target, or one of them. Afterwards the target, the quarantine and
the counts equal an undisturbed run's, and what the target holds is compared with the source by the server itself."""
import pathlib
import sqlite3
import subprocess
import sys

import harness
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from postgresql import Place, Server  # noqa: E402  (found by the line above)

N_POINTS = 60
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "sendto", "recvfrom", "openat", "fcntl")
MAPPING = """\
pair: pair
source: one
target: two
guards: {max_deletes: 50%, max_changes: 100%, max_errors: 100}
entities:
  parcel:
    from: source
    to: target
    key: {id: id}
    fields:
      number: number
      area: {from: area, type: "decimal(10,2)"}
"""
# Every fortieth record is refused by the target: a batch is halved, and killed while it is.
TARGET = ["drop table if exists target", "create table target (id integer primary key, number text, area numeric(10,2) check (area + 0 > 0))"]


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.remove()


class Side:
    """Source or target, in PostgreSQL or in a SQLite file."""

    def __init__(self, server, folder, role, kind):
        self.server, self.role, self.kind = server, role, kind
        self.path = folder / f"{role}.db"
        self.address = server.database(role) if kind == "postgresql" else None

    def member(self):
        if self.kind == "postgresql":
            return {"kind": "postgresql", "connection": self.address, "access": "write"}
        return {"kind": "sqlite", "path": str(self.path), "access": "write"}

    def sql(self, *statements):
        if self.kind == "postgresql":
            return self.server.sql(*statements, database=self.role)
        db = sqlite3.connect(self.path)
        rows = []
        for one in statements:
            rows = db.execute(one.replace("numeric(10,2)", "text")).fetchall()
        db.commit()
        db.close()
        return "\n".join("|".join(str(v) for v in row) for row in rows)

    def fill(self, rows):
        if self.kind == "postgresql":
            self.server.script(self.role, "begin; delete from source;" + "".join(f"insert into source values ({i}, '{n}', {a});" for i, n, a in rows) + "commit")
            return
        db = sqlite3.connect(self.path)
        db.execute("delete from source")
        db.executemany("insert into source values (?, ?, ?)", rows)
        db.commit()
        db.close()

    def rows(self, table):
        text = self.sql(f"select id, number, area from {table} order by id")
        return [tuple(line.split("|")) for line in text.split("\n") if line]


def first():
    return [(n, f"P-{n}", f"{-n if n % 40 == 0 else n / 100:.2f}") for n in range(1, 601)]


def second():
    rows = [(n, f"P-{n}", f"{float(a) + 1:.2f}" if n % 3 == 0 and n % 40 else a) for n, _, a in first() if n % 7]
    return rows + [(n, f"P-{n}", "1.00") for n in range(601, 701)]


class Scenario:
    def __init__(self, server, folder, kinds, source_key="primary key"):
        self.source, self.target = (Side(server, folder, role, kind) for role, kind in zip(("source", "target"), kinds))
        self.source.sql("drop table if exists source", f"create table source (id integer {source_key}, number text, area numeric(10,2))")
        self.place = Place(folder, {"one": self.source.member(), "two": self.target.member()}, MAPPING, TERRAFUSION_BATCH_RECORDS="100",
                           LOG_LEVEL="warning")

    def prepare(self):
        """As before the second run: the first one is done, the source has moved on."""
        self.place.forget()
        self.target.sql(*TARGET)
        self.source.fill(first())
        self.place.run(expect=3)
        self.source.fill(second())
        return self.place.insert()

    def strace(self, operation, *arguments):
        return subprocess.run(["strace", "-f", "-qq", *arguments, str(harness.WORKER), operation], env=self.place.environment(), capture_output=True,
                              text=True, timeout=120, check=False)

    def outcome(self, operation):
        quarantine = self.place.rows("pairs/pair.db", "select entity, hex(key) from quarantine order by 1, 2")
        return self.target.rows("target"), quarantine, self.place.result(operation)


@pytest.mark.parametrize("kinds", [("postgresql", "postgresql"), ("sqlite", "postgresql"), ("postgresql", "sqlite")], ids="-to-".join)
def test_killed(server, tmp_path, kinds):
    killed_everywhere(Scenario(server, tmp_path, kinds), tmp_path)


def test_killed_where_no_place_is_known(server, tmp_path):
    """A source without a key gives records in no order: an interrupted scan begins anew, and holds and counts nothing twice."""
    killed_everywhere(Scenario(server, tmp_path, ("postgresql", "sqlite"), source_key=""), tmp_path)


def killed_everywhere(scenario, tmp_path):
    operation = scenario.prepare()
    log = tmp_path / "strace.log"
    done = scenario.strace(operation, "-o", str(log), "-e", "trace=" + ",".join(CALLS))
    assert done.returncode == 3, done.stderr
    calm = scenario.outcome(operation)
    refused = {str(n) for n in range(40, 601, 40) if n % 7}
    assert calm[0] == [tuple(str(v) for v in row) for row in second() if str(row[0]) not in refused]
    counts = {call: sum(f" {call}(" in line for line in log.read_text().splitlines()) for call in CALLS}
    every = [(call, k) for call in CALLS for k in range(1, counts[call] + 1)]
    assert len(every) > 100, counts
    killed = 0
    for call, k in every[:: max(1, len(every) // N_POINTS)]:
        operation = scenario.prepare()
        done = scenario.strace(operation, "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={k}")
        killed += done.returncode == -9 or done.returncode == 137
        for _ in range(3):
            if scenario.place.rows("state.db", "select status from operation where id = ?", operation) == [("COMPLETED",)]:
                break
            assert scenario.place.worker(operation) in (0, 3), (call, k, scenario.place.stderr)
        assert scenario.outcome(operation) == calm, (call, k)
    assert killed > N_POINTS // 2
