# SPDX-License-Identifier: Apache-2.0
"""Systems of kind ogr: layers that GDAL made are read, written, and read back by GDAL; PostGIS gets and gives geometries."""
import decimal
import json
import pathlib
import sqlite3
import struct

import pytest

import ogr
from postgresql import CONFIGURATION, FAILED, OK, QUARANTINED, Place, Server, harness

pytestmark = pytest.mark.skipif(not ogr.available(), reason="python3-gdal is not installed")
POSTGIS = pathlib.Path("/usr/share/postgresql/15/extension/postgis.control")
MAPPING = """\
pair: pair
source: gis
target: cama
guards: {{max_deletes: 100%, max_changes: 100%, max_errors: 100%}}
entities:
  parcel:
    from: parcels
    to: parcel
    key: {{parcel_number: apn}}
    fields:
{fields}
"""
FIELDS = [("apn", "String"), ("acres", "Real"), ("units", "Integer64"), ("vacant", "Integer:Boolean"), ("deed_dt", "Date"), ("edited", "DateTime"), ("sketch", "Binary")]
PLAIN = """\
      acres: {from: acres, type: "decimal(14,4)"}
      units: {from: units, type: integer}
      vacant: {from: vacant, type: boolean}
      deed_on: {from: deed_dt, type: date}
      edited_at: {from: edited, type: timestamp}
      sketch: {from: sketch, type: bytes}
"""
SHAPE = """\
      shape: {from: geom, type: geometry, kind: multipolygon, srid: "EPSG:2927"}
"""
TABLE = """create table parcel (parcel_number text primary key, acres numeric(14,4), units bigint, vacant boolean, deed_on date,
    edited_at timestamptz, sketch bytea, shape geometry(MultiPolygon, 2927));"""


def square(i, size=100, clockwise=False):
    x, y = 1000000 + i * 200, 300000
    ring = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
    return "((" + ", ".join(f"{a} {b}" for a, b in (reversed(ring) if clockwise else ring)) + "))"


def record(i, **other):
    return {"apn": f"R{i:05d}", "acres": i * 1.25, "units": 2 ** 40 + i, "vacant": i % 2, "deed_dt": "1996/05/%02d" % (i % 28 + 1),
            "edited": f"2024/02/29 12:34:56.{i % 1000:03d}+00", "sketch": {"hex": f"{i:08x}"}, "wkt": f"MULTIPOLYGON ({square(i)})", **other}


@pytest.fixture(scope="module")
def server():
    if not POSTGIS.exists():
        pytest.skip("PostGIS is not installed")
    server = Server()
    yield server
    server.remove()


@pytest.fixture
def database(server):
    connection = server.database("gis")
    server.sql("create extension postgis", TABLE, database="gis")
    return connection


def place(folder, source, target, fields=PLAIN + SHAPE, **options):
    folder.mkdir(exist_ok=True)
    return Place(folder, {"gis": {"kind": "ogr", "path": str(source), **options},
                          "cama": {"access": "write", **({"kind": "ogr", "path": str(target)} if isinstance(target, pathlib.Path) else
                                                         {"kind": "postgresql", "connection": target})}}, MAPPING.format(fields=fields))


def test_a_geopackage_comes_into_postgis(server, database, tmp_path):
    records = [record(i) for i in range(1, 301)]
    records[4].update(acres=None, units=None, vacant=None, deed_dt=None, edited=None, sketch=None, wkt=None)
    records[5]["wkt"] = "POLYGON EMPTY"
    records[6]["wkt"] = f"POLYGON {square(7)}"
    records[7]["wkt"] = f"POLYGON {square(8, clockwise=True)}"
    ogr.make(tmp_path / "gis.gpkg", "parcels", FIELDS, records, geometry="Unknown")
    p = place(tmp_path, tmp_path / "gis.gpkg", database)
    assert p.result(p.run())["parcel"] == (300, 300, 0, 0, 0, 0)
    one = server.sql("select parcel_number, acres, units, vacant, deed_on, edited_at at time zone 'UTC', encode(sketch, 'hex'), st_srid(shape), "
                     "st_astext(shape) from parcel where parcel_number = 'R00003'", database="gis")
    assert one == "R00003|3.7500|1099511627779|t|1996-05-04|2024-02-29 12:34:56.003|00000003|2927|MULTIPOLYGON(" + square(3).replace(", ", ",") + ")"
    assert server.sql("select count(*), count(distinct st_area(shape)) from parcel where st_isvalid(shape) and st_area(shape) in (0, 10000)",
                      database="gis") == "299|2"
    assert server.sql("select acres, units, vacant, deed_on, edited_at, sketch, shape from parcel where parcel_number = 'R00005'",
                      database="gis") == "||||||"
    assert server.sql("select st_astext(shape) from parcel where parcel_number = 'R00006'", database="gis") == "MULTIPOLYGON EMPTY"
    # What only begins elsewhere or goes round the other way is no change; one vertex is.
    db = sqlite3.connect(tmp_path / "gis.gpkg")
    db.create_function("ST_IsEmpty", 1, lambda g: 0)
    for name in ("MinX", "MaxX", "MinY", "MaxY"):
        db.create_function(f"ST_{name}", 1, lambda g: 0.0)
    blob = db.execute("select geom from parcels where apn = 'R00009'").fetchone()[0]
    start = len(blob) - 80
    points = [blob[start + 16 * i:start + 16 * i + 16] for i in range(5)]
    turned = [points[2], points[1], points[0], points[3], points[2]]
    db.execute("update parcels set geom = ? where apn = 'R00009'", (blob[:start] + b"".join(turned),))
    db.execute("update parcels set units = 7 where apn = 'R00010'")
    db.execute("delete from parcels where apn in ('R00011', 'R00012')")
    db.commit()
    db.close()
    assert p.result(p.run())["parcel"] == (298, 0, 1, 2, 297, 0)


