# SPDX-License-Identifier: Apache-2.0
"""Records through ODBC, with the real drivers: every type there and back exactly, refusals that cost one record, pages, long values."""
import json
import shutil
import sqlite3

import pytest

import mariadb
from postgresql import OK, QUARANTINED, Place, Server as PostgreSQL

pytestmark = pytest.mark.skipif(not shutil.which("mariadb-install-db"), reason="mariadb-server is not installed")
HEAD = """\
pair: pair
source: one
target: two
guards: {max_deletes: 100%, max_changes: 100%, first_write: off}
entities:
  parcel:
    from: source
    to: target
"""


@pytest.fixture(scope="module")
def maria():
    server = mariadb.Server()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def postgres():
    server = PostgreSQL()
    yield server
    server.remove()


def mapping(fields, key="id: id", more=""):
    return HEAD.replace(", first_write: off", "") + f"    key: {{{key}}}\n{more}    fields: {{{fields}}}\n"


def place(folder, source, target, text, **environment):
    return Place(folder, {"one": {"kind": "odbc", "connection": source}, "two": {"kind": "odbc", "access": "write", "connection": target}},
                 text, **environment)


MARIA_COLUMNS = {
    "number": "varchar(50)", "area": "decimal(14,2)", "wide": "decimal(38,10)", "made": "date", "at": "datetime(6)", "t": "time(6)", "f": "float",
    "d": "double", "b": "bit(1)", "u": "bigint unsigned", "s": "bigint", "note": "text", "raw": "varbinary(40)", "large": "mediumblob",
    "e": "enum('a','b''c')", "c": "char(4)", "y": "year", "uu": "uuid", "ts": "timestamp(3) null", "ti": "tinyint", "cs": "varchar(9) collate utf8mb4_bin"}
MARIA_ROWS = [
    "1, 'P-1', 12.50, 1.5, '2026-01-02', '2026-01-02 03:04:05.123456', '23:59:59.999999', 1.5, 0.1, b'1', 18446744073709551615, -1, 'héllo 😀', "
    "x'0001', repeat('x', 300000), 'b''c', 'ab', 2026, '018f3c00-0000-7000-8000-000000000001', '2026-01-01 00:00:00.123', -128, 'Ab'",
    "2" + ", null" * 21,
    "-2147483648, '', -999999999999.99, -9999999999999999999999999999.9999999999, '0001-01-01', '9999-12-31 23:59:59.999999', '00:00:00', 3.4028234e38, "
    "1.7976931348623157e308, b'0', 0, -9223372036854775808, '', '', '', 'a', '', 1901, 'ffffffff-ffff-ffff-ffff-ffffffffffff', null, 127, ''",
    "2147483647, repeat('漢', 50), 0.01, 0.0000000001, '1970-01-01', '1970-01-01', '12:00:00', -1.17549e-38, 5e-324, b'1', 1, 9223372036854775807, "
    "concat('a', char(10), 'b', char(9), '''\"\\\\'), x'ff00', x'00', 'a', 'é', 2155, '00000000-0000-0000-0000-000000000000', "
    "'2037-12-31 23:59:59.999', 0, 'aB'"]


def test_every_type_of_mariadb_there_and_back(maria, tmp_path):
    maria.database("types")
    columns = ", ".join(f"`{name}` {kind}" for name, kind in MARIA_COLUMNS.items())
    maria.sql(f"create table source (id int primary key, {columns}); create table target like source;"
              + "".join(f"insert into source values ({row});" for row in MARIA_ROWS), "types")
    types = {"area": "decimal(14,2)", "wide": "decimal(38,10)"}
    fields = ", ".join(f'{name}: {{from: {name}, type: "{types[name]}"}}' if name in types else f"{name}: {name}" for name in MARIA_COLUMNS)
    here = place(tmp_path, maria.connection("types"), maria.connection("types"), mapping(fields))
    operation = here.run("full")
    assert here.result(operation)["parcel"] == (4, 4, 0, 0, 0, 0)
    shown = "id, " + ", ".join(f"{name} + 0e0" if kind == "float" else f"hex({name})" if kind in ("bit(1)", "varbinary(40)", "mediumblob", "text")
                               else f"`{name}`" for name, kind in MARIA_COLUMNS.items())
    assert maria.sql(f"select {shown} from target order by id", "types") == maria.sql(f"select {shown} from source order by id", "types")
    # Read back, nothing differs; and against the target's own records nothing differs, either.
    assert here.result(here.run("full"))["parcel"] == (4, 0, 0, 0, 4, 0)
    here.forget()
    operation = here.insert("full", allow=["first_write"])
    assert here.worker(operation) == OK, here.stderr
    assert here.result(operation)["parcel"] == (4, 0, 0, 0, 4, 0)


