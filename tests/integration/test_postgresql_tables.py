# SPDX-License-Identifier: Apache-2.0
"""Tables of every shape that a PostgreSQL server has, as source and as target: schemas and the search path, partitions, heirs, views, foreign
tables, generated and identity columns, domains and enums, keys of many columns, rows that a policy hides. What cannot be is said by check,
with what to do; what the DBA is told to run is run here."""
import re

import pytest

from postgresql import FAILED, OK, QUARANTINED, Place, Server

MAPPING = """\
pair: pair
source: one
target: two
guards: {{max_deletes: 100%, max_changes: 100%, max_errors: 1000}}
entities:
  thing:
    from: {source}
    to: {target}
    key: {{{key}}}
    fields: {{{fields}}}
"""


@pytest.fixture(scope="module")
def server():
    server = Server()
    server.sql("create role reader login", "create role writer login")
    yield server
    server.remove()


class Case(Place):
    def __init__(self, server, folder, name, *statements, source="source", target="target", key="id: id", fields="note: note", options="", users=None):
        address = server.database(name)
        self.server, self.name = server, name
        if statements:
            server.sql(*statements, database=name)
        logins = [address if not users else re.sub(r"user=\w+", f"user={user}", address) for user in users or ("", "")]
        super().__init__(folder, {"one": {"kind": "postgresql", "connection": logins[0] + options},
                                  "two": {"kind": "postgresql", "connection": logins[1] + options, "access": "write"}},
                         MAPPING.format(source=source, target=target, key=key, fields=fields))

    def asked(self, sql):
        return self.server.sql(sql, database=self.name)

    def failures(self, kind="check"):
        operation = self.insert(kind)
        assert self.worker(operation) == FAILED, self.report(operation)
        return [row for row in self.report(operation) if not row["ok"]]

    def same(self, left="source", right="target", columns="*"):
        for a, b in ((left, right), (right, left)):
            assert self.asked(f"select {columns} from {a} except select {columns} from {b}") == ""
        assert int(self.asked(f"select count(*) from {right}")) > 0


ROWS = "insert into {} (id, note) select n, 'note ' || n from generate_series(1, 3000) n"


def test_schemas_and_the_search_path(server, tmp_path):
    """The same name in two schemas; names that need quotes; a table found by search_path."""
    case = Case(server, tmp_path, "schemas", 'create schema "Roll 2026"', "create schema other", 'create table "Roll 2026"."Par""cel" (id integer primary key, "No te" text)',
                "create table other.target (id integer primary key, note text)", "create table public.target (id text primary key, note integer)",
                """insert into "Roll 2026"."Par""cel" values (1, 'one'), (2, null)""",
                source="'Roll 2026.Par\"cel'", fields="note: No te", options=" options='-csearch_path=other,public'")
    case.run()
    assert case.asked("select * from other.target order by id") == "1|one\n2|"
    assert case.asked("select count(*) from public.target") == "0"


def test_what_the_login_lacks(server, tmp_path):
    """Usage of the schema first, then the table: each as the statement that the DBA runs, one after the other, until it works."""
    case = Case(server, tmp_path, "lacks", "create schema roll", "create schema cama", "create table roll.source (id integer primary key, note text)",
                "create table cama.target (id integer primary key, note text)", "insert into roll.source values (1, 'x')",
                source="roll.source", target="cama.target", users=("reader", "writer"))
    statements = []
    while True:
        operation = case.insert("check")
        if case.worker(operation) == OK:
            break
        rows = [row["remedy"].removeprefix("Let the DBA run: ").partition(";")[0] for row in case.report(operation) if not row["ok"]]
        assert rows and len(statements) < 10, rows
        statements += rows
        case.server.sql(*rows, database=case.name)
    assert statements == ['grant usage on schema "roll" to reader', 'grant usage on schema "cama" to writer', "grant select on roll.source to reader",
                          "grant select on cama.target to writer", "grant insert on cama.target to writer", "grant update on cama.target to writer",
                          "grant delete on cama.target to writer"]
    case.run()
    assert case.asked("table cama.target") == "1|x"