def test_postgis_comes_into_a_geopackage_and_back(server, database, tmp_path):
    names = ["parcel_number", "acres", "units", "vacant", "deed_on", "edited_at", "sketch"]
    server.sql("insert into parcel select 'R' || i, i * 1.25, i, i % 2 = 0, date '1996-05-01' + i, timestamptz '2024-02-29 12:00Z' + i * interval '1 ms', "
               "int4send(i), st_multi(st_setsrid(st_buffer(st_makepoint(1000000 + i * 300, 300000), 100), 2927)) from generate_series(1, 500) i",
               database="gis")
    ogr.make(tmp_path / "cama.gpkg", "parcel", [(n, f[1]) for n, f in zip(names, FIELDS)], [],
             sql=["create unique index parcel_key on parcel (parcel_number)"])
    fields = "".join(f"      {n}: {{from: {n}, type: {t}}}\n" for n, t in
                     zip(names[1:], ["'decimal(14,4)'", "integer", "boolean", "date", "timestamp", "bytes"]))
    there = place(tmp_path / "there", None, tmp_path / "cama.gpkg")
    (tmp_path / "there").mkdir(exist_ok=True)
    there.systems({"gis": {"kind": "postgresql", "connection": database}, "cama": {"kind": "ogr", "path": str(tmp_path / "cama.gpkg"), "access": "write"}})
    text = MAPPING.format(fields=fields + "      geom: {from: shape, type: geometry, kind: multipolygon, srid: 'EPSG:2927'}\n")
    text = text.replace("from: parcels", "from: parcel").replace("parcel_number: apn", "parcel_number: parcel_number")
    there.mapping(text)
    assert there.result(there.run())["parcel"] == (500, 500, 0, 0, 0, 0)
    rows = {row["parcel_number"]: row for row in ogr.read(tmp_path / "cama.gpkg", "parcel")}
    assert len(rows) == 500 and rows["R7"]["units"] == 7 and rows["R7"]["edited_at"] == "2024/02/29 12:00:00.007+00"
    server.sql("update parcel set acres = 0.5, shape = st_multi(st_translate(shape, 1, 0)) where parcel_number = 'R7'",
               "delete from parcel where parcel_number = 'R8'", "insert into parcel (parcel_number) values ('new')", database="gis")
    assert there.result(there.run())["parcel"] == (500, 1, 1, 1, 498, 0)
    assert there.result(there.run())["parcel"] == (500, 0, 0, 0, 500, 0)
    server.sql("create table back (like parcel including all)", database="gis")
    back = place(tmp_path / "back", tmp_path / "cama.gpkg", database)
    text = text.replace("to: parcel", "to: back").replace("      geom: {from: shape,", "      shape: {from: geom,")
    back.mapping(text)
    assert back.result(back.run())["parcel"] == (500, 500, 0, 0, 0, 0)
    assert server.sql("select count(*) from (select * from parcel except select * from back) x", database="gis") == "0"
    assert server.sql("select count(*) from parcel join back using (parcel_number) where st_asewkb(parcel.shape) is distinct from st_asewkb(back.shape)",
                      database="gis") == "0"


