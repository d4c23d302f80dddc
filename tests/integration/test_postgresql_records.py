# SPDX-License-Identifier: Apache-2.0
"""What a PostgreSQL target refuses costs that record alone, in the middle of large batches too; changes of every kind arrive."""
import sqlite3
import time

import pytest

from postgresql import OK, QUARANTINED, Place, Server

MAPPING = """\
pair: pair
source: one
target: two
guards: {max_deletes: 50%, max_changes: 100%, max_errors: 1000}
entities:
  owner:
    from: owner
    to: county.owner
    key: {id: id}
    fields: {name: name}
  parcel:
    from: parcel
    to: county.parcel
    depends_on: [owner]
    key: {year: year, number: number}
    fields:
      serial: serial
      area: area
      owner: owner
      parent: parent
      note: note
"""
SOURCE = """
create table owner (id integer primary key, name text);
create table parcel (year integer, number text, serial integer, area text, owner integer, parent text, note text, primary key (year, number));
insert into owner values (1, 'Ada'), (2, 'Bob');
"""
TARGET = ["create schema county", "create table county.owner (id integer primary key, name text not null)",
          """create table county.parcel (year smallint, number varchar(10), serial integer unique,
              area numeric(10,2) not null check (area >= 0), owner integer references county.owner, parent varchar(10), note text,
              extra text default 'kept', primary key (year, number),
              constraint parcel_parent foreign key (year, parent) references county.parcel deferrable initially deferred)"""]


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.remove()


class Parcels(Place):
    def __init__(self, server, folder, name, mapping=MAPPING):
        address = server.database(name)
        server.sql(*TARGET, database=name)
        db = sqlite3.connect(folder / "source.db")
        db.executescript("pragma journal_mode=wal;" + SOURCE)
        db.close()
        self.server, self.name = server, name
        super().__init__(folder, {"one": {"kind": "sqlite", "path": str(folder / "source.db")},
                                  "two": {"kind": "postgresql", "connection": address, "access": "write"}}, mapping)

    def source(self, sql, rows=None):
        db = sqlite3.connect(self.folder / "source.db")
        if rows is None:
            db.executescript(sql)
        else:
            db.executemany(sql, rows)
        db.commit()
        db.close()

    def put(self, rows):
        self.source("insert into parcel values (?, ?, ?, ?, ?, ?, ?)", rows)

    def asked(self, sql):
        return self.server.sql(sql, database=self.name)

    def expected(self, where="true"):
        db = sqlite3.connect(self.folder / "source.db")
        rows = db.execute(f"select year, number, serial, area, owner, parent, note from parcel where {where} order by 1, 2").fetchall()
        db.close()
        return "\n".join("|".join("" if v is None else str(v) for v in row) for row in rows)

    def present(self):
        return self.asked('select year, number, serial, area, owner, parent, note from county.parcel order by year, number collate "C"')


def good(n, first=0):
    return [(2026, f"P-{i:05}", i, f"{i}.25", 1 + i % 2, None, f"n{i}") for i in range(first, first + n)]


BROKEN = {      # number: (row, the server's sentence)
    "P-00777": ((2026, "P-00777", 777, "-1.00", 1, None, None), "violates check constraint \"parcel_area_check\""),
    "P-01500": ((2026, "P-01500", 1499, "1.00", 1, None, None), "violates unique constraint \"parcel_serial_key\""),
    "P-02001": ((2026, "P-02001", 2001, None, 1, None, None), "violates not-null constraint"),
    "P-03000": ((2026, "P-03000", 3000, "1.00", 99, None, None), "violates foreign key constraint \"parcel_owner_fkey\""),
    "P-04000": ((2026, "P-04000", 4000, "1.00", 1, "P-99999", None), "violates foreign key constraint \"parcel_parent\""),
    "P-05000": ((2026, "P-05000", 5000, "99999999999.00", 1, None, None), "numeric field overflow"),
    "P-06000": ((2026, "P-06000", 6000, "1.005", 1, None, None), "would be rounded"),
    "P-07000": ((2026, "P-07000", 7000, "1.00", 1, None, "nul\0"), "NUL"),
    "P-07001-too-long": ((2026, "P-07001-too-long", 7001, "1.00", 1, None, None), "too long for type character varying(10)"),
}


