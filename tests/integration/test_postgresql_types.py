# SPDX-License-Identifier: Apache-2.0
"""Every type, with boundary and random values, from PostgreSQL to PostgreSQL and to and from SQLite. The server's own text
of both sides is compared, by psql."""
import random
import sqlite3

import pytest

from postgresql import FAILED, OK, QUARANTINED, Place, Server

TYPES = {
    "c_text": "text", "c_varchar": "varchar(80)", "c_char": "char(7)", "c_small": "smallint", "c_int": "integer",
    "c_big": "bigint", "c_num": "numeric(14,2)", "c_free": "numeric", "c_long": "numeric(38,10)", "c_bool": "boolean", "c_date": "date",
    "c_time": "time", "c_ts": "timestamp", "c_tz": "timestamptz", "c_uuid": "uuid", "c_json": "json", "c_jsonb": "jsonb",
    "c_bytes": "bytea", "c_double": "double precision", "c_real": "real", "c_enum": "use_code", "c_domain": "money_amount",
    "c_inet": "inet", "c_interval": "interval", "c_timetz": "timetz", "c_bit": "bit varying(9)", "c_money": "money", "c_point": "point",
}
MAKE = ["create type use_code as enum ('R', 'C', 'with ''quote''')", "create domain money_amount as numeric(12,2) check (value > -1000000)",
        "create table source (id bigint primary key, " + ", ".join(f"{name} {kind}" for name, kind in TYPES.items()) + ")",
        "create table target (like source including all)"]
BOUNDARIES = [
    {},
    {"c_text": "", "c_varchar": "", "c_char": "", "c_bytes": "\\x", "c_json": "null", "c_jsonb": "null"},
    {"c_text": "O'Hara\\ \"x\"\t\n é 漢 😀 ", "c_varchar": "  padded  ", "c_char": "ab", "c_small": "-32768", "c_int": "-2147483648",
     "c_big": "-9223372036854775808", "c_num": "-999999999999.99", "c_free": "0.00000000000000000000000000000000000001",
     "c_long": "-9999999999999999999999999999.9999999999", "c_bool": "f", "c_date": "0001-01-01", "c_time": "00:00:00",
     "c_ts": "0001-01-01 00:00:00", "c_tz": "1969-12-31 23:59:59.999999+00", "c_uuid": "00000000-0000-0000-0000-000000000000",
     "c_json": '{"b": 1.10,  "a": [1, null]}', "c_jsonb": '{"b": 1.10, "a": [1, null]}', "c_bytes": "\\x00ff10", "c_double": "0.1",
     "c_real": "0.1", "c_enum": "R", "c_domain": "-999999.99", "c_inet": "10.0.0.1/8", "c_interval": "1 year 2 mons 3 days 04:05:06.5",
     "c_timetz": "12:30:00+05:30", "c_bit": "101", "c_money": "-92233720368547758.08", "c_point": "(0.1,-1e-300)"},
    {"c_text": "x" * 100000, "c_small": "32767", "c_int": "2147483647", "c_big": "9223372036854775807", "c_num": "999999999999.99",
     "c_free": "99999999999999999999999999999999999999", "c_long": "0.0000000001", "c_bool": "t", "c_date": "9999-12-31",
     "c_time": "23:59:59.999999", "c_ts": "9999-12-31 23:59:59.999999", "c_tz": "9999-12-31 23:59:59+00",
     "c_uuid": "ffffffff-ffff-ffff-ffff-ffffffffffff", "c_double": "123456789012345", "c_real": "-123456", "c_enum": "with 'quote'",
     "c_domain": "9999999999.99", "c_inet": "::1", "c_interval": "-3 days", "c_timetz": "23:59:59.999999-12", "c_bit": "",
     "c_money": "92233720368547758.07"},
    # What no date, time or number of ours holds goes through as it is, as nothing asks for another type.
    {"c_free": "NaN", "c_double": "-Infinity", "c_real": "NaN", "c_date": "infinity", "c_ts": "-infinity", "c_tz": "infinity",
     "c_time": "24:00:00"},
    {"c_free": "Infinity", "c_double": "1e15", "c_date": "-infinity"},
]
MAPPING = """\
pair: pair
source: one
target: two
guards: {{max_changes: 100%, max_errors: 1000}}
entities:
  thing:
    from: source
    to: target
    key: {{id: id}}
    fields:
{fields}
"""