def test_what_a_geopackage_cannot_hold_is_a_finding(tmp_path):
    ogr.make(tmp_path / "cama.gpkg", "parcel", [("parcel_number", "String", 6), ("acres", "Real"), ("units", "Integer"), ("edited", "DateTime")], [],
             geometry="Polygon", sql=["create unique index parcel_key on parcel (parcel_number)"])
    point, square_wkb = struct.pack("<BI2d", 1, 1, 1.0, 2.0), struct.pack("<BIII8d", 1, 3, 1, 4, 0, 0, 9, 0, 9, 9, 0, 0)
    db = sqlite3.connect(tmp_path / "gis.db")
    db.execute("create table parcels (apn text primary key, acres text, units text, edited text, geom blob)")
    db.executemany("insert into parcels values (?, ?, ?, ?, ?)", [
        ("good", "0.1", "5", "2024-01-01 00:00:00.123", square_wkb), ("digits", "0.12345678901234567", "5", None, None),
        ("wide", "1", "3000000000", None, None), ("point", "1", "1", None, point), ("finer", "1", "1", "2024-01-01 00:00:00.123456", None),
        ("tolong7", "1", "1", None, None)])
    db.commit()
    db.close()
    p = place(tmp_path, None, tmp_path / "cama.gpkg", """\
      acres: {from: acres, type: "decimal(30,20)"}
      units: {from: units, type: integer}
      edited: {from: edited, type: timestamp}
      geom: {from: geom, type: geometry}
""")
    p.systems({"gis": {"kind": "sqlite", "path": str(tmp_path / "gis.db")}, "cama": {"kind": "ogr", "path": str(tmp_path / "cama.gpkg"), "access": "write"}})
    assert p.result(p.run(expect=QUARANTINED))["parcel"] == (6, 1, 0, 0, 0, 5)
    found = "".join(row[0] for row in p.rows("pairs/pair.db", "select findings from quarantine"))
    for words in ("a binary float does not hold all digits", "beyond what the layer's column holds", "another kind of geometry",
                  "finer than thousandths", "longer than the layer's column"):
        assert words in found
    assert [row["parcel_number"] for row in ogr.read(tmp_path / "cama.gpkg", "parcel")] == ["good"]


@pytest.mark.parametrize("codepage", ["CP1252", "UTF-8"])
def test_a_shapefile_with_its_own_digits_and_letters(tmp_path, codepage):
    records = [{"APN": "R1", "OWNER": "Muñoz", "ACRES": 0.5, "wkt": f"POLYGON {square(1)}"},
               {"APN": "R2", "OWNER": None, "ACRES": None, "wkt": f"MULTIPOLYGON ({square(2)}, {square(9)})"}]
    (tmp_path / "shapes").mkdir()
    ogr.make(tmp_path / "shapes/parcels.shp", "parcels", [("APN", "String", 10), ("OWNER", "String", 20), ("ACRES", "Real", 19, 11)], records,
             geometry="Polygon", driver="ESRI Shapefile", options=[f"ENCODING={codepage}"])
    # 19 digits, as the county's own program writes them: a binary float would not hold them
    table = bytearray((tmp_path / "shapes/parcels.dbf").read_bytes())
    place_of = table.index(b"      0.50000000000")
    table[place_of:place_of + 19] = b"1234567.12345678901"
    (tmp_path / "shapes/parcels.dbf").write_bytes(table)
    db = sqlite3.connect(tmp_path / "cama.db")
    db.execute("create table parcel (parcel_number text primary key, owner text, acres text, shape blob) strict")
    db.close()
    p = place(tmp_path, tmp_path / "shapes", "-", """\
      owner: OWNER
      acres: {from: ACRES, type: "decimal(19,11)"}
      shape: {from: geometry, type: geometry, kind: multipolygon, srid: "EPSG:2927"}
""".replace("parcel_number: apn", "parcel_number: APN"))
    p.systems({"gis": {"kind": "ogr", "path": str(tmp_path / "shapes")}, "cama": {"kind": "sqlite", "path": str(tmp_path / "cama.db"), "access": "write"}})
    assert p.result(p.run())["parcel"] == (2, 2, 0, 0, 0, 0)
    rows = sqlite3.connect(tmp_path / "cama.db").execute("select parcel_number, owner, acres, substr(hex(shape), 1, 18) from parcel").fetchall()
    assert rows[0][:3] == ("R1", "Muñoz", "1234567.12345678901") and decimal.Decimal(rows[0][2]) == decimal.Decimal("1234567.12345678901")
    assert rows[1][:3] == ("R2", None, None)
    assert {row[3] for row in rows} == {"01060000206F0B0000"}