@pytest.mark.parametrize("filled", [False, True])
def test_refused_in_the_middle(server, tmp_path, filled):
    county = Parcels(server, tmp_path, f"refused_{filled}".lower())
    rows = {row[1]: row for row in good(8000)}
    if filled:      # the other way to write: a target that is not empty
        county.put(good(10, 90000))
        county.run()
    rows.update({number: row for number, (row, _) in BROKEN.items()})
    rows["P-00010"] = rows["P-00010"][:5] + ("P-07999", "its parent comes later")
    county.put(rows.values())
    operation = county.run(expect=QUARANTINED, allow=["max_changes"])
    assert county.result(operation)["parcel"][1] == len(rows) - len(BROKEN)
    assert county.result(operation)["parcel"][5] == len(BROKEN)
    names = ", ".join(f"'{number}'" for number in BROKEN)
    assert county.present() == county.expected(f"number not in ({names})")
    found = county.findings()
    for (number, (_, sentence)), finding in zip(sorted(BROKEN.items()), found):
        assert sentence in finding["message"], (number, finding)
        assert finding["rule"] in ("target_refused", "type") and finding["remedy"]
        assert "99999" not in finding["message"] or number == "P-05000"
    # Mended at the source, they go through; what was there already is not touched.
    county.source(f"update parcel set area = '1.00', owner = 1, parent = null, note = null, serial = 100000 + serial where number in ({names})")
    county.source("update parcel set number = 'L-07001' where number = 'P-07001-too-long'")
    operation = county.run()
    assert county.result(operation)["parcel"][1:] == (len(BROKEN), 0, 0, len(rows) - len(BROKEN) + 10 * filled, 0)
    assert county.present() == county.expected()
    assert county.asked("select count(*) from county.parcel where extra is distinct from 'kept'") == "0"


def test_all_of_a_batch_is_refused(server, tmp_path):
    county = Parcels(server, tmp_path, "all_refused")
    county.put([(2026, f"P-{i}", i, "-1", 1, None, None) for i in range(300)])
    operation = county.run(expect=QUARANTINED)
    assert county.result(operation)["parcel"] == (300, 0, 0, 0, 0, 300)
    assert county.present() == ""


def test_changes_of_every_kind(server, tmp_path):
    county = Parcels(server, tmp_path, "changes")
    county.put(good(5000))
    county.run()
    county.asked("create table audit (number text, columns text); create function note() returns trigger language plpgsql as $$ begin "
                 "insert into audit values (new.number, concat_ws(',', case when new.area is distinct from old.area then 'area' end, "
                 "case when new.note is distinct from old.note then 'note' end, case when new.owner is distinct from old.owner then 'owner' end)); "
                 "return new; end $$; create trigger note after update on county.parcel for each row execute function note()")
    county.source("update parcel set area = '7.00' where serial % 3 = 0; update parcel set note = null, owner = 3 - owner where serial % 5 = 0;"
                  "delete from parcel where serial % 11 = 0")
    county.put(good(500, 5000))
    operation = county.run()
    gone = len(range(0, 5000, 11))
    changed = len([i for i in range(5000) if i % 11 and (i % 3 == 0 or i % 5 == 0)])
    assert county.result(operation)["parcel"] == (5500 - gone, 500, changed, gone, 5000 - gone - changed, 0)
    assert county.present() == county.expected()
    # Only what differs was written, of each record.
    assert county.asked("select count(*), count(*) filter (where columns = 'area'), count(*) filter (where columns = 'note,owner') from audit") == \
        f"{changed}|{len([i for i in range(5000) if i % 11 and i % 3 == 0 and i % 5])}|{len([i for i in range(5000) if i % 11 and i % 5 == 0 and i % 3])}"
    assert county.result(county.run())["parcel"] == (5500 - gone, 0, 0, 0, 5500 - gone, 0)


