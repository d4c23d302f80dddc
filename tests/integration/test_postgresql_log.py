# SPDX-License-Identifier: Apache-2.0
"""Strategy log: the source's own log of changes instead of its tables. What the target holds is compared with plain SQL over the source."""
import json

import pytest

from postgresql import CONFIGURATION, FAILED, GUARD, OK, QUARANTINED, TRY_AGAIN, Place, Server

MAPPING = """\
pair: pair
source: one
target: two
guards: {max_deletes: 50%, max_changes: 100%, max_errors: 1000}
entities:
  owner:
    from: owner
    to: owner
    key: {id: id}
    fields: {name: name}
    detect: {strategy: log}
  parcel:
    from: parcel
    to: parcel
    depends_on: [owner]
    key: {year: year, number: number}
    fields:
      area: area
      owner: owner
      note: note
      seen: seen
    detect: {strategy: log}
"""
SOURCE = """
create table owner (id integer primary key, name text);
create table parcel (year integer, number text, area numeric(10,2), owner integer, note text, seen timestamptz default now(), unmapped text,
        primary key (year, number));
alter table parcel alter column note set storage external;
insert into owner select i, 'Owner ' || i from generate_series(1, 50) i;
insert into parcel select 2026, 'P' || i, i / 7.0, 1 + i % 50, 'note ' || i from generate_series(1, 1000) i;
"""
TARGET = """
create table owner (id integer primary key, name text);
create table parcel (year integer, number text, area numeric(10,2), owner integer references owner, note text, seen timestamptz,
        primary key (year, number));
"""


@pytest.fixture(scope="module")
def server():
    server = Server("fsync=off")
    yield server
    server.remove()


class Pair(Place):
    def __init__(self, server, folder, name, mapping=MAPPING, source=SOURCE, target=TARGET, login=None):
        self.server, self.name = server, name
        one, two = server.database(name), server.database(name + "_target")
        self.script(source)
        server.script(name + "_target", target)
        if login:
            one = one.replace("user=postgres", f"user={login}")
        super().__init__(folder, {"one": {"kind": "postgresql", "connection": one},
                                  "two": {"kind": "postgresql", "connection": two, "access": "write"}}, mapping)

    def script(self, text):
        self.server.script(self.name, text)

    def asked(self, sql):
        return self.server.sql(sql, database=self.name)

    def there(self, sql):
        return self.server.sql(sql, database=self.name + "_target")

    def equal(self):
        for sql in ["select * from owner order by 1", "select year, number, area, owner, note, seen from parcel order by 1, 2"]:
            assert self.there(sql) == self.asked(sql)

    def slot(self):
        return self.rows("pairs/pair.db", "select name from log_slot")[0][0]

    def done(self):
        """The slot, and the publication, of a test that is over: there are only so many."""
        self.server.sql("select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active")


@pytest.fixture
def pair(server, tmp_path, request):
    one = Pair(server, tmp_path, request.node.name.replace("test_", "")[:40])
    yield one
    one.done()


def test_changes_come_from_the_log(pair):
    pair.run("incremental")         # the first run compares everything, in the slot's own snapshot
    pair.equal()
    pair.script("update parcel set area = area + 1 where number in ('P1', 'P2');"
                "insert into owner values (99, 'New'); insert into parcel values (2026, 'N1', 1, 99, 'new'), (2027, 'N1', 2, 99, null);"
                "delete from parcel where number = 'P3'; update parcel set number = 'Q4' where number = 'P4';"
                "begin; update parcel set area = 0; rollback;")
    result = pair.result(pair.run("incremental"))
    pair.equal()
    assert result["owner"] == (1, 1, 0, 0, 0, 0)
    assert result["parcel"] == (5, 3, 2, 2, 0, 0)           # Q4 is new, P3 and P4 are gone
    assert pair.result(pair.run("incremental"))["parcel"] == (0, 0, 0, 0, 0, 0)
    journal = pair.rows("journals/" + next(f.name for f in (pair.folder / "state/journals").glob("*.db")), "select count(*) from batch")
    assert journal[0][0] >= 4


