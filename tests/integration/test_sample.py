# SPDX-License-Identifier: Apache-2.0
"""terrafusion-sample: the same content each time, the file's own numbers, valid shapes, and clear refusals."""
import csv
import io
import json
import lzma
import sqlite3
import struct
import subprocess
import time
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SAMPLE = TOP / "src/sample"
TABLES = ("property", "property_val", "prop_supp_assoc", "land_detail", "imprv", "sale", "levy", "bill", "prop_lineage")


def sample(*arguments, status=0):
    done = subprocess.run(["/usr/bin/python3", SAMPLE / "terrafusion-sample", *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr or done.stdout


def rows_of(folder, database, table):
    """Everything but the time of writing."""
    with sqlite3.connect(f"file:{folder}/{database}.db?mode=ro", uri=True) as db:
        columns = [row[1] for row in db.execute(f"pragma table_info({table})") if row[1] != "last_update_dt"]
        return db.execute(f"select {', '.join(columns)} from {table} order by 1, 2, 3").fetchall()


def content(folder):
    return {table: rows_of(folder, "pacs", table) for table in TABLES} | \
           {table: rows_of(folder, "gis", table) for table in ("parcel_point", "parcel_polygon")}


def one(folder, database, sql):
    with sqlite3.connect(folder / f"{database}.db") as db:
        return db.execute(sql).fetchone()[0]


@pytest.fixture(scope="module")
def houses():
    with lzma.open(SAMPLE / "lucas_house_sales.csv.xz") as file:
        return list(csv.DictReader(io.TextIOWrapper(file)))


@pytest.fixture(scope="module")
def lucas(tmp_path_factory):
    """As of the end of 1996: not to be changed."""
    folder = tmp_path_factory.mktemp("lucas")
    sample("create", folder)
    return folder


@pytest.fixture
def county(lucas, tmp_path):
    """One's own copy."""
    for path in lucas.glob("*.db"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    sample("generate", folder, "--parcels", 5000, "--seed", 7, "--years", 2)
    return folder


def test_create_has_the_files_numbers(lucas, houses):
    on_roll = [h for h in houses if int(h["yrbuilt"]) <= 1996 or h["sdate"] <= "961231"]
    sold = [h for h in houses if h["sdate"] <= "961231"]
    assert len(houses) == 25357
    assert one(lucas, "pacs", "select count(*) from property") == len(on_roll) == 25235
    assert one(lucas, "pacs", "select sum(assessed_val) from property_val") == sum(int(h["avalue"]) for h in on_roll)
    assert one(lucas, "pacs", "select count(*) from sale") == len(sold) == 15947
    assert one(lucas, "pacs", "select sum(sl_price) from sale") == sum(int(h["price"]) for h in sold)
    assert one(lucas, "gis", "select count(*) from parcel_point") == len(on_roll)
    assert one(lucas, "cama", "select count(*) from parcel") == 0


def test_create_keeps_each_record(lucas, houses):
    first = houses[0]
    value = rows_of(lucas, "pacs", "property_val")[0]
    assert value == (1996, 0, 1, "510", "1.2281", int(first["avalue"]), None)
    assert rows_of(lucas, "pacs", "property")[0] == (1, "R", "LC-00001", "04/23/1996")
    assert rows_of(lucas, "pacs", "imprv")[0] == (1996, 0, 1, 1, "RES", 1978, 3273, "one+half", "partbrk", "attached",
                                                  625, 4, 3, 1, 12)
    with sqlite3.connect(lucas / "gis.db") as db:
        shape = db.execute("select shape from parcel_point where parcel_id = 'LC-00001'").fetchone()[0]
    assert struct.unpack("<BIdd", shape) == (1, 1, float(first["long_x"]), float(first["lat_y"]))


def test_advance_to_the_end_is_the_whole_file(county, houses):
    sample("advance", county, "1998-10")
    assert one(county, "pacs", "select count(*) from property") == len(houses)
    assert one(county, "pacs", "select count(*) from sale") == len(houses)
    assert one(county, "pacs", "select sum(sl_price) from sale") == sum(int(h["price"]) for h in houses)
    assert one(county, "pacs", "select count(*) from property where deed_dt is null") == 0


def test_advance_in_steps_is_advance_at_once(county, lucas, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    for path in lucas.glob("*.db"):
        (other / path.name).write_bytes(path.read_bytes())
    sample("advance", county, "1997-06")
    for month in ("1997-01", "1997-03", "1997-03", "1997-06"):
        sample("advance", other, month)
    assert content(county) == content(other)


def test_advance_again_changes_nothing(county):
    sample("advance", county, "1997-03")
    before = one(county, "pacs", "select max(last_update_dt) from property")
    assert "nothing to do" in sample("advance", county, "1997-03")
    assert one(county, "pacs", "select max(last_update_dt) from property") == before


def test_advance_after_a_kill_between_the_two_files(county):
    """The points are there, the sales are not: the next run ends with the same content."""
    sample("advance", county, "1997-03")
    whole = content(county)
    for path in county.glob("*.db"):
        if path.name == "pacs.db":
            path.unlink()
    sample("create", county / "again")
    (county / "pacs.db").write_bytes((county / "again/pacs.db").read_bytes())
    sample("advance", county, "1997-03")
    assert content(county) == whole


@pytest.mark.parametrize("month, sentence", [
    ("1996-11", "at 1996-12 already and does not go back"), ("1999-01", "ends with 1998-10"),
    ("1997-13", "'1997-13' is no month"), ("june", "'june' is no month")])
def test_advance_refuses(county, month, sentence):
    before = content(county)
    assert sentence in sample("advance", county, month, status=1)
    assert content(county) == before


def test_stamps_are_the_real_time_of_writing(county):
    before = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    sample("advance", county, "1997-01")
    after = time.strftime("%Y-%m-%d %H:%M:%S.999", time.gmtime())
    moved = one(county, "pacs", f"select count(*) from sale where last_update_dt >= '{before}'")
    assert moved == 268
    assert before <= one(county, "pacs", "select max(last_update_dt) from sale") <= after
    assert one(county, "pacs", "select count(*) from sale where last_update_dt not glob "
                               "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]'") == 0


def test_bills_are_exact_and_marked(lucas):
    bills = {prop_id: (amount, basis) for _, prop_id, _, _, amount, basis in rows_of(lucas, "pacs", "bill")}
    for _, _, prop_id, _, _, value, _ in rows_of(lucas, "pacs", "property_val"):
        hundredths = value * 215
        cents = hundredths // 100 + (hundredths % 100 >= 50)
        assert bills[prop_id] == (f"{cents // 100}.{cents % 100:02d}", "COMPUTED")


def test_create_refuses_a_folder_with_a_county(lucas):
    assert "already holds a county" in sample("create", lucas, status=1)
    assert "already holds a county" in sample("generate", lucas, "--parcels", 10, status=1)


def test_break_and_mend(county):
    before = content(county)
    assert "Broke LC-00001" in sample("break", county)
    assert rows_of(county, "pacs", "property_val")[0][3:6] == ("XXX", "1.2281", -1)
    assert "broken already" in sample("break", county, status=1)
    assert "Mended LC-00001" in sample("break", "--mend", county)
    assert content(county) == before
    assert "nothing to mend" in sample("break", "--mend", county)


def test_count_tells_both_sides(county):
    told = json.loads(sample("count", county, "--json", status=1))
    assert told["equal"] is False
    counts = {row["what"]: (row["source_count"], row["target_count"]) for row in told["counts"]}
    assert counts["parcels"] == (25235, 0)
    assert counts["sales"] == (15947, 0)
    with sqlite3.connect(county / "cama.db") as db:
        db.execute("insert into sale values (1, 'LC-00001', '1996-04-23', '303000.00', 'VALID')")
    told = json.loads(sample("count", county, "--json", status=1))
    counts = {row["what"]: row["target_count"] for row in told["counts"]}
    assert (counts["sales"], counts["sale dollars"]) == (1, 303000)


@pytest.mark.parametrize("database", ["pacs", "gis", "cama", "erp"])
def test_files_are_sound(generated, lucas, database):
    for folder in (generated, lucas):
        assert one(folder, database, "pragma integrity_check") == "ok"
        assert one(folder, database, "pragma journal_mode") == "wal"
        assert one(folder, database, "select count(*) from pragma_table_list where type = 'table' and strict = 0 "
                                     "and name not like 'sqlite_%'") == 0
        assert one(folder, database, "select count(*) from sqlite_master where sql like '% real%'") == 0
    schemas = [one(folder, database, "select group_concat(sql) from sqlite_master") for folder in (generated, lucas)]
    assert schemas[0] == schemas[1]


def test_every_stamp_is_indexed(lucas):
    for table in TABLES:
        assert one(lucas, "pacs", f"select count(*) from sqlite_master where type = 'index' and tbl_name = '{table}' "
                                  "and sql like '%(last_update_dt)'") == 1


def test_the_same_seed_makes_the_same_county(generated, tmp_path):
    for name, seed in (("same", 7), ("other", 8)):
        sample("generate", tmp_path / name, "--parcels", 5000, "--seed", seed, "--years", 2)
    assert content(tmp_path / "same") == content(generated)
    assert content(tmp_path / "other") != content(generated)


def test_years_and_changes_are_the_same_by_either_way(generated, tmp_path):
    sample("generate", tmp_path, "--parcels", 5000, "--seed", 7)
    sample("advance", tmp_path, "--year", 2025)
    assert content(tmp_path) == content(generated)
    assert "nothing to do" in sample("advance", tmp_path, "--year", 2025)
    assert "does not go back" in sample("advance", tmp_path, "--year", 2024, status=1)
    before = content(tmp_path)
    sample("change", tmp_path, "--fraction", "0.05")
    assert content(tmp_path) != before


def test_changes_keep_the_rolls_rules(generated, tmp_path):
    for path in generated.glob("*.db"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    sample("change", tmp_path, "--fraction", "0.2")
    assert one(tmp_path, "pacs", "select count(*) from prop_lineage where kind_cd = 'SPLIT'") > 0
    assert one(tmp_path, "pacs", "select count(*) from prop_lineage where kind_cd = 'MERGE'") > 0
    assert one(tmp_path, "pacs", "select count(*) from property_val where sup_num > 0") > 0
    # The pointer of each parcel-year names a row that is there, and the newest one.
    assert one(tmp_path, "pacs", "select count(*) from prop_supp_assoc a where a.sup_num <> (select max(v.sup_num) "
               "from property_val v where v.prop_val_yr = a.owner_tax_yr and v.prop_id = a.prop_id)") == 0
    # A parent is retired and has no shape; whoever is on the last roll has one, and only they.
    assert one(tmp_path, "pacs", "select count(*) from prop_lineage l join prop_supp_assoc a on a.prop_id = "
               "l.parent_prop_id and a.owner_tax_yr = l.lineage_yr join property_val v on v.prop_id = a.prop_id and "
               "v.prop_val_yr = a.owner_tax_yr and v.sup_num = a.sup_num where v.prop_inactive_dt is null") == 0
    with sqlite3.connect(tmp_path / "pacs.db") as db:
        db.execute("attach ? as gis", (str(tmp_path / "gis.db"),))
        alive = ("select p.geo_id from property p join prop_supp_assoc a on a.prop_id = p.prop_id and a.owner_tax_yr = "
                 "(select max(owner_tax_yr) from prop_supp_assoc) join property_val v on v.prop_id = a.prop_id and "
                 "v.prop_val_yr = a.owner_tax_yr and v.sup_num = a.sup_num where v.prop_inactive_dt is null order by 1")
        for table in ("parcel_point", "parcel_polygon"):
            assert db.execute(alive).fetchall() == db.execute(f"select parcel_id from {table} order by 1").fetchall()


def test_polygons_are_valid_and_hold_their_point(generated):
    with sqlite3.connect(generated / "gis.db") as db:
        rows = db.execute("select p.shape, q.shape, p.srid from parcel_polygon p join parcel_point q "
                          "on q.parcel_id = p.parcel_id").fetchall()
    assert len(rows) > 4900
    for polygon, point, srid in rows:
        assert srid == 32122 and len(polygon) == 93
        order, kind, rings, points = struct.unpack("<BIII", polygon[:13])
        assert (order, kind, rings, points) == (1, 3, 1, 5)
        c = struct.unpack("<10d", polygon[13:])
        assert c[:2] == c[8:]
        area = sum(c[i] * c[i + 3] - c[i + 2] * c[i + 1] for i in range(0, 8, 2)) / 2
        assert area > 0                         # the outer ring runs counter-clockwise
        _, kind, x, y = struct.unpack("<BIdd", point)
        assert kind == 1 and min(c[::2]) < x < max(c[::2]) and min(c[1::2]) < y < max(c[1::2])


def test_generate_is_fast_and_its_memory_constant(tmp_path):
    """1,000,000 parcels take 18 s and 84 MiB alone on a machine of 2 cores; here a tenth, on a busy one."""
    peaks = []
    for parcels in (60_000, 120_000):
        started = time.monotonic()
        done = subprocess.run(["/usr/bin/python3", "-c", "import runpy, sys\nsys.argv.pop(0)\n"
                               "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
                               "finally:\n    print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])",
                               SAMPLE / "terrafusion-sample", "generate", str(tmp_path / str(parcels)), "--parcels",
                               str(parcels)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout.split()[-1]))
        assert time.monotonic() - started < 20
    assert peaks[1] < 110 * 1024 and peaks[1] < 1.5 * peaks[0]


@pytest.mark.parametrize("arguments, sentence", [
    (("advance", "FOLDER"), "either YYYY-MM"), (("generate", "FOLDER", "--parcels", "0"), "is no whole number above 0"),
    (("change", "FOLDER", "--fraction", "2"), "is not above 0 and at most 0.5"), (("fly", "FOLDER"), "invalid choice")])
def test_usage_mistakes_end_with_2(tmp_path, arguments, sentence):
    assert sentence in sample(*(str(tmp_path) if a == "FOLDER" else a for a in arguments), status=2)


def test_a_missing_county_is_named(tmp_path):
    assert f"{tmp_path / 'pacs.db'} is not there" in sample("advance", tmp_path, "1997-01", status=1)
    assert "is not there" in sample("count", tmp_path, status=1)
