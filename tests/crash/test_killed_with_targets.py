# SPDX-License-Identifier: Apache-2.0
"""A worker is killed at sampled system calls while it writes to a GeoPackage (transactions of its own), a GeoJSON file (written anew as a whole) and an
OData service (record by record, without transactions). Afterwards the target is what the source says, each effect counted and journalled once."""
import decimal
import json
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys

import harness
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import odata  # noqa: E402  (found by the line above)
import ogr  # noqa: E402
from postgresql import Place, Server  # noqa: E402

N, N_POINTS = 160, 12
CALLS = ("pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink", "rename", "openat", "sendto", "recvfrom")
DIGITS = "0.12345678901234567"      # more than a binary float holds: such a record is held back, where the target has one
MAPPING = """\
pair: pair
source: one
target: two
guards: {{max_deletes: 50%, max_changes: 100%, max_errors: 100}}
entities:
  account:
    from: source
    to: {to}
    key: {{account_no: id}}
    fields:
      owner_name: name
      ratio: {{from: ratio, type: "decimal(30,17)"}}
"""
SHAPE = "      {name}: {{from: shape, type: geometry, kind: point, srid: 'EPSG:4326'}}\n"
BY_HAND = '{"type":"Feature","properties":{"by hand":1.000000000000000000001},"geometry":null}'


def shape(n):
    return struct.pack("<BIdd", 1, 1, n / 8, 45.5)


def first():
    return [(f"K-{n:03}", f"Owner of {n}", DIGITS if n % 40 == 0 else str(decimal.Decimal(n) / 8), shape(n)) for n in range(1, N + 1)]


def second():
    """Every third record is changed, every seventh gone, some are new."""
    rows = [(key, name + "'s heirs" if n % 3 == 0 else name, ratio, shape(n + 1) if n % 3 == 0 else point)
            for n, (key, name, ratio, point) in enumerate(first(), 1) if n % 7]
    return rows + [(f"K-{n:03}", f"Owner of {n}", "0.5", shape(n)) for n in range(N + 1, N + 41)]


class SqliteSource:
    def __init__(self, folder, server):
        self.path = folder / "source.db"
        self.system = {"kind": "sqlite", "path": str(self.path)}

    def fill(self, rows):
        db = sqlite3.connect(self.path)
        db.execute("create table if not exists source (id text primary key, name text, ratio text, shape blob)")
        db.execute("delete from source")
        db.executemany("insert into source values (?, ?, ?, ?)", rows)
        db.commit()
        db.close()


class PostgresqlSource:
    def __init__(self, folder, server):
        self.server = server
        self.system = {"kind": "postgresql", "connection": server.database("source")}

    def fill(self, rows):
        values = ", ".join("('{}', '{}', {}, '\\x{}')".format(key, name.replace("'", "''"), ratio, point.hex()) for key, name, ratio, point in rows)
        self.server.script("source", f"drop table if exists source; create table source (id text primary key, name text, ratio numeric, shape bytea);"
                           f"insert into source values {values}")


class FileTarget:
    """One that is put back by a copy."""

    def save(self):
        shutil.copytree(self.folder, self.folder.with_suffix(".saved"))

    def restore(self):
        shutil.rmtree(self.folder)
        shutil.copytree(self.folder.with_suffix(".saved"), self.folder)


class GeopackageTarget(FileTarget):
    mapping = MAPPING.format(to="account") + SHAPE.format(name="geom")
    holds_all_digits = False

    def __init__(self, folder):
        if not ogr.available():
            pytest.skip("python3-gdal is not installed")
        self.folder, self.path = folder / "target", folder / "target/gis.gpkg"
        self.folder.mkdir()
        ogr.make(self.path, "account", [("account_no", "String"), ("owner_name", "String"), ("ratio", "Real")], [], srid="EPSG:4326", geometry="Point",
                 sql=["create unique index account_key on account (account_no)"])
        self.system = {"kind": "ogr", "path": str(self.path), "access": "write"}

    def rows(self):
        db = sqlite3.connect(self.path)
        rows = db.execute("select account_no, owner_name, ratio, geom from account order by account_no").fetchall()
        # GDAL counts features with triggers, in a table of its own; null: not known, so that the next who asks counts them
        assert db.execute("select count(*) from sqlite_master where name like 'trigger_%_feature_count_account'").fetchone() == (2,)
        assert db.execute("select feature_count from gpkg_ogr_contents").fetchone()[0] in (None, len(rows))
        assert db.execute("select count(*) from rtree_account_geom").fetchall() == [(len(rows),)]
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        db.close()
        return [(key, name, decimal.Decimal(str(ratio)), geometry[-21:]) for key, name, ratio, geometry in rows]


class GeojsonTarget(FileTarget):
    mapping = MAPPING.format(to="account.geojson") + SHAPE.format(name="geometry")
    holds_all_digits = True

    def __init__(self, folder):
        if not ogr.available():
            pytest.skip("python3-gdal is not installed")
        self.folder, self.path = folder / "target", folder / "target/account.geojson"
        self.folder.mkdir()
        self.path.write_text('{"type":"FeatureCollection","features":[\n' + BY_HAND + "]}")
        self.system = {"kind": "ogr", "path": str(self.folder), "access": "write"}

    def rows(self):
        text = self.path.read_text()
        assert text.count(BY_HAND) == 1 and [one.name for one in self.folder.iterdir()] == [self.path.name]
        rows = []
        for feature in json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)["features"]:
            properties = feature["properties"]
            if "by hand" not in properties:
                point = struct.pack("<BIdd", 1, 1, *map(float, feature["geometry"]["coordinates"]))
                rows.append((properties["account_no"], properties["owner_name"], properties["ratio"], point))
        return sorted(rows)


