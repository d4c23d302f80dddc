# SPDX-License-Identifier: Apache-2.0
"""Lucas County, by the shipped mapping, into a CAMA in PostgreSQL with real types, and from a PACS in PostgreSQL: the same records as from SQLite
to SQLite, through a full run, a quarter's sales, a broken record and its mending, and deletes."""
import io
import pathlib
import shutil
import sqlite3
import subprocess
import time

import pytest

from postgresql import QUARANTINED, Place, Server

psycopg2 = pytest.importorskip("psycopg2")
TOP = pathlib.Path(__file__).resolve().parents[2]
CAMA = """
create table parcel (parcel_id varchar(12) primary key, land_use_code text, deed_date date, retired_date date, status_code varchar(10) not null,
        source_system char(8) not null);
create table assessment (parcel_id varchar(12) not null references parcel deferrable initially deferred, tax_year smallint not null, land_use_code text,
        assessed_value numeric(14,2) not null, revision integer not null, primary key (parcel_id, tax_year));
create table land (parcel_id varchar(12) not null references parcel, tax_year smallint not null, line_number integer not null,
        square_footage bigint not null, acreage numeric(12,4) not null, frontage integer, depth integer, primary key (parcel_id, tax_year, line_number))
        partition by range (tax_year);
create table land_old partition of land for values from (1900) to (1997);
create table land_new partition of land for values from (1997) to (2100);
create table improvement (parcel_id varchar(12) not null references parcel, tax_year smallint not null, improvement_number integer not null,
        structure_type text not null, year_built smallint, gross_area integer, story_code text, wall_code varchar(4), garage_code text,
        garage_area integer, bedrooms smallint, full_baths smallint, half_baths smallint, room_count smallint,
        primary key (parcel_id, tax_year, improvement_number));
create table sale (sale_id bigint primary key, parcel_id varchar(12) not null references parcel, sale_date date not null, price numeric(14,2) not null,
        validity_code text);
"""
TABLES = {"parcel": 1, "assessment": 2, "land": 3, "improvement": 3, "sale": 1}     # and how many columns the key has