def fields(names, **typed):
    return "\n".join(f"      {name}: " + (f"{{from: {name}, type: \"{typed[name]}\"}}" if name in typed else name) for name in names)


def literal(value):
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


def random_row(r):
    digits = r.randrange(1, 15)
    return {
        "c_text": "".join(r.choice("ab'\\\"\n é漢") for _ in range(r.randrange(30))), "c_varchar": r.choice(["LC-1", " ", "ä" * 80]),
        "c_char": r.choice(["a", "abc", "a b"]), "c_small": str(r.randrange(-32768, 32768)), "c_int": str(r.randrange(-2**31, 2**31)),
        "c_big": str(r.randrange(-2**63, 2**63)), "c_num": f"{r.randrange(-10**14 + 1, 10**14) / 100:.2f}",
        "c_free": f"{r.randrange(-10**digits, 10**digits)}.{r.randrange(10**r.randrange(1, 20))}", "c_long": f"{r.randrange(10**28)}.{r.randrange(10**10):010}",
        "c_bool": r.choice("tf"), "c_date": f"{r.randrange(1, 10000):04}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}",
        "c_time": f"{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}.{r.randrange(10**6):06}",
        "c_ts": f"{r.randrange(1, 10000):04}-02-28 {r.randrange(24):02}:00:00.{r.randrange(10**6):06}",
        "c_tz": f"{r.randrange(1900, 2100):04}-03-01 {r.randrange(24):02}:30:00.{r.randrange(10**6):06}+0{r.randrange(10)}",
        "c_uuid": f"{r.getrandbits(128):032x}", "c_jsonb": f'{{"n": {r.randrange(10**15)}.50}}', "c_bytes": "\\x" + r.randbytes(r.randrange(40)).hex(),
        "c_double": f"{r.randrange(10**15)}e{r.randrange(-20, 5)}", "c_real": f"{r.randrange(10**6)}e{r.randrange(-10, 10)}",
        "c_domain": f"{r.randrange(-10**7, 10**9) / 100:.2f}", "c_inet": f"192.168.{r.randrange(256)}.{r.randrange(256)}",
        "c_interval": f"{r.randrange(100)} days {r.randrange(86400)} seconds", "c_money": f"{r.randrange(-10**9, 10**9) / 100:.2f}",
    }


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.remove()


def fill(server, database, rows):
    server.script(database, "\n".join(
        "insert into source (" + ", ".join(["id", *row]) + ") values (" + ", ".join([str(i), *[literal(v) for v in row.values()]]) + ");"
        for i, row in enumerate(rows)))


def everything(server, table, database):
    return server.sql(f"set timezone = 'UTC'; set extra_float_digits = 1; select t::text from {table} t order by id", database=database)


def test_postgresql_to_postgresql(server, tmp_path):
    address = server.database("types")
    server.sql(*MAKE, database="types")
    r = random.Random(5)
    rows = BOUNDARIES + [random_row(r) for _ in range(200)]
    fill(server, "types", rows)
    systems = {"one": {"kind": "postgresql", "connection": address}, "two": {"kind": "postgresql", "connection": address, "access": "write"}}
    place = Place(tmp_path, systems, MAPPING.format(fields=fields(TYPES)))
    result = place.result(place.run())["thing"]
    assert result == (len(rows), len(rows), 0, 0, 0, 0)
    assert everything(server, "target", "types") == everything(server, "source", "types")
    # Without memory the target is read back: each value equals what was written.
    place.forget()
    assert place.result(place.run(allow=["first_write"]))["thing"] == (len(rows), 0, 0, 0, len(rows), 0)
    # Updates take another way to the columns: every one of them.
    server.sql("update target set " + ", ".join(f"{name} = null" for name in TYPES), database="types")
    place.forget()
    result = place.result(place.run(allow=["first_write"]))["thing"]
    assert result == (len(rows), 0, len(rows) - 1, 0, 1, 0)
    assert everything(server, "target", "types") == everything(server, "source", "types")