def test_what_a_change_left_out_stays(pair):
    pair.script("update parcel set note = repeat('long ', 20000) where number <= 'P2'")     # too large for its row
    pair.run("incremental")
    pair.script("update parcel set area = 77 where number <= 'P2'")                         # says nothing of note
    result = pair.result(pair.run("incremental"))
    assert result["parcel"][2] > 100
    pair.equal()
    assert pair.there("select min(length(note)) from parcel where number <= 'P2'") == "100000"
    # The target lost the record meanwhile: nothing to leave as it is, so the whole of it is read.
    pair.server.sql("delete from parcel where number = 'P1'", database=pair.name + "_target")
    pair.script("update parcel set area = 78 where number <= 'P2'")
    pair.run("incremental")
    pair.equal()
    # And what was left out is not taken for unchanged later.
    pair.script("update parcel set area = 77 where number <= 'P2'")
    pair.run("incremental")
    pair.equal()
    pair.script("update parcel set note = null where number = 'P2'")
    pair.run("incremental")
    assert pair.there("select note is null from parcel where number = 'P2'") == "t"


def test_what_a_change_left_out_is_not_anothers(pair):
    """The rest of a record under a new key, or of one whose last change is held, is not what the target has there."""
    pair.server.script(pair.name + "_target", "alter table parcel add check (owner <> 13)")
    pair.script("update parcel set owner = 1 where owner = 13;"
                "update parcel set note = repeat(number || ' ', 20000) where number in ('P1', 'P2', 'P3')")
    pair.run("incremental")
    pair.script("begin; delete from parcel where number = 'P2'; update parcel set number = 'P2' where number = 'P1'; commit")
    pair.run("incremental")
    pair.equal()
    pair.script("update parcel set note = repeat('new ', 20000), owner = 13 where number = 'P3'")
    pair.run("incremental", expect=QUARANTINED)
    pair.script("update parcel set owner = 5 where number = 'P3'")      # says nothing of note
    pair.run("incremental")
    pair.equal()


def test_a_transaction_larger_than_a_batch(pair):
    pair.more["TERRAFUSION_BATCH_RECORDS"] = "100"
    pair.run("incremental")
    pair.script("begin; update parcel set area = area + 1; delete from parcel where number like 'P9%';"
                "insert into parcel select 2030, 'Z' || i, i, 1, null from generate_series(1, 500) i; update parcel set owner = 2; commit;")
    pair.run("incremental", allow=["max_changes"])
    pair.equal()


def test_deletes_and_truncate_are_guarded(pair):
    pair.run("incremental")
    pair.script("delete from parcel where number <> 'P1'")
    assert pair.worker(pair.insert("incremental")) == GUARD
    assert pair.there("select count(*) from parcel") == "1000"
    pair.run("incremental", allow=["max_deletes"])
    pair.equal()
    pair.script("truncate parcel")
    assert pair.worker(pair.insert("incremental")) == GUARD
    assert pair.there("select count(*) from parcel") == "1"
    pair.run("incremental", allow=["max_deletes", "empty_source"])
    assert pair.there("select count(*) from parcel") == "0"
    pair.script("insert into parcel values (2031, 'A', 1, 1, null)")
    pair.run("incremental", allow=["max_changes"])
    pair.equal()


def test_every_table_that_was_truncated_is_compared(server, tmp_path):
    """Also those that come after one whose guard trips: the place in the log lies behind the TRUNCATE by then."""
    pair = Pair(server, tmp_path, "truncated", target=TARGET.replace(" references owner", ""))
    pair.run("incremental")
    pair.script("truncate owner, parcel")
    assert pair.worker(pair.insert("incremental")) == GUARD
    pair.run("incremental", allow=["max_deletes", "empty_source"])
    pair.equal()
    assert pair.there("select count(*) from parcel") == "0"
    pair.done()


JOINED = """\
pair: pair
source: one
target: two
guards: {max_deletes: 90%, max_changes: 100%, max_errors: 1000}
entities:
  parcel:
    from: parcel
    join:
      owner: {from: owner, by: {id: owner}, optional: true}
    where: "source.year = 2026"
    to: parcel
    key: {year: year, number: number}
    fields: {area: area, note: owner.name}
    detect: {strategy: log}
"""


def test_joins_and_where(server, tmp_path):
    pair = Pair(server, tmp_path, "joined", JOINED)
    same = ("select year, number, area, note from parcel order by 1, 2",
            "select p.year, p.number, p.area, o.name from parcel p left join owner o on o.id = p.owner where p.year = 2026 order by 1, 2")
    pair.run("incremental")
    assert pair.there(same[0]) == pair.asked(same[1])
    pair.script("update owner set name = 'Renamed' where id = 3")           # twenty records of the target change
    assert pair.result(pair.run("incremental"))["parcel"][2] == 20
    assert pair.there(same[0]) == pair.asked(same[1])
    pair.script("update parcel set year = 2025 where number = 'P5'; update parcel set owner = 7 where number = 'P6';"
                "delete from owner where id = 4; insert into parcel values (2024, 'OLD', 1, 1, null), (2026, 'NEW', 1, 3, null);"
                "update owner set id = 60 where id = 5")
    pair.run("incremental")
    assert pair.there(same[0]) == pair.asked(same[1])
    assert pair.there("select count(*) from parcel where number in ('P5', 'OLD')") == "0"
    pair.done()