class OdataTarget:
    mapping = MAPPING.format(to="Accounts")
    holds_all_digits = False

    def __init__(self, folder):
        self.server = odata.Server()
        self.system = {"kind": "rest", "url": self.server.url, "access": "write", "batch_size": 16}
        self.saved = []

    def records(self):
        return [dict(zip(("account_no", "owner_name", "ratio"), row)) for row in self.server.all("Accounts", "account_no,owner_name,ratio", "account_no")]

    def save(self):
        self.saved = self.records()

    def restore(self):
        now = self.records()
        if now == self.saved:
            return
        self.server.call("POST", "$batch", {"requests": [
            {"id": one["account_no"], "method": "DELETE", "url": f"Accounts('{one['account_no']}')", "headers": {"if-match": "*"}} for one in now]})
        self.server.put("Accounts", *self.saved)
        assert self.records() == self.saved

    def rows(self):
        return [(one["account_no"], one["owner_name"], decimal.Decimal(str(one["ratio"])), None) for one in self.records()]

    def remove(self):
        self.server.remove()


TARGETS = {"geopackage": GeopackageTarget, "geojson": GeojsonTarget, "odata": OdataTarget}


class Scenario(Place):
    """A run before which everything can be put back: the first one, or that after it."""

    def __init__(self, folder, source, target, is_increment):
        self.target = target
        super().__init__(folder, {"one": source.system, "two": target.system}, target.mapping, TERRAFUSION_BATCH_RECORDS="40", LOG_LEVEL="warning")
        self.expected = [row for row in (second() if is_increment else first()) if target.holds_all_digits or row[2] != DIGITS]
        self.held = 0 if target.holds_all_digits else N // 40
        source.fill(first())
        if is_increment:
            self.run(expect=3 if self.held else 0, allow=["first_write"])
            source.fill(second())
        self.operation = self.insert("incremental" if is_increment else "full", allow=["first_write"])
        shutil.copytree(folder / "state", folder / "state.saved")
        target.save()

    def restore(self):
        self.forget()
        shutil.copytree(self.folder / "state.saved", self.folder / "state")
        self.target.restore()

    def strace(self, *arguments):
        return subprocess.run(["strace", "-f", "-qq", *arguments, str(harness.WORKER), self.operation], env=self.environment(), capture_output=True,
                              text=True, timeout=120, check=False)

    def points(self):
        """Of each call that an undisturbed run makes some, spread over its time."""
        log = self.folder / "strace.log"
        done = self.strace("-o", str(log), "-e", "trace=" + ",".join(CALLS))
        assert done.returncode in (0, 3), done.stderr
        lines = log.read_text().splitlines()
        counts = {call: n for call in CALLS if (n := sum(f" {call}(" in line for line in lines)) > 0}
        assert sum(counts.values()) > 100, counts
        each = -(-N_POINTS // len(counts))
        every = [(call, k) for call, n in counts.items() for k in sorted({1 + n * (2 * i + 1) // (2 * each) for i in range(each)}) if k <= n]
        return [every[i * len(every) // N_POINTS] for i in range(N_POINTS)] if len(every) > N_POINTS else every

    def is_completed(self):
        return self.rows("state.db", "select status from operation where id = ?", self.operation) == [("COMPLETED",)]

    def check(self):
        """The target by itself, then counts and journal."""
        ours = [(*row[:2], decimal.Decimal(row[2]), row[3] if "shape" in self.target.mapping else None) for row in self.expected]
        assert self.target.rows() == ours
        assert self.rows("pairs/pair.db", "select count(*) from quarantine") == [(self.held,)]
        assert self.is_completed()
        entries = harness.journalled(harness.County(self.folder), self.operation)
        keys = [key for _, key, _ in entries]
        assert len(set(keys)) == len(keys), "one record journalled twice by one operation"
        n_read, n_inserted, n_updated, n_deleted, n_unchanged, n_held = self.result(self.operation)["account"]
        assert n_read == n_inserted + n_updated + n_unchanged + n_held
        assert [sum(1 for _, _, kind in entries if kind == one) for one in (1, 2, 3)] == [n_inserted, n_updated, n_deleted]
        return self.result(self.operation)["account"]


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.remove()


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("is_increment", [False, True], ids=["full", "increment"])
def test_killed(server, tmp_path, kind, is_increment):
    target = TARGETS[kind](tmp_path)
    source = (SqliteSource if is_increment else PostgresqlSource)(tmp_path, server)
    scenario = Scenario(tmp_path, source, target, is_increment)
    points = scenario.points()
    calm = scenario.check()
    n_killed = 0
    for call, k in points:
        scenario.restore()
        done = scenario.strace("-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={k}")
        n_killed += done.returncode in (-9, 137)
        if not scenario.is_completed():
            assert scenario.worker(scenario.operation) in (0, 3), (call, k, scenario.error(scenario.operation), scenario.stderr)
        assert scenario.check() == calm, (call, k)
    assert n_killed > N_POINTS // 2