def test_declared_types_tell_what_they_cannot_hold(server, tmp_path):
    address = server.database("declared")
    server.sql(*MAKE, database="declared")
    rows = [{"c_date": "infinity"}, {"c_ts": "-infinity"}, {"c_free": "NaN"}, {"c_free": "1" * 40}, {"c_date": "10000-01-01"},
            {"c_date": "0044-03-15 BC"}, {"c_time": "24:00:00"}, {"c_free": "1.005"}, {"c_free": "1.50", "c_date": "1969-12-31"}]
    fill(server, "declared", rows)
    systems = {"one": {"kind": "postgresql", "connection": address}, "two": {"kind": "postgresql", "connection": address, "access": "write"}}
    typed = {"c_date": "date", "c_ts": "timestamp", "c_free": "decimal(14,2)", "c_time": "time"}
    place = Place(tmp_path, systems, MAPPING.format(fields=fields(typed, **typed)))
    place.run(expect=QUARANTINED)
    assert server.sql("select id, c_free, c_date from target", database="declared") == "8|1.50|1969-12-31"
    findings = place.findings()
    assert [f["rule"] for f in findings] == ["type"] * 8
    assert [f["field"] for f in findings] == ["c_date", "c_ts", "c_free", "c_free", "c_date", "c_date", "c_time", "c_free"]
    assert all(f["remedy"] for f in findings)


SQLITE_TYPES = {"c_text": "text", "c_varchar": "text", "c_char": "text", "c_small": "integer", "c_int": "integer", "c_big": "integer",
                "c_num": "text", "c_long": "text", "c_bool": "integer", "c_date": "text", "c_time": "text", "c_ts": "text", "c_tz": "text",
                "c_uuid": "text", "c_jsonb": "text", "c_bytes": "blob"}
DECLARED = {"c_num": "decimal(14,2)", "c_long": "decimal(38,10)", "c_bool": "boolean", "c_date": "date", "c_time": "time", "c_ts": "timestamp",
            "c_tz": "timestamp", "c_uuid": "uuid", "c_jsonb": "json"}


def test_through_sqlite_and_back(server, tmp_path):
    address = server.database("sqlite")
    server.sql(*MAKE, database="sqlite")
    r = random.Random(6)
    rows = [{k: v for k, v in row.items() if k in SQLITE_TYPES} for row in BOUNDARIES[:4] + [random_row(r) for _ in range(100)]]
    fill(server, "sqlite", rows)
    db = sqlite3.connect(tmp_path / "middle.db")
    db.execute("create table target (id integer primary key, " + ", ".join(f"{name} {kind}" for name, kind in SQLITE_TYPES.items()) + ") strict")
    db.commit()
    middle = {"kind": "sqlite", "path": str(tmp_path / "middle.db"), "access": "write"}
    mapping = MAPPING.format(fields=fields(SQLITE_TYPES, **DECLARED))
    there = Place(tmp_path / "there", {"one": {"kind": "postgresql", "connection": address}, "two": middle}, mapping)
    assert there.result(there.run())["thing"] == (len(rows), len(rows), 0, 0, 0, 0)
    back = Place(tmp_path / "back", {"one": middle, "two": {"kind": "postgresql", "connection": address, "access": "write"}},
                 mapping.replace("from: source", "from: target"))
    assert back.result(back.run())["thing"] == (len(rows), len(rows), 0, 0, 0, 0)
    assert everything(server, "target", "sqlite") == everything(server, "source", "sqlite")


def test_text_of_an_ascii_database_is_looked_at(server, tmp_path):
    server.sql("drop database if exists ascii", "create database ascii encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' template template0")
    server.sql("create table source (id integer primary key, c_text text)", "insert into source values (1, 'plain'), (2, E'\\xff')",
               database="ascii")
    address = server.database("utf8")
    server.sql("create table target (id integer primary key, c_text text)", database="utf8")
    systems = {"one": {"kind": "postgresql", "connection": f"{server.address} dbname=ascii"},
               "two": {"kind": "postgresql", "connection": address, "access": "write"}}
    place = Place(tmp_path, systems, MAPPING.format(fields=fields(["c_text"], c_text="text")))
    assert place.worker(place.insert()) in (OK, QUARANTINED), place.stderr
    assert server.sql("select * from target", database="utf8") == "1|plain"
    assert "UTF-8" in place.findings()[0]["message"]