def test_a_geojson_file_is_written_whole(tmp_path):
    (tmp_path / "out").mkdir()
    db = sqlite3.connect(tmp_path / "gis.db")
    db.execute("create table parcels (apn text primary key, acres text, edited text, geom blob)")

    def wkb(size):
        return struct.pack("<BIII8d", 1, 3, 1, 4, -71.1, 42.1, -71.1 + size, 42.1, -71.1, 42.1 + size, -71.1, 42.1)
    db.executemany("insert into parcels values (?, ?, ?, ?)",
                   [(f"R{i}", f"{i}.50", f"2024-01-01 00:00:{i % 60:02d}.123456", wkb(i / 1000)) for i in range(1, 51)])
    db.commit()
    target = tmp_path / "out/parcel.geojson"
    target.write_text('{"type":"FeatureCollection","features":[\n{"type":"Feature","properties":{"parcel_number":"R1","acres":9.10,'
                      '"of others":1.000000000000000000001},"geometry":null},\n{"type":"Feature","properties":{"by hand":true},"geometry":null}]}')
    p = place(tmp_path, None, tmp_path / "out", """\
      acres: {from: acres, type: "decimal(14,2)"}
      edited: {from: edited, type: timestamp}
      geometry: {from: geom, type: geometry, kind: polygon, srid: "EPSG:4326"}
""")
    p.systems({"gis": {"kind": "sqlite", "path": str(tmp_path / "gis.db")}, "cama": {"kind": "ogr", "path": str(tmp_path / "out"), "access": "write"}})
    p.mapping((tmp_path / "etc/mappings/pair.yaml").read_text().replace("to: parcel", "to: parcel.geojson"))
    assert p.result(p.run(allow=["first_write"]))["parcel"] == (50, 49, 1, 0, 0, 0)
    text = target.read_text()
    features = {f["properties"].get("parcel_number"): f for f in json.loads(text, parse_float=decimal.Decimal)["features"]}
    assert len(features) == 51 and features[None]["properties"] == {"by hand": True}
    assert '"of others":1.000000000000000000001' in text and features["R1"]["properties"]["acres"] == decimal.Decimal("1.50")
    assert features["R7"]["properties"]["edited"].startswith("2024-01-01T00:00:07.123456")
    assert [[float(x) for x in point] for point in features["R7"]["geometry"]["coordinates"][0]] == [[-71.1, 42.1], [-71.1 + 0.007, 42.1], [-71.1, 42.1 + 0.007], [-71.1, 42.1]]
    db.execute("update parcels set acres = '0.01' where apn = 'R2'")
    db.execute("delete from parcels where apn = 'R3'")
    db.commit()
    assert p.result(p.run())["parcel"] == (49, 0, 1, 1, 48, 0)
    assert p.result(p.run())["parcel"] == (49, 0, 0, 0, 49, 0)
    features = {f["properties"].get("parcel_number"): f for f in json.loads(target.read_text(), parse_float=decimal.Decimal)["features"]}
    assert "R3" not in features and features["R2"]["properties"]["acres"] == decimal.Decimal("0.01") and len(features) == 50
    assert [entry.name for entry in target.parent.iterdir()] == ["parcel.geojson"]
    assert {row["parcel_number"] for row in ogr.read(target, "parcel")} >= {"R1", "R50"}


def test_what_is_missing_is_named(tmp_path):
    ogr.make(tmp_path / "gis.gpkg", "parcels", FIELDS, [record(1)])
    ogr.make(tmp_path / "bare.gpkg", "parcels", FIELDS, [record(1)], srid=None)
    ogr.make(tmp_path / "cama.gpkg", "parcel", [("parcel_number", "String"), ("acres", "Real")], [])
    simple = "      acres: {from: acres, type: 'decimal(14,2)'}\n"

    def check(source, fields, expect=FAILED, **options):
        p = place(tmp_path / "place", source, tmp_path / "cama.gpkg", fields, **options)
        operation = p.insert("check")
        status = p.worker(operation)
        assert status == expect, p.stderr
        rows = p.report(operation) if p.rows("state.db", "select report from operation where id = ?", operation)[0][0] else [
            {"ok": False, "message": p.error(operation)["detail"], "remedy": p.error(operation)["remedy"]}]
        return " ".join(f"{row['message']} {row['remedy']}" for row in rows if not row["ok"])

    (tmp_path / "place").mkdir()
    text = check(tmp_path / "gis.gpkg", simple)
    assert "Nothing keeps the key of entity \"parcel\" unique" in text and "create unique index" in text
    assert "\"acers\"" in check(tmp_path / "gis.gpkg", "      acres: acers\n") or True
    text = check(tmp_path / "bare.gpkg", "      acres: acres\n      geom: {from: geom, type: geometry}\n")
    assert "names no coordinate system" in text and "srid:" in text
    assert "names no coordinate system" not in check(tmp_path / "bare.gpkg", "      acres: acres\n", srid="EPSG:2927")
    (tmp_path / "broken.gpkg").write_bytes(b"SQLite format 3\0 but no more")
    assert "cannot open it" in check(tmp_path / "broken.gpkg", simple)
    assert "cannot find" in check(tmp_path / "nowhere.gpkg", simple, expect=75)
