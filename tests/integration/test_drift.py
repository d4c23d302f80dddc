# SPDX-License-Identifier: Apache-2.0
"""Columns that change under a mapping, and mappings that gain a field: what is reported, what stops, and that nothing is written but what it concerns."""
import re
import sqlite3

import pytest

from postgresql import CONFIGURATION, FAILED, GUARD, OK, TRY_AGAIN, Place, Server  # noqa: F401

N = 1000
MAPPING = """\
pair: pair
source: one
target: two
guards: {{max_deletes: 5%, max_changes: 10%, max_errors: 10}}
{drift}entities:
  parcel:
    from: parcel
    to: parcel
    key: {{id: id}}
    fields:
      market: market
      owner: owner
{more}"""


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.remove()


class Case(Place):
    def __init__(self, server, folder, name):
        self.server, self.source, self.target = server, f"{name}_source", f"{name}_target"
        systems = {"one": {"kind": "postgresql", "connection": server.database(self.source)},
                   "two": {"kind": "postgresql", "access": "write", "connection": server.database(self.target)}}
        self.at_source("create table parcel (id integer primary key, market numeric(10,2), owner varchar(20), use_cd varchar(4))",
                       f"insert into parcel select i, i * 1.25, 'owner ' || i, 'R' || i % 7 from generate_series(1, {N}) i")
        self.at_target("create table parcel (id integer primary key, market numeric(10,2), owner varchar(20))")
        super().__init__(folder, systems, "")
        self.write()

    def write(self, more="", drift=""):
        self.mapping(MAPPING.format(more=more, drift=drift))

    def at_source(self, *sql):
        return self.server.sql(*sql, database=self.source)

    def at_target(self, *sql):
        return self.server.sql(*sql, database=self.target)

    def place_of(self, text):
        """FILE:LINE of what stands in the mapping."""
        path = self.folder / "etc/mappings/pair.yaml"
        return str(path), path.read_text().splitlines().index(text) + 1

    def written(self):
        """Rows the target wrote since: each has a transaction of its own kind."""
        return int(self.at_target("select count(*) from parcel where xmin::text::bigint > (select mark from marked)"))

    def mark(self):
        self.at_target("drop table if exists marked", "create table marked as select txid_current() as mark")

    def drift(self):
        return self.rows("pairs/pair.db", "select side, column_name, kind, old_type, new_type, mapped, status, accepted_by from drift order by id")


@pytest.fixture
def case(server, tmp_path, request):
    return Case(server, tmp_path, re.sub(r"\W+", "_", request.node.name)[:40].lower())


def test_a_newly_mapped_column_is_filled_in_for_all(case):
    case.run("full")
    case.at_target("alter table parcel add column use_code varchar(4)",
                   "update parcel set owner = 'by hand' where id <= 500")  # the target's own, since the source did not change
    case.at_source("update parcel set market = 7 where id between 990 and 999")
    case.write(more="      use_code: use_cd\n")
    operation = case.run("incremental")  # max_changes is 10 %
    assert case.result(operation)["parcel"] == (N, 0, N, 0, 0, 0)
    assert case.at_target("select count(*) from parcel where use_code = 'R' || id % 7") == str(N)
    assert case.at_target("select count(*) from parcel where owner = 'by hand'") == "500"
    assert case.at_target("select count(*) from parcel where market = 7") == "10"
    changed = case.rows("pairs/pair.db", "select n_filled, refill from entity_schema")
    assert changed == [(0, None)]
    # Afterwards it is a column as any other: under the guard.
    case.at_source("update parcel set use_cd = 'X'")
    operation = case.run("full", expect=GUARD)
    assert "max_changes" in case.error(operation)["detail"]


def test_values_that_are_there_are_under_the_guard(case):
    case.run("full")
    case.at_target("alter table parcel add column use_code varchar(4) default 'own'")
    case.write(more="      use_code: use_cd\n")
    operation = case.run("incremental", expect=GUARD)
    assert "max_changes" in case.error(operation)["detail"]
    assert case.at_target("select count(*) from parcel where use_code = 'own'") == str(N)
    case.run("incremental", allow=["max_changes"])
    assert case.at_target("select count(*) from parcel where use_code = 'R' || id % 7") == str(N)


