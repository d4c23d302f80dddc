# SPDX-License-Identifier: Apache-2.0
"""Whatever the strategy: a run finds every insert, update and delete of its source, and reads no more than it has to. A kind of source is
a row of SOURCES, a strategy one of STRATEGIES; every pair of them that the kind has goes through the same changes."""
import csv
import shutil
import sqlite3
import time

import pytest

import mariadb
import ogr
from postgresql import OK, Place, Server

N = 20000
MAPPING = """\
pair: pair
source: one
target: two
guards: {{max_deletes: 50%, max_changes: 100%}}
entities:
  parcel:
    from: {table}
    to: target
    key: {{id: {{from: id, type: integer}}}}
    detect: {detect}
    fields:
      number: number
      area: {{from: area, type: "decimal(10,2)", null_values: [""]}}
"""
STRATEGIES = {
    "full": "{strategy: full}",
    "watermark": "{strategy: watermark, column: stamp, sweep_keys: always}",
    "digest": "{strategy: digest}",
    "file": "{strategy: file}",
}


def records(first, last):
    return [(n, f"P-{n}", f"{n // 100}.{n % 100:02d}") for n in range(first, last + 1)]


class Source:
    """What a test does to a source; rows() is the second checker."""
    strategies = ()


class PostgresqlSource(Source):
    strategies = ("full", "watermark", "digest")

    def __init__(self, folder, server):
        self.server = server
        self.address = server.database("detect")
        self.sql("create table source (id integer primary key, number text, area numeric(10,2), stamp timestamptz default now())",
                 "create index on source (stamp)",
                 f"insert into source select n, 'P-' || n, n / 100.0 from generate_series(1, {N}) n")

    def system(self):
        return {"kind": "postgresql", "connection": self.address}

    def sql(self, *statements):
        return self.server.sql(*statements, database="detect")

    def change(self, *statements):
        self.sql(*(one.replace("NOW", "now()") for one in statements))

    def rows(self):
        return [tuple(line.split("|")) for line in self.sql("select id, number, area from source order by id").splitlines()]


class SqliteSource(Source):
    strategies = ("full", "watermark", "digest", "file")
    now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"

    def __init__(self, folder, server):
        self.path = folder / "source.db"
        db = sqlite3.connect(self.path)
        db.executescript("pragma journal_mode = wal; create table source (id integer primary key, number text, area text, stamp text);"
                         "create index source_stamp on source (stamp);")
        db.executemany(f"insert into source values (?, ?, ?, {self.now})", records(1, N))
        db.commit()
        db.close()

    def system(self):
        return {"kind": "sqlite", "path": str(self.path)}

    def change(self, *statements):
        db = sqlite3.connect(self.path)
        for one in statements:
            db.execute(one.replace("NOW", self.now))
        db.commit()
        db.close()

    def rows(self):
        db = sqlite3.connect(self.path)
        found = [(str(number), text, area) for number, text, area in db.execute("select id, number, area from source order by id")]
        db.close()
        return found