SHAPES = """
create extension postgis;
create table source (id integer primary key, shape geometry(Polygon, 2927), any_shape geometry, place geography(PointZ, 4326));
create table target (like source including all);
insert into source select n, st_setsrid(st_makeenvelope(n, n, n + 1, n + 2), 2927), null, st_geogfromtext('POINT Z (-83.5 ' || n / 10.0 || ' 180.25)')
  from generate_series(1, 100) n;
insert into source values (0, null, null, null);
insert into source select 200 + row_number() over (), null, shape, null from (values (st_geomfromewkt('SRID=3857;POINT ZM (1 2 3 4)')),
  ('SRID=4326;MULTILINESTRING M ((0 0 1, 1 1 2), (5 5 9, 6 6 9))'), ('GEOMETRYCOLLECTION (POINT (1 1), LINESTRING (0 0, 1 1))'),
  ('SRID=2927;POLYGON EMPTY'), ('CURVEPOLYGON (CIRCULARSTRING (0 0, 4 0, 4 4, 0 4, 0 0))'), ('SRID=4326;POINT EMPTY'),
  ('SRID=2927;MULTIPOLYGON (((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1)))')) v (shape);
"""


def test_shapes_of_postgis(server, tmp_path):
    """Geometry and geography of every dimension, with their SRIDs, byte by byte; none is moved to another one on the way."""
    address = server.database("shapes")
    if server.sql("select count(*) from pg_available_extensions where name = 'postgis'", database="shapes") != "1":
        pytest.skip("PostGIS is not installed")
    server.script("shapes", SHAPES)
    systems = {"one": {"kind": "postgresql", "connection": address}, "two": {"kind": "postgresql", "connection": address, "access": "write"}}
    place = Place(tmp_path, systems, MAPPING.format(fields="      shape: {from: shape, type: geometry, srid: \"EPSG:2927\"}\n"
                                                    "      any_shape: any_shape\n      place: place"))
    assert place.result(place.run())["thing"] == (108, 108, 0, 0, 0, 0)
    compare = "select id, st_asewkb(shape), st_asewkb(any_shape), st_asewkb(place::geometry) from "
    assert server.sql(f"{compare} source except {compare} target", database="shapes") == ""
    assert server.sql("select count(*) from target where any_shape is not null", database="shapes") == "7"
    assert server.sql("select st_asewkt(place::geometry) from target where id = 7", database="shapes") == "SRID=4326;POINT(-83.5 0.7 180.25)"
    place.forget()
    assert place.result(place.run(allow=["first_write"]))["thing"] == (108, 0, 0, 0, 108, 0)
    # Another SRID than the column's is the record's own trouble.
    server.sql("alter table source alter shape type geometry(Polygon)", "update source set shape = st_setsrid(shape, 4326) where id = 5", database="shapes")
    place.mapping(MAPPING.format(fields="      shape: shape"))
    place.forget()      # else the column's new type is drift
    operation = place.run(expect=QUARANTINED, allow=["first_write"])
    assert place.result(operation)["thing"][5] == 1
    assert "SRID" in place.findings()[0]["message"], place.findings()


COMPOUND = {"list": ("integer[]", "'{1,2}'", "an array"), "pair_of": ("pair_type", "'(1,x)'", "a composite type"), "span": ("int4range", "'[1,5)'", "a range"),
            "spans": ("int4multirange", "'{[1,5)}'", "a multirange"), "of_domain": ("list_domain", "'{a}'", "an array")}