def test_what_a_column_would_change_is_held(maria, tmp_path):
    maria.database("changed")
    maria.sql("""create table source (id int primary key, a decimal(20,6), b datetime(6), c time(6), d varchar(100), e bigint, z date);
        create table target (id int primary key, a decimal(8,2), b datetime, c time, d varchar(5), e tinyint unsigned, z date);
        insert into source values (1, 1.005, null, null, null, null, null), (2, null, '2026-01-01 00:00:00.5', null, null, null, null),
        (3, null, null, '00:00:00.1', null, null, null), (4, null, null, null, 'abcdef', null, null), (5, null, null, null, null, -1, null),
        (6, null, null, null, null, 256, null), (7, 1234567, null, null, null, null, null), (8, 1.25, '2026-01-01', '10:00:00', 'abcde', 255, '2026-01-01')""",
              "changed")
    maria.sql("set sql_mode = ''; insert into source (id, z) values (9, '0000-00-00')", "changed")
    here = place(tmp_path, maria.connection("changed"), maria.connection("changed"),
                 mapping("a: a, b: b, c: c, d: d, e: e, z: {from: z, type: date}"))
    operation = here.run("full", expect=QUARANTINED)
    assert here.result(operation)["parcel"] == (9, 1, 0, 0, 0, 8)
    found = here.findings()
    said = " ".join(f["message"] + f["remedy"] for f in found)
    for words in ("digits behind the point would be lost", "fraction of a second would be rounded", "it is too long", "out of range", "too many digits"):
        assert words in said, (words, found)
    assert any("0000-00-00" in json.dumps(f) for f in found), found # told, not turned into null
    assert maria.sql("select * from target", "changed") == "8|1.25|2026-01-01 00:00:00|10:00:00|abcde|255|2026-01-01"


def test_a_refused_record_costs_itself_alone(maria, tmp_path):
    maria.database("refused")
    maria.sql("""create table source (id int primary key, a int, b varchar(20));
        create table other (a int primary key) ; insert into other select seq from seq_1_to_400;
        create table target (id int primary key, a int, b varchar(20), unique (b), check (a <> 77), foreign key (a) references other (a));
        insert into source select seq, seq, concat('B', seq) from seq_1_to_400;
        update source set b = 'B1' where id = 200; update source set a = 999 where id = 300""", "refused")
    here = place(tmp_path, maria.connection("refused"), maria.connection("refused"), mapping("a: a, b: b"))
    operation = here.run("full", expect=QUARANTINED)
    assert here.result(operation)["parcel"] == (400, 397, 0, 0, 0, 3)
    assert sorted(json.loads(row[0])[0]["rule"] for row in here.rows("pairs/pair.db", "select findings from quarantine")) == ["target_refused"] * 3
    said = json.dumps(here.findings())
    assert "Duplicate entry" in said and "B1'" not in said and "foreign key" in said
    # Mended, the rest comes; changes and deletes are arrays, too.
    maria.sql("update source set b = 'B200' where id = 200; update source set a = 300 where id = 300; delete from source where id between 10 and 19;"
              "update source set b = concat('C', id) where id > 350", "refused")
    operation = here.run("full", expect=QUARANTINED)
    assert here.result(operation)["parcel"] == (390, 2, 50, 10, 337, 1)
    assert maria.sql("select count(*) from (select * from source except select * from target) x", "refused") == "1"


def test_keys_of_many_kinds_in_pages(maria, tmp_path):
    """Composite keys in the database's own order, over several pages; an interrupted scan goes on."""
    maria.database("keys")
    maria.sql("""create table source (a varchar(10) collate utf8mb4_general_ci, b decimal(6,2), c date, d varbinary(4), v int, primary key (a, b, c, d));
        create table target like source;
        insert into source select concat(elt(1 + seq % 7, 'x', 'Y', 'é', 'z''q', 'ä', 'k', ''), seq % 5), seq % 11 / 4, '2026-01-01' + interval seq % 3 day,
        char(seq % 13), seq from seq_1_to_15015""", "keys")
    here = place(tmp_path, maria.connection("keys"), maria.connection("keys"), mapping("v: v", 'a: a, b: {from: b, type: "decimal(6,2)"}, c: c, d: d'),
                 TERRAFUSION_BATCH_RECORDS="500")
    operation = here.run("full")
    assert here.result(operation)["parcel"] == (15015, 15015, 0, 0, 0, 0)
    assert maria.sql("select count(*) from (select a, b, c, d, v from source except select a, b, c, d, v from target) x", "keys") == "0"
    maria.sql("delete from source where v % 2 = 0; update source set v = v + 1 where v % 5 = 0", "keys")
    assert here.result(here.run("full"))["parcel"] == (7508, 0, 1502, 7507, 6006, 0)
    assert maria.sql("select count(*) from (select * from source except select * from target) x", "keys") == "0"


def test_a_text_of_megabytes(maria, tmp_path):
    maria.database("large")
    maria.sql("create table source (id int primary key, a longtext, b longblob); create table target like source;"
              "insert into source values (1, repeat('é😀', 500000), repeat(x'00ff', 1500000))", "large")
    here = place(tmp_path, maria.connection("large"), maria.connection("large"), mapping("a: a, b: b"))
    here.run("full")
    query = "select length(a), md5(a), length(b), md5(b) from {}"
    assert maria.sql(query.format("target"), "large") == maria.sql(query.format("source"), "large")