def test_a_record_that_another_hand_deleted_or_made(server, tmp_path):
    county = Parcels(server, tmp_path, "others")
    county.put(good(200))
    county.run()
    # Between fetch and write another session deletes one row and makes another: a trigger plays it.
    county.source("update parcel set area = '9.00' where serial in (5, 6)")
    county.asked("create function race() returns trigger language plpgsql as $$ begin if old.number = 'P-00005' then return null; end if; "
                 "return new; end $$; create trigger race before update on county.parcel for each row execute function race()")
    county.run(expect=QUARANTINED)
    assert county.asked("select number, area from county.parcel where serial in (5, 6) order by 1") == "P-00005|5.25\nP-00006|9.00"
    assert "no row for this key to update" in county.findings()[0]["message"]
    county.asked("drop trigger race on county.parcel")
    county.run()
    assert county.present() == county.expected()


def test_a_trigger_that_leaves_records_out(server, tmp_path):
    """COPY tells how many rows it made; one that a trigger dropped is held, and not taken as written."""
    county = Parcels(server, tmp_path, "dropped")
    county.asked("create function drop_it() returns trigger language plpgsql as $$ begin if new.serial = 40 then return null; end if; "
                 "return new; end $$; create trigger drop_it before insert on county.parcel for each row execute function drop_it()")
    county.put(good(100))
    operation = county.run(expect=QUARANTINED)
    assert county.result(operation)["parcel"] == (100, 99, 0, 0, 0, 1)
    assert "did not take the record" in county.findings()[0]["message"]
    county.asked("drop trigger drop_it on county.parcel")
    county.run()
    assert county.present() == county.expected()


def test_views_rules_and_row_security_are_written_by_insert(server, tmp_path):
    county = Parcels(server, tmp_path, "secured")
    county.asked("alter table county.parcel enable row level security; alter table county.parcel rename to parcel_table; "
                 "create view county.parcel as select * from county.parcel_table")
    county.put(good(3000))
    county.run()
    assert county.present() == county.expected()
    county.source("update parcel set area = '3.00'; delete from parcel where serial < 10")
    county.run()
    assert county.present() == county.expected()


def test_identity_generated_and_partitions(server, tmp_path):
    mapping = MAPPING.replace("county.parcel", "county.part")
    county = Parcels(server, tmp_path, "partitions", mapping)
    county.asked("create table county.part (year smallint, number text, serial integer generated always as identity, area numeric(10,2), "
                 "twice numeric generated always as (area * 2) stored, owner integer, parent text, note text, primary key (year, number)) "
                 "partition by range (year); create table county.part_new partition of county.part for values from (2026) to (2027)")
    county.put(good(500) + [(2027, "P-1", 9999, "1.00", 1, None, None)])
    county.run(expect=QUARANTINED)
    assert county.asked("select count(*), sum(twice), sum(serial), max(year) from county.part") == \
        f"500|{sum(2 * i + 0.5 for i in range(500)):.2f}|{sum(range(500))}|2026"
    assert "no partition of relation" in county.findings()[0]["message"]