def sample(*arguments):
    subprocess.run(["/usr/bin/python3", TOP / "src/sample/terrafusion-sample", *map(str, arguments)], check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.remove()


class County(Place):
    def __init__(self, folder, pacs, cama):
        super().__init__(folder, {"pacs": pacs, "cama": cama}, "")
        (folder / "etc/mappings/pair.yaml").unlink()
        shutil.copy(TOP / "mappings/pacs_to_cama.yaml", folder / "etc/mappings/pair.yaml")
        text = (folder / "etc/mappings/pair.yaml").read_text()
        (folder / "etc/mappings/pair.yaml").write_text(text.replace("pair: pacs_to_cama", "pair: pair"))
        shutil.copytree(TOP / "mappings/codes", folder / "etc/mappings/codes")


def in_sqlite(path):
    db = sqlite3.connect(path)
    found = {table: [tuple(None if v is None else str(v) for v in row) for row in db.execute(f"select * from {table}")] for table in TABLES}
    db.close()
    return {table: sorted(rows, key=lambda row: row[:TABLES[table]]) for table, rows in found.items()}


def in_postgresql(address):
    db = psycopg2.connect(address)
    found = {}
    with db.cursor() as cursor:
        for table, n_key in TABLES.items():
            cursor.execute(f"select * from {table}")
            found[table] = sorted((tuple(None if v is None else str(v).rstrip() for v in row) for row in cursor), key=lambda row: row[:n_key])
    db.close()
    return found


def assert_same(ours, expected):
    for table in TABLES:
        assert len(ours[table]) == len(expected[table]), table
        wrong = [(a, b) for a, b in zip(ours[table], expected[table]) if a != b]
        assert not wrong, (table, len(wrong), wrong[:3])
    assert len(ours["parcel"]) > 25000


def load(path, address):
    """A PACS in PostgreSQL: the tables of the file, its stamps as timestamps."""
    kinds = {"INTEGER": "bigint", "TEXT": "text"}
    source, db = sqlite3.connect(path), psycopg2.connect(address)
    with db, db.cursor() as cursor:
        for (table,) in source.execute("select name from sqlite_schema where type = 'table' and name <> 'sample_state'").fetchall():
            columns = source.execute(f"pragma table_info({table})").fetchall()
            key = [c[1] for c in sorted((c for c in columns if c[5]), key=lambda c: c[5])]
            cursor.execute(f"create table {table} (" + ", ".join(
                f"{c[1]} {'timestamptz not null' if c[1] == 'last_update_dt' else kinds[c[2].upper()]}" for c in columns) + f", primary key ({', '.join(key)}))")
            text = "".join("\t".join("\\N" if v is None else str(v).replace("\\", "\\\\") for v in row) + "\n" for row in source.execute(f"select * from {table}"))
            cursor.copy_expert(f"copy {table} from stdin", io.StringIO(text))
            cursor.execute(f"create index on {table} (last_update_dt)")
        cursor.execute("create index on prop_supp_assoc (prop_id, owner_tax_yr)")
    db.autocommit = True
    with db.cursor() as cursor:
        cursor.execute("analyze")
    source.close()
    db.close()


def test_the_county(server, tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    sample("create", files)
    pacs = {"kind": "sqlite", "path": str(files / "pacs.db")}
    plain = County(tmp_path / "plain", pacs, {"kind": "sqlite", "path": str(files / "cama.db"), "access": "write"})
    address = server.database("cama")
    server.script("cama", CAMA)
    ours = County(tmp_path / "ours", pacs, {"kind": "postgresql", "connection": address, "access": "write"})

    def both(kind, **keywords):
        expected, operation = plain.run(kind, **keywords), ours.run(kind, **keywords)
        assert ours.result(operation) == plain.result(expected)
        assert_same(in_postgresql(address), in_sqlite(files / "cama.db"))
        return ours.result(operation)

    assert both("full")["parcel"][1] > 25000
    sample("advance", files, "1997-03")
    assert both("incremental")["sale"][1] > 800
    sample("break", files)
    assert sum(row[5] for row in both("incremental", expect=QUARANTINED).values()) > 0
    sample("break", "--mend", files)
    both("incremental")
    db = sqlite3.connect(files / "pacs.db")
    db.execute("delete from sale where chg_of_owner_id % 97 = 0")
    db.commit()
    db.close()
    assert both("full", allow=["max_deletes"])["sale"][3] > 100
    assert all(row[1:4] == (0, 0, 0) for row in both("full").values())

    # The same from a PACS in PostgreSQL.
    from_address, to_address = server.database("pacs"), server.database("cama2")
    load(files / "pacs.db", from_address)
    server.script("cama2", CAMA)
    third = County(tmp_path / "third", {"kind": "postgresql", "connection": from_address}, {"kind": "postgresql", "connection": to_address, "access": "write"})
    third.run("full")
    assert_same(in_postgresql(to_address), in_sqlite(files / "cama.db"))
    time.sleep(2.2)         # the horizon's margin
    assert all(row[1:4] == (0, 0, 0) for row in third.result(third.run("incremental")).values())
    server.sql("update property_val set assessed_val = assessed_val + 100, last_update_dt = now() where prop_id % 50 = 0", database="pacs")
    time.sleep(2.2)
    result = third.result(third.run("incremental"))
    n = int(server.sql("select count(*) from property_val v join prop_supp_assoc a on (a.owner_tax_yr, a.sup_num, a.prop_id) = "
                       "(v.prop_val_yr, v.sup_num, v.prop_id) where prop_id % 50 = 0 and prop_val_yr >= 1996".replace("prop_id %", "v.prop_id %"), database="pacs"))
    assert n > 400 and result["assessment"][2] == n
    server.sql("delete from sale where chg_of_owner_id % 89 = 0", database="pacs")
    left = server.sql("select count(*), sum(sl_price)::numeric(20,2) from sale", database="pacs")
    third.run("full", allow=["max_deletes"])
    assert server.sql("select count(*), sum(price) from sale", database="cama2") == left