def test_a_table_without_transactions_is_no_target(maria, tmp_path):
    maria.database("engine")
    maria.sql("create table source (id int primary key, a int); create table target (id int primary key, a int) engine = MyISAM", "engine")
    here = place(tmp_path, maria.connection("engine"), maria.connection("engine"), mapping("a: a"))
    assert here.worker(here.insert("check")) == 1
    rows = [r for r in here.report(here.rows("state.db", "select id from operation")[0][0]) if not r["ok"]]
    assert "MyISAM" in rows[0]["message"] and "InnoDB" in rows[0]["remedy"]


# ---- PostgreSQL and SQLite by their drivers ----

def odbc_of(postgres, database):
    return (f"Driver={{PostgreSQL Unicode}};Server=127.0.0.1;Port={postgres.port};Database={database};UID=postgres;PWD=secret")


def test_postgresql_by_its_driver(postgres, tmp_path):
    postgres.database("types")
    postgres.sql("create table source (id bigint primary key, a text, b numeric(20,4), c timestamptz, d date, e boolean, f uuid, g double precision, h real,"
                 " i bytea, j jsonb, k time, l varchar(20), m numeric, n smallint, o timestamp(3))", "create table target (like source including all)",
                 "insert into source values (1, 'héllo 😀', 1234567890123456.7891, '2026-01-02 03:04:05.123456+02', '2026-01-01', true,"
                 " '018f3c00-0000-7000-8000-000000000001', 0.1, 1.5, '\\x00ff27', '{\"a\": 1}', '23:59:59.999999', 'x''y', 1.23456789012345678901234, -3, '2026-01-01 00:00:00.123'),"
                 " (2, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),"
                 " (-9223372036854775808, '', 0, '0001-01-01 00:00:00+00', '9999-12-31', false, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 1.7976931348623157e308,"
                 " 3.4028235e38, '', '[]', '00:00', '', 0, 32767, null)", database="types")
    fields = ", ".join(f"{name}: {name}" for name in "acdefghijklno") + ', b: {from: b, type: "decimal(20,4)"}, m: m'
    here = place(tmp_path, odbc_of(postgres, "types"), odbc_of(postgres, "types"), mapping(fields))
    operation = here.run("full")
    assert here.result(operation)["parcel"] == (3, 3, 0, 0, 0, 0)
    assert postgres.sql("table target except table source", "table source except table target", database="types") == ""
    assert here.result(here.run("full"))["parcel"] == (3, 0, 0, 0, 3, 0)
    postgres.sql("insert into source select n, 'N' || n from generate_series(100, 3000) n", "update source set a = null, n = 7 where id = 1",
                 "alter table target add check (id <> 777)", database="types")
    operation = here.run("full", expect=QUARANTINED, allow=["max_changes"])
    assert here.result(operation)["parcel"] == (2904, 2900, 1, 0, 2, 1)
    assert postgres.sql("select count(*) from (table source except table target) x", database="types") == "1"


def test_sqlite_by_its_driver(maria, tmp_path):
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    for path in (source, target):
        with sqlite3.connect(path) as db:
            db.execute(f"create table {path.stem} (id integer primary key, a text, b numeric, c real, d blob, e varchar(10), f date)")
    with sqlite3.connect(source) as db:
        db.executemany("insert into source values (?, ?, ?, ?, ?, ?, ?)", [
            (1, "héllo 😀", 12.5, 0.1, None, "x'y", "2026-01-01"), (2, None, None, None, None, None, None), (-2**63, "", 0, -1.5, b"", "", ""),
            *[(n, f"N{n}", n, n / 4, None, "n", "2026-02-02") for n in range(100, 1200)]])
    connection = "Driver=SQLite3;Database={}"
    here = place(tmp_path / "place", connection.format(source), connection.format(target), mapping(", ".join(f"{n}: {n}" for n in "abcdef")))
    operation = here.run("full")
    assert here.result(operation)["parcel"] == (1103, 1103, 0, 0, 0, 0)
    rows = [sqlite3.connect(path).execute(f"select * from {path.stem} order by id").fetchall() for path in (source, target)]
    assert rows[0] == rows[1]
    with sqlite3.connect(source) as db:
        db.execute("insert into source (id, d) values (5000, x'0100')")
    assert here.result(here.run("full", expect=QUARANTINED))["parcel"] == (1104, 0, 0, 0, 1103, 1)
    assert "does not write bytes" in json.dumps(here.findings())
    with sqlite3.connect(source) as db:
        db.execute("delete from source where id = 5000")
        db.execute("delete from source where id between 100 and 199")
        db.execute("update source set a = 'changed' where id > 1100")
    assert here.result(here.run("full"))["parcel"] == (1003, 0, 99, 100, 904, 0)