def test_what_is_more_than_one_value_is_refused(server, tmp_path):
    """Arrays, composites, ranges: a clear word before the run that names the column, its type and what to do; and that works."""
    address = server.database("compound")
    server.sql("create type pair_type as (a integer, b text)", "create domain list_domain as text[]", database="compound")
    columns = ", ".join(f"{name} {kind}" for name, (kind, _, _) in COMPOUND.items())
    server.sql(f"create table source (id integer primary key, {columns})", "create table target (like source including all)",
               "insert into source values (1, " + ", ".join(value for _, value, _ in COMPOUND.values()) + ")", database="compound")
    systems = {"one": {"kind": "postgresql", "connection": address}, "two": {"kind": "postgresql", "connection": address, "access": "write"}}
    place = Place(tmp_path, systems, MAPPING.format(fields=fields(COMPOUND)))
    operation = place.run("check", expect=FAILED)
    report = [row for row in place.report(operation) if not row["ok"]]
    assert [row["what"] for row in report] == [*COMPOUND, *COMPOUND]        # of the source, then of the target
    for row, (name, (kind, _, word)) in zip(report, COMPOUND.items()):
        shown = "text[]" if kind == "list_domain" else kind
        assert f"Column \"{name}\" of \"source\" is of type {shown}, {word}; a field holds one value" == row["message"]
        assert "create view" in row["remedy"] and f"to_jsonb(\"{name}\")" in row["remedy"]
    assert all("instead-of trigger" in row["remedy"] for row in report[len(COMPOUND):])
    place.run("full", expect=FAILED)
    # What the remedy says.
    names = ", ".join(f'to_jsonb("{name}") as "{name}"' for name in COMPOUND)
    server.sql(f"create view seen as select id, {names} from source", "create table held (id integer primary key, "
               + ", ".join(f"{name} jsonb" for name in COMPOUND) + ")", database="compound")
    place.forget()
    place.mapping(MAPPING.format(fields=fields(COMPOUND)).replace("from: source", "from: seen").replace("to: target", "to: held"))
    place.run()
    assert server.sql("table held", database="compound") == server.sql("table seen", database="compound")


def test_declared_types_that_a_column_can_never_have(server, tmp_path):
    address = server.database("never")
    server.sql("create table source (id integer primary key, c_interval interval, c_timetz timetz, c_inet inet)",
               "create table target (id integer primary key, c_interval interval, c_timetz time, c_inet text)", database="never")
    systems = {"one": {"kind": "postgresql", "connection": address}, "two": {"kind": "postgresql", "connection": address, "access": "write"}}
    place = Place(tmp_path, systems, MAPPING.format(fields=fields(["c_interval", "c_timetz", "c_inet"], c_interval="integer", c_timetz="time", c_inet="text")))
    operation = place.run("check", expect=FAILED)
    messages = [row["message"] for row in place.report(operation) if not row["ok"]]
    assert messages == ['Column "c_interval" of "source" is of type interval, which comes as its text and is no integer',
                        'Column "c_timetz" of "source" is of type time with time zone, which comes as its text and is no time']


def test_money_keeps_its_digits_under_any_locale(server, tmp_path):
    """It is written as its server's locale has it: "12.345,60 €" must not become another sum elsewhere."""
    address = server.database("money")
    server.sql("create table source (id integer primary key, c_money money)", "create table target (id integer primary key, c_money numeric(12,2))",
               "create table back (like source including all)", "insert into source values (1, '12345.60'), (2, '-0.05')", database="money")
    systems = {"one": {"kind": "postgresql", "connection": address}, "two": {"kind": "postgresql", "connection": address, "access": "write"}}
    place = Place(tmp_path / "there", systems, MAPPING.format(fields=fields(["c_money"], c_money="decimal(12,2)")))
    place.run()
    assert server.sql("select * from target order by id", database="money") == "1|12345.60\n2|-0.05"
    back = Place(tmp_path / "back", systems, MAPPING.format(fields=fields(["c_money"])).replace("from: source", "from: target").replace("to: target", "to: back"))
    back.run()
    assert server.sql("table source except table back", database="money") == ""
    server.sql("alter table target alter c_money type numeric(12,3)", "update target set c_money = 1.005 where id = 1", database="money")
    back.forget()       # else the column's new type is drift
    back.run(expect=QUARANTINED, allow=["first_write"])
    assert "would be rounded" in back.findings()[0]["message"]