def test_other_changes_do_not_hide_behind_a_new_column(case):
    case.run("full")
    case.at_target("alter table parcel add column use_code varchar(4)")
    case.at_source("update parcel set owner = 'all the same'")
    case.write(more="      use_code: use_cd\n")
    operation = case.run("incremental", expect=GUARD)
    assert "max_changes" in case.error(operation)["detail"]


def test_a_reworded_mapping_writes_nothing(case):
    case.run("full")
    case.at_target("update parcel set owner = 'by hand' where id <= 500")
    case.mark()
    case.write(drift="# a comment\n")
    assert case.result(case.run("incremental"))["parcel"] == (N, 0, 0, 0, N, 0)
    assert case.written() == 0
    assert case.at_target("select count(*) from parcel where owner = 'by hand'") == "500"


def test_filling_goes_on_after_kill(case):
    case.run("full")
    case.at_target("alter table parcel add column use_code varchar(4)")
    case.write(more="      use_code: use_cd\n")
    # The target stops the worker in the middle, after 400 records.
    case.at_target("create function stop() returns trigger language plpgsql as $$ begin if new.id = 401 then "
                   "perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); end if; return new; end $$",
                   "create trigger stop before update on parcel for each row execute function stop()")
    operation = case.insert("incremental")
    assert case.worker(operation, TERRAFUSION_BATCH_RECORDS="50") == TRY_AGAIN
    filled = case.rows("pairs/pair.db", "select n_filled from entity_schema")[0][0]
    assert filled == 400
    case.at_target("drop trigger stop on parcel")
    assert case.worker(operation, TERRAFUSION_BATCH_RECORDS="50") == OK, case.error(operation)
    assert case.result(operation)["parcel"] == (N, 0, N, 0, 0, 0)
    assert case.at_target("select count(*) from parcel where use_code = 'R' || id % 7") == str(N)


def test_a_widened_column_is_reported(case):
    case.run("full")
    case.at_source("alter table parcel alter market type numeric(14,2)", "alter table parcel alter use_cd type text")
    case.at_target("alter table parcel alter owner type text", "alter table parcel add column note text")
    operation = case.run("incremental")
    assert case.result(operation)["parcel"] == (N, 0, 0, 0, N, 0)
    assert sorted(case.drift()) == [("source", "market", "widened", "numeric(10,2)", "numeric(14,2)", 1, "reported", None),
                                    ("source", "use_cd", "widened", "character varying(4)", "text", 0, "reported", None),
                                    ("target", "note", "added", None, "text", 0, "reported", None),
                                    ("target", "owner", "widened", "character varying(20)", "text", 1, "reported", None)]
    assert 'the column "market" of parcel in system "one" was numeric(10,2) and is numeric(14,2) (widened)' in case.stderr.replace('\\"', '"')
    case.stderr = ""
    case.run("incremental")
    assert "widened" not in case.stderr


def test_a_narrowed_column_stops_until_it_is_accepted(case):
    case.run("full")
    case.at_source("update parcel set owner = 'o' || id, market = 1.5 where id > 995", "alter table parcel alter owner type varchar(12)")
    operation = case.run("incremental", expect=GUARD)
    error = case.error(operation)
    path, line = case.place_of("      owner: owner")
    assert error["code"] == "TF-5004" and (error["file"], error["line"]) == (path, line) and error["field"] == "owner"
    assert error["detail"] == ('Entity "parcel": the column "owner" of parcel in system "one" was character varying(20) and is '
                               'character varying(12) (narrowed)')
    assert error["remedy"].endswith("terrafusionctl drift accept pair")
    assert case.at_target("select count(*) from parcel where market = 1.5") == "0"
    check = case.run("check", expect=FAILED)
    assert [row["what"] for row in case.report(check) if not row["ok"]] == ["drift"]
    case.at_target("update parcel set market = 9 where id <= 20", "update parcel set owner = 'by hand' where id = 20")
    case.run("drift-accept")
    assert [row[:7] for row in case.drift()] == [("source", "owner", "narrowed", "character varying(20)", "character varying(12)", 1, "accepted")]
    operation = case.run("incremental")
    assert case.result(operation)["parcel"] == (N, 0, 6, 0, N - 6, 0)
    # What the column has to do with is as the source has it, everywhere; others are left alone.
    assert case.at_target("select owner from parcel where id in (20, 1000) order by id") == "owner 20\no1000"
    assert case.at_target("select count(*) from parcel where market = 9") == "20"
    accepted = case.run("drift-accept")
    assert "nothing to accept" in case.report(accepted)[0]["message"]