def test_a_slot_that_is_gone_is_repaired(pair):
    pair.run("incremental")
    slot = pair.slot()
    pair.script("update parcel set area = 5 where number = 'P1'; delete from parcel where number = 'P2'")
    pair.server.sql(f"select pg_drop_replication_slot('{slot}')")
    pair.script("insert into parcel values (2026, 'LATE', 1, 1, null)")
    pair.run("incremental")
    assert "is not there any more" in pair.stderr
    pair.equal()
    # Made anew by another hand: it is further than we are.
    pair.script("update parcel set area = 6 where number = 'P1'")
    pair.server.sql(f"select pg_drop_replication_slot('{slot}')")
    pair.server.sql("select 1 from pg_create_logical_replication_slot('%s', 'pgoutput')" % slot, database=pair.name)
    pair.run("incremental")
    assert "moved on" in pair.stderr
    pair.equal()
    pair.script("update parcel set area = 7 where number = 'P1'")
    pair.run("incremental")
    assert "everything is compared" not in pair.stderr
    pair.equal()


def test_a_slot_that_keeps_too_much_is_given_up(pair):
    pair.run("incremental")
    pair.mapping(MAPPING.replace("guards:", "slot_guard: {warn: 1M, act: 2M}\nguards:", 1))
    pair.run("incremental")                 # the file is another: everything is compared
    slot = pair.slot()
    made = pair.server.sql(f"select catalog_xmin from pg_replication_slots where slot_name = '{slot}'")
    pair.script("update parcel set note = repeat(md5(number), 200); update parcel set area = 3 where number = 'P7'; delete from parcel where number = 'P8'")
    pair.run("incremental")
    assert "slot_guard: act" in pair.stderr
    assert pair.server.sql(f"select catalog_xmin from pg_replication_slots where slot_name = '{slot}'") != made
    pair.equal()
    pair.mapping(MAPPING.replace("guards:", "slot_guard: {warn: much}\nguards:", 1))
    assert pair.worker(pair.insert("incremental")) == CONFIGURATION


def test_columns_that_come_and_go(pair):
    pair.run("incremental")
    pair.script("update parcel set area = 1 where number = 'P1'; alter table parcel add column more text;"
                "update parcel set area = 2, more = 'x' where number = 'P2'; alter table parcel drop column unmapped;"
                "update parcel set area = 3 where number = 'P3'; alter table parcel alter column area type numeric(12,2);"
                "update parcel set area = 4 where number = 'P4'; alter table parcel alter column owner type bigint;"
                "update parcel set owner = 5 where number = 'P5';")
    pair.run("incremental")
    pair.equal()


def check(pair):
    operation = pair.insert("check")
    pair.worker(operation)
    return operation


def test_what_a_dba_has_to_do(server, tmp_path):
    server.sql("drop role if exists tf_reader", check=False)
    server.sql("create role tf_reader login")
    pair = Pair(server, tmp_path, "rights", login="tf_reader")
    pair.script("grant select on all tables in schema public to tf_reader; create table keyless (a integer); alter table owner replica identity nothing;")
    report = pair.report(check(pair))
    remedies = " ".join(row.get("remedy") or "" for row in report if not row["ok"])
    assert "alter role tf_reader replication" in remedies
    assert 'alter table public.owner replica identity full' in remedies
    assert pair.worker(pair.insert("incremental")) == FAILED
    pair.script("alter role tf_reader replication; alter table owner replica identity default")
    operation = pair.insert("incremental")
    assert pair.worker(operation) == FAILED
    sql = pair.error(operation)["remedy"]
    assert sql.startswith("create publication terrafusion_pair_")
    assert pair.asked("select count(*) from pg_publication") == "0"
    pair.script(sql)
    pair.run("incremental")
    pair.equal()
    pair.script("update parcel set area = 9 where number = 'P9'")
    pair.run("incremental")
    pair.equal()
    pair.done()