def test_a_key_order_that_no_index_gives(server, tmp_path):
    """From PostgreSQL: a heap without a key is read in any order, a text key in its own collation's."""
    address = server.database("orders")
    server.sql("create table a (k text, v integer)", "create table b (k text primary key, v integer)",
               "create table a2 (k text primary key, v integer)", "create table b2 (k text primary key, v integer)",
               "insert into a select md5(n::text), n from generate_series(1, 2000) n", "insert into b select * from a",
               "insert into b values ('ä', 1), ('Z', 2), ('z', 3), ('-', 4), ('O''x', 5)", database="orders")
    mapping = """\
pair: pair
source: one
target: two
variables: {least: 3, name: "O'x"}
entities:
  a: {from: a, to: a2, key: {k: k}, fields: {v: v}}
  b: {from: b, to: b2, where: "v >= :least or k = :name", key: {k: k}, fields: {v: v}}
"""
    place = Place(tmp_path, {"one": {"kind": "postgresql", "connection": address},
                             "two": {"kind": "postgresql", "connection": address, "access": "write"}}, mapping, TERRAFUSION_BATCH_RECORDS="100")
    place.run()
    for other, source in (("a2", "select * from a"), ("b2", "select * from b where v >= 3 or k = 'O''x'")):
        assert server.sql(f"select count(*) from ((table {other} except {source}) union all ({source} except table {other})) d", database="orders") == "0"
    messages = [row["message"] for row in place.report(place.run("check"))]
    assert any("in no order" in m and "2 columns" in m for m in messages)


def test_joins_that_take_the_first(server, tmp_path):
    address = server.database("joins")
    server.sql("create table property (id integer primary key, geo text)", "create table owner (owner_id integer primary key, id integer, pct numeric, name text)",
               "create index on owner (id)", "create table target (geo text primary key, name text)",
               "insert into property select n, 'G' || n from generate_series(1, 1000) n",
               "insert into owner select n, 1 + n % 900, n % 7, 'O' || n from generate_series(1, 5000) n", database="joins")
    mapping = """\
pair: pair
source: one
target: two
entities:
  property:
    from: property
    to: target
    join:
      owner: {from: owner, by: {id: id}, order: [-pct, owner_id], take: first, optional: true}
    key: {geo: geo}
    fields: {name: owner.name}
"""
    place = Place(tmp_path, {"one": {"kind": "postgresql", "connection": address},
                             "two": {"kind": "postgresql", "connection": address, "access": "write"}}, mapping)
    assert place.result(place.run())["property"][1] == 1000
    assert server.sql("select count(*), count(name) from target", database="joins") == "1000|900"
    assert server.sql("select count(*) from target t join property p using (geo) where t.name is distinct from (select name from owner o where o.id = p.id "
                      "order by pct desc, owner_id limit 1)", database="joins") == "0"


@pytest.mark.parametrize("kind", ["text", "char(32)"])
def test_a_resumed_scan_goes_on_at_its_key(server, tmp_path, kind):
    """A worker that is ended between two batches takes up where it was, in a scan that has an order."""
    import os
    import signal
    import subprocess

    import harness
    address = server.database("resumed")
    server.sql(f"create table s (year smallint, k {kind}, v integer, primary key (year, k))", "create table t (like s including all)",
               "insert into s select 2020 + n % 5, md5(n::text), n from generate_series(1, 60000) n", "analyze s", database="resumed")
    mapping = "pair: pair\nsource: one\ntarget: two\nentities:\n  s: {from: s, to: t, key: {year: year, k: k}, fields: {v: v}}\n"
    place = Place(tmp_path, {"one": {"kind": "postgresql", "connection": address},
                             "two": {"kind": "postgresql", "connection": address, "access": "write"}}, mapping, TERRAFUSION_BATCH_RECORDS="500")
    operation = place.insert()
    for _ in range(3):
        worker = subprocess.Popen([harness.WORKER, operation], env=place.environment(), stderr=subprocess.DEVNULL)
        time.sleep(0.25)
        os.kill(worker.pid, signal.SIGTERM)
        worker.wait()
        # Before the position nothing is read again: rows that come there are the next run's.
        position = place.rows("pairs/pair.db", "select position from entity where name = 's'") if worker.returncode == 75 else []
        if position and position[0][0]:
            break
    assert position and position[0][0], "the scan has no position"
    assert place.worker(operation) == OK, place.stderr
    assert place.result(operation)["s"] == (60000, 60000, 0, 0, 0, 0)
    assert server.sql("select count(*) from ((table s except table t) union all (table t except table s)) d", database="resumed") == "0"