def test_partitions(server, tmp_path):
    """Both sides partitioned, by other columns; a record moves between partitions, and its key is found where it is."""
    case = Case(server, tmp_path, "partitions",
                "create table source (id integer, year smallint, note text, primary key (id, year)) partition by hash (id)",
                *[f"create table source_{i} partition of source for values with (modulus 3, remainder {i})" for i in range(3)],
                "create table target (id integer, year smallint, area text default 'none', note text, primary key (id, year)) partition by range (year)",
                "create table target_old partition of target for values from (1900) to (2000)",
                "create table target_new partition of target for values from (2000) to (2026) partition by list (year)",
                "create table target_2025 partition of target_new for values in (2025)", "create table target_rest partition of target_new default",
                "insert into source select n, 1990 + n % 36, 'n' || n from generate_series(1, 5000) n",
                key="id: id, year: year")
    case.run()
    case.same(columns="id, year, note")
    assert case.asked("select count(*) > 0 from target_2025") == "t"
    # Of the key: the old record goes, the new one comes; and not of the key: the server moves the row.
    case.asked("update source set year = 2025 where id % 10 = 0 and year <> 2025")
    moved = case.result(case.run())["thing"]
    assert moved[1] == moved[3] > 400
    case.same(columns="id, year, note")
    case.asked("alter table target drop constraint target_pkey; create unique index on target (id, year)")
    # A year that no partition holds costs its record.
    case.asked("insert into source values (9999, 2030, 'too late')")
    case.run(expect=QUARANTINED)
    assert "no partition of relation" in case.findings()[0]["message"]


def test_a_partition_key_that_is_no_key(server, tmp_path):
    """An update of it moves the row between partitions: counted as the one row that it is."""
    case = Case(server, tmp_path, "moves", "create table source (id integer primary key, district integer, note text)",
                "create table below (id integer, district integer, note text, primary key (id, district)) partition by list (district)",
                "create table below_1 partition of below for values in (1)", "create table below_2 partition of below for values in (2)",
                "create view target as select * from below", "insert into source select n, 1 + n % 2, 'n' || n from generate_series(1, 3000) n",
                fields="district: district, note: note")
    case.run()
    case.same()
    case.asked("update source set district = 3 - district where id % 3 = 0")
    assert case.result(case.run())["thing"] == (3000, 0, 1000, 0, 2000, 0)
    case.same()


def test_heirs(server, tmp_path):
    """A parent is read with its heirs, whose keys may meet; as a target it is refused."""
    case = Case(server, tmp_path, "heirs", "create table source (id integer primary key, note text)", "create table heir (extra text) inherits (source)",
                "create table target (id integer primary key, note text)", ROWS.format("source"), "insert into heir select n, 'heir', 'x' from generate_series(5001, 6000) n")
    assert case.result(case.run())["thing"][1] == 4000
    case.same()
    case.mapping(MAPPING.format(source="target", target="source", key="id: id", fields="note: note"))
    row, = case.failures()
    assert "Other tables inherit from" in row["message"] and "partition" in row["remedy"]


def test_views_and_foreign_tables(server, tmp_path):
    case = Case(server, tmp_path, "views", "create table below (id integer primary key, note text)", "create table kept (id integer primary key, note text)",
                ROWS.format("below"), "create view source as select id, upper(note) as note from below", "create materialized view still as select * from below",
                "create view joined as select b.id, k.note from below b join kept k using (id)")
    case.asked(f"create extension postgres_fdw; create server here foreign data wrapper postgres_fdw options (host '{server.folder}', port '{server.port}', "
               "dbname 'views'); create user mapping for postgres server here options (user 'postgres'); "
               "create foreign table target (id integer, note text) server here options (table_name 'kept'); "
               "create foreign table far (id integer, note text) server here options (table_name 'below')")
    case.run()
    case.same()
    case.asked("update below set note = 'changed' where id % 100 = 0; delete from below where id % 1000 = 1")
    assert case.result(case.run())["thing"] == (2997, 0, 30, 3, 2967, 0)
    case.same()
    for source in ("still", "far"):
        case.asked("refresh materialized view still; truncate kept")
        case.forget()
        case.mapping(MAPPING.format(source=source, target="target", key="id: id", fields="note: note"))
        case.run()
        case.same(source)
    for target in ("still", "joined"):
        case.mapping(MAPPING.format(source="below", target=target, key="id: id", fields="note: note"))
        row = case.failures()[0]
        assert "takes no inserts" in row["message"] and "instead-of trigger" in row["remedy"]


def test_columns_that_write_themselves(server, tmp_path):
    case = Case(server, tmp_path, "themselves", "create table source (id integer primary key, price numeric(10,2), twice numeric(12,2) generated always as (price * 2) stored)",
                "create table target (id integer generated always as identity primary key, price numeric(10,2), other integer generated always as identity, "
                "twice numeric(12,2) generated always as (price * 2) stored, made timestamptz default now())",
                "insert into source select n, n / 3.0 from generate_series(1, 3000) n", fields="price: price")
    # A key that is always an identity takes what it is given; what nobody maps fills itself.
    case.run()
    case.same(columns="id, price, twice")
    assert case.asked("select count(distinct other), count(made) from target") == "3000|3000"
    case.asked("update source set price = 1 where id = 7; insert into source values (5000, 5); delete from source where id = 8")
    assert case.result(case.run())["thing"] == (3000, 1, 1, 1, 2998, 0)
    case.same(columns="id, price, twice")
    case.mapping(MAPPING.format(source="source", target="target", key="id: id", fields="price: price, twice: twice"))
    row, = case.failures()
    assert row["what"] == "twice" and "computed by the database and cannot be written" in row["message"]
    # An identity that is no key takes a value once; another one later costs its record.
    case.asked("create table numbered (id integer primary key, note numeric, serial integer generated always as identity)")
    case.forget()
    case.mapping(MAPPING.format(source="source", target="numbered", key="id: id", fields="note: price, serial: id"))
    case.run()
    case.asked("update numbered set serial = default where id in (10, 11); update source set price = 2 where id < 10")
    case.forget()
    operation = case.run(expect=QUARANTINED, allow=["first_write"])
    assert case.result(operation)["thing"] == (3000, 0, 7, 0, 2991, 2)
    assert "generated always as identity" in case.findings()[0]["message"] and "set generated by default" in case.findings()[0]["remedy"]
    # A generated column can be read like any other.
    case.asked("create table taken (id integer primary key, twice numeric(12,2))")
    case.forget()
    case.mapping(MAPPING.format(source="source", target="taken", key="id: id", fields="twice: twice"))
    case.run()
    case.same(right="taken", columns="id, twice")