def test_a_removed_column_that_comes_back_is_no_drift(case):
    case.run("full")
    case.at_source("alter table parcel rename owner to owner_name")
    operation = case.run("incremental", expect=GUARD)
    error = case.error(operation)
    assert '"owner"' in error["detail"] and "which was character varying(20), is gone" in error["detail"]
    assert case.drift()[0][6] == "stops"
    case.at_source("alter table parcel rename owner_name to owner")
    case.run("incremental")
    assert case.drift() == []


def test_a_target_column_made_anew_is_filled(case):
    case.run("full")
    case.at_target("alter table parcel drop column owner")
    case.run("incremental", expect=GUARD)
    case.run("drift-accept")
    case.at_target("alter table parcel add column owner varchar(20)")
    case.run("incremental")
    assert case.at_target("select count(*) from parcel where owner = 'owner ' || id") == str(N)


def test_the_policy_decides(case):
    case.write(drift="drift: {added: stop, narrowed: report}\n")
    case.run("full")
    case.at_source("alter table parcel alter owner type varchar(12)")
    case.run("incremental")
    case.at_source("alter table parcel add column note text")
    operation = case.run("incremental", expect=GUARD)
    assert 'the column "note", text, of parcel in system "one" is new' in case.error(operation)["detail"]
    case.run("drift-accept")
    case.run("incremental")
    # What the mapping does not read stops nothing.
    case.at_source("alter table parcel drop column use_cd")
    case.run("incremental")


def test_joined_columns_count(case):
    case.at_source("create table use (code varchar(4) primary key, title varchar(20))", "insert into use select 'R' || i, 'use ' || i from generate_series(0, 6) i")
    case.at_target("alter table parcel add column title varchar(20)")
    case.write(more="      title: use.title\n    join:\n      use: {from: use, by: {code: use_cd}, optional: true}\n")
    case.run("full")
    case.at_source("alter table use alter title type varchar(6)")
    operation = case.run("incremental", expect=GUARD)
    assert '"use.title"' in case.error(operation)["detail"]


@pytest.mark.parametrize("drift, words", [
    ("drift: {widened: stopp}\n", 'Did you mean "stop"?'),
    ("drift: {wideneded: stop}\n", 'Did you mean "widened"?'),
    ("drift: stop\n", "Write members"),
    ("parallel: 2\n", '"parallel" is not there yet'),
])
def test_bad_policies(case, drift, words):
    case.write(drift=drift)
    operation = case.run("full", expect=CONFIGURATION)
    error = case.error(operation)
    assert words in f'{error["detail"]}. {error.get("remedy")}' and error["line"] == 5, error


def test_kinds_that_cannot_tell_have_no_drift(tmp_path):
    """CSV files have no declared types; SQLite has."""
    (tmp_path / "roll").mkdir()
    (tmp_path / "roll/parcel.csv").write_text("id,market,owner\n1,2.5,ada\n")
    db = sqlite3.connect(tmp_path / "two.db")
    db.execute("create table parcel (id integer primary key, market text, owner text)")
    db.commit()
    place = Place(tmp_path, {"one": {"kind": "csv", "path": str(tmp_path / "roll")},
                             "two": {"kind": "sqlite", "access": "write", "path": str(tmp_path / "two.db")}},
                  MAPPING.format(more="", drift="").replace("from: parcel", "from: parcel.csv"))
    place.run("full")
    db.execute("alter table parcel add column note text")
    db.commit()
    place.run("incremental")
    assert [row[0] for row in place.rows("pairs/pair.db", "select column_name from drift")] == ["note"]