class CsvSource(Source):
    """The same statements run in a SQLite beside it, which is then written out as the file."""
    strategies = ("full", "file")

    def __init__(self, folder, server):
        self.beside = SqliteSource(folder, server)
        self.path = folder / "source.csv"
        self.write()

    def write(self):
        with open(self.path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", "number", "area"), *self.beside.rows()])

    def system(self):
        return {"kind": "csv", "path": str(self.path)}

    def change(self, *statements):
        self.beside.change(*statements)
        self.write()

    def rows(self):
        return self.beside.rows()


class MariadbSource(Source):
    strategies = ("full", "digest")

    def __init__(self, folder, server):
        self.server = server
        self.server.database("detect")
        self.server.sql("create table source (id int primary key, number varchar(40), area decimal(10,2), stamp timestamp(6) default now(6));"
                        f"insert into source (id, number, area) select seq, concat('P-', seq), seq / 100.0 from seq_1_to_{N}", "detect")

    def system(self):
        return {"kind": "odbc", "connection": self.server.connection("detect")}

    def change(self, *statements):
        self.server.sql(";".join(one.replace("NOW", "now(6)") for one in statements), "detect")

    def rows(self):
        text = self.server.sql("select id, number, area from source order by id", "detect")
        return [tuple(line.split("|")) for line in text.splitlines()]


class PostgresqlThroughOdbc(PostgresqlSource):
    strategies = ("digest",)

    def system(self):
        parts = dict(part.split("=", 1) for part in self.address.split())
        return {"kind": "odbc", "connection": f"Driver={{PostgreSQL Unicode}};Server={parts['host']};Port={parts['port']};"
                f"Database={parts['dbname']};UID={parts['user']}"}


class GeoPackageSource(SqliteSource):
    """A layer that GDAL made, changed by the statements of the SQLite file that it is."""
    strategies = ("full", "file")

    def __init__(self, folder, server):
        self.path = folder / "source.gpkg"
        ogr.make(self.path, "source", [("id", "Integer64"), ("number", "String"), ("area", "String"), ("stamp", "String")], [], srid="",
                 geometry="None", sql=["create unique index source_id on source (id)"])
        db = sqlite3.connect(self.path)
        db.executemany(f"insert into source (id, number, area, stamp) values (?, ?, ?, {self.now})", records(1, N))
        db.commit()
        db.close()

    def system(self):
        return {"kind": "ogr", "path": str(self.path)}

    def change(self, *statements):
        super().change(*(one.replace("into source values", "into source (id, number, area, stamp) values")
                         .replace("into source select", "into source (id, number, area, stamp) select") for one in statements))


SOURCES = {"mariadb": MariadbSource, "odbc-postgresql": PostgresqlThroughOdbc, "postgresql": PostgresqlSource, "sqlite": SqliteSource, "csv": CsvSource,
           **({"geopackage": GeoPackageSource} if ogr.available() else {})}
CASES = [(kind, strategy) for kind, source in SOURCES.items() for strategy in source.strategies]


@pytest.fixture(scope="module")
def postgres():
    server = Server()
    yield server
    server.remove()


@pytest.fixture
def server(request, kind):
    return request.getfixturevalue({"mariadb": "maria"}.get(kind, "postgres"))


@pytest.fixture(scope="module")
def maria():
    if not shutil.which("mariadb-install-db"):
        pytest.skip("mariadb-server is not installed")
    server = mariadb.Server()
    yield server
    server.remove()


class Case(Place):
    def __init__(self, folder, server, kind, detect):
        self.source = SOURCES[kind](folder, server)
        self.settles = kind == "postgresql" and "watermark" in detect
        db = sqlite3.connect(folder / "target.db")
        db.executescript("create table target (id integer primary key, number text, area text) strict")
        db.close()
        super().__init__(folder, {"one": self.source.system(), "two": {"kind": "sqlite", "path": str(folder / "target.db"), "access": "write"}},
                         MAPPING.format(table="source", detect=detect))

    def run(self, kind="incremental", **counts):
        """A run with exactly these counts of results (others are not looked at), after which the target is the source."""
        if self.settles:
            time.sleep(2.2)     # the horizon lies two seconds back: what is younger waits for the next run
        operation = self.insert(kind)
        assert self.worker(operation) == OK, (self.error(operation), self.stderr)
        names = "n_read n_inserted n_updated n_deleted n_unchanged n_held".split()
        got = dict(zip(names, self.rows("pairs/pair.db", f"select {', '.join(names)} from result where operation_id = ?", operation)[0]))
        assert {name: got[name] for name in counts} == counts, got
        db = sqlite3.connect(self.folder / "target.db")
        present = [(str(number), text, area) for number, text, area in db.execute("select id, number, area from target order by id")]
        db.close()
        assert present == self.source.rows()
        return got


@pytest.mark.parametrize(("kind", "strategy"), CASES)
def test_every_change_is_found(server, tmp_path, kind, strategy):
    case = Case(tmp_path, server, kind, STRATEGIES[strategy])
    case.run("full", n_read=N, n_inserted=N, n_deleted=0)
    nothing = case.run(n_inserted=0, n_updated=0, n_deleted=0)
    if strategy in ("digest", "file"):
        assert nothing["n_read"] == 0
    case.source.change("update source set area = '0.07', stamp = NOW where id in (1, 7777)",
                       "update source set number = 'Q', stamp = NOW where id = 20000",
                       "delete from source where id in (2, 3, 12345)",
                       "insert into source values (20001, 'new', '5.00', NOW), (-4, 'first', '6.00', NOW)")
    some = case.run(n_inserted=2, n_updated=3, n_deleted=3)
    if strategy == "digest":
        assert some["n_read"] < N / 5
    # The ends of the table, a whole stretch of it, and a value that moves from one record to another.
    case.source.change("delete from source where id in (-4, 20001) or id between 5000 and 7000",
                       "update source set number = case id when 10001 then 'P-10002' else 'P-10001' end, stamp = NOW where id in (10001, 10002)")
    case.run(n_inserted=0, n_updated=2, n_deleted=2003)
    case.source.change("insert into source select id + 100000, number, area, NOW from source where id <= 3000")
    case.run(n_inserted=2998, n_updated=0, n_deleted=0)
    case.run(n_inserted=0, n_updated=0, n_deleted=0)
    case.run("full", n_inserted=0, n_updated=0, n_deleted=0)


@pytest.mark.parametrize("kind", ["mariadb", "odbc-postgresql", "postgresql", "sqlite"])
def test_digest_sees_two_records_that_swap_a_value(server, tmp_path, kind):
    case = Case(tmp_path, server, kind, STRATEGIES["digest"])
    case.run("full")
    case.source.change("update source set number = case id when 11 then 'P-12' else 'P-11' end where id in (11, 12)")
    case.run(n_updated=2)
    case.source.change("update source set area = 0.11 where id = 12", "update source set area = 0.12 where id = 11")
    case.run(n_updated=2)


@pytest.mark.parametrize("kind", ["mariadb", "odbc-postgresql", "postgresql", "sqlite"])
def test_digest_reads_again_what_was_held(server, tmp_path, kind):
    """What held a record may pass without any change at the source: so it is met again, and its range alone."""
    case = Case(tmp_path, server, kind, STRATEGIES["digest"])
    case.mapping(MAPPING.format(table="source", detect=STRATEGIES["digest"]).replace("null_values", "maximum: 199.99, null_values"))
    operation = case.insert("full")
    case.worker(operation)
    held = case.rows("pairs/pair.db", "select n_held, n_read from result where operation_id = ?", operation)[0]
    assert held == (1, N)
    operation = case.insert("incremental")
    case.worker(operation)
    held, read = case.rows("pairs/pair.db", "select n_held, n_read from result where operation_id = ?", operation)[0]
    assert held == 1 and 0 < read < 2000


def test_digest_on_mariadb_sees_every_byte(maria, tmp_path):
    """What a collation takes for equal, floats beyond six digits, a text of its own and null, long texts; keys that are ordered by a collation,
    whose deletes are looked for key by key."""
    maria.database("bytes")
    maria.sql("create table source (a varchar(20), b bigint unsigned, t varchar(40), f float, d double, n longtext, primary key (a, b));"
              "insert into source select concat(if(seq % 2, 'k', 'K'), seq), 18446744073709551615 - seq, 'abc', 1.5, 0.1, repeat('x', 2000)"
              " from seq_1_to_5000", "bytes")
    db = sqlite3.connect(tmp_path / "target.db")
    db.executescript("create table target (a text, b text, t text, f text, d text, n text, primary key (a, b)) strict")
    db.close()
    one = {"kind": "odbc", "connection": maria.connection("bytes")}
    here = Place(tmp_path, {"one": one, "two": {"kind": "sqlite", "path": str(tmp_path / "target.db"), "access": "write"}},
                 "pair: pair\nsource: one\ntarget: two\nguards: {max_deletes: 100%, max_changes: 100%}\nentities:\n  parcel:\n    from: source\n"
                 "    to: target\n    key: {a: a, b: {from: b, type: text}}\n    detect: {strategy: digest}\n"
                 "    fields: {t: t, f: {from: f, type: text}, d: {from: d, type: text}, n: n}\n")

    def run(kind="incremental"):
        operation = here.insert(kind)
        assert here.worker(operation) == OK, (here.error(operation), here.stderr)
        names = "n_read, n_inserted, n_updated, n_deleted"
        return here.rows("pairs/pair.db", f"select {names} from result where operation_id = ?", operation)[0]

    assert run("full") == (5000, 5000, 0, 0)
    assert run()[1:] == (0, 0, 0)
    for change in ("t = 'abc '", "t = 'ABC'", "t = null", "t = ''", "t = 'N'", "f = 1.5000001", "d = 0.1000000000000001", "n = concat(n, 'y')",
                   "n = concat('y', left(n, 1999))"):
        maria.sql(f"update source set {change} where a = 'k77'", "bytes")
        read, inserted, updated, deleted = run()
        # Blanks at a text's end mean nothing: read, and no change.
        assert (inserted, updated, deleted) == (0, 0 if change == "t = 'abc '" else 1, 0) and 0 < read < 2500, change
    maria.sql("delete from source where a in ('k79', 'K80'); insert into source values ('k79', 1, null, null, null, null)", "bytes")
    assert run()[1:] == (1, 0, 2)


def test_digest_through_odbc_is_refused_where_nothing_hashes_or_no_key_is(maria, tmp_path):
    maria.database("keyless")
    maria.sql("create table source (id int not null, number text, area decimal(10,2))", "keyless")
    maria.database("unsafe")
    maria.sql("create table source (id int primary key, number text, area decimal(10,2)) engine = MyISAM", "unsafe")
    db = sqlite3.connect(tmp_path / "source.db")
    db.executescript("create table source (id integer primary key, number text, area text)")
    db.close()
    for name, connection, words in (("keyless", maria.connection("keyless"), "no primary key"),
                                    ("unsafe", maria.connection("unsafe"), "of the storage engine MyISAM"),
                                    ("sqlite", f"Driver=SQLite3;Database={tmp_path / 'source.db'}", "SQLite through ODBC is not there yet")):
        folder = tmp_path / name
        folder.mkdir()
        db = sqlite3.connect(folder / "target.db")
        db.executescript("create table target (id integer primary key, number text, area text) strict")
        db.close()
        here = Place(folder, {"one": {"kind": "odbc", "connection": connection},
                              "two": {"kind": "sqlite", "path": str(folder / "target.db"), "access": "write"}},
                     MAPPING.format(table="source", detect=STRATEGIES["digest"]))
        operation = here.insert("full")
        assert here.worker(operation) != OK
        assert words in str(here.error(operation)) + here.stderr