def test_domains_and_enums(server, tmp_path):
    """Over their base types, in the key too; what their constraints refuse costs the record."""
    case = Case(server, tmp_path, "domains", "create type use_code as enum ('R', 'C')", "create domain parcel_no as varchar(9) check (value ~ '^P-')",
                "create domain share as numeric(5,2) not null check (value between 0 and 100)",
                "create table source (no text, code text, owned numeric, primary key (no, code))",
                "create table target (no parcel_no, code use_code, owned share, primary key (no, code))",
                "insert into source select 'P-' || n, case when n % 2 = 0 then 'R' else 'C' end, n % 100 from generate_series(1, 3000) n",
                "insert into source values ('Q-1', 'R', 1), ('P-a', 'X', 1), ('P-b', 'R', 101), ('P-c', 'R', null), ('P-d', 'R', 1.005), ('P-123456789', 'R', 1)",
                key="no: no, code: code", fields="owned: owned")
    operation = case.run(expect=QUARANTINED)
    assert case.result(operation)["thing"][1:] == (3000, 0, 0, 0, 6)
    messages = " ".join(finding["message"] for finding in case.findings())
    for word in ('violates check constraint "parcel_no_check"', "invalid input value for enum use_code", 'violates check constraint "share_check"',
                 "does not allow null values", "would be rounded", "too long for type character varying(9)"):
        assert word in messages, (word, messages)
    # As a source, too, with the key of a domain and an enum.
    case.asked("create table back (no text, code text, owned numeric, primary key (no, code))")
    case.forget()
    case.mapping(MAPPING.format(source="target", target="back", key="no: no, code: code", fields="owned: owned"))
    case.run()
    assert case.asked("select count(*) from back join target on back.no = target.no and back.code = target.code::text and back.owned = target.owned") == "3000"


def test_keys_of_many_columns(server, tmp_path):
    """Of types that order in their own way; the records move once, change by key, and go."""
    key = {"a": "text collate \"C\"", "b": "numeric(6,2)", "c": "date", "d": "uuid", "e": "char(4)", "f": "bytea", "g": "timestamptz", "h": "boolean"}
    columns = ", ".join(f"{name} {kind}" for name, kind in key.items())
    case = Case(server, tmp_path, "many", f"create table source ({columns}, note text, primary key ({', '.join(key)}))", "create table target (like source including all)",
                "insert into source select chr(65 + n % 26), n / 4.0, date '2000-01-01' + n, md5(n::text)::uuid, left(n::text, 2), decode(md5(n::text), 'hex'), "
                "timestamptz '2026-03-08 01:00-08' + n * interval '1 minute', n % 2 = 0, 'n' || n from generate_series(1, 3000) n",
                key=", ".join(f"{name}: {name}" for name in key))
    case.more = {"TERRAFUSION_BATCH_RECORDS": "700"}
    case.run()
    case.same()
    case.asked("update source set note = 'changed' where b < 10; delete from source where a = 'B'; update source set f = '\\x00' where a = 'C'")
    result = case.result(case.run())["thing"]
    assert result[1] > 100 and result[2] > 30 and result[3] > 200
    case.same()


def test_rows_that_a_policy_hides(server, tmp_path):
    case = Case(server, tmp_path, "policy", "create table source (id integer primary key, note text, public boolean)", "create table target (id integer primary key, note text)",
                "insert into source select n, 'n', n % 2 = 0 from generate_series(1, 100) n", "alter table source enable row level security",
                "create policy public_only on source for select to reader using (public)", "grant select on source to reader", users=("reader", "postgres"))
    operation = case.run("check")
    row, = [row for row in case.report(operation) if "row-level security" in row["message"]]
    assert row["ok"] and "bypassrls" in row["remedy"]
    assert case.result(case.run())["thing"][:2] == (50, 50)
