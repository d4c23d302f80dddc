# SPDX-License-Identifier: Apache-2.0
"""Geometries from every kind that holds them to every other, and back: compared coordinate by coordinate, as the systems' own drivers give them to the
WKB reader below. What a target cannot hold is a finding, and which ones is asserted."""
import json
import math
import pathlib
import re
import sqlite3
import struct

import pytest

import ogr
from postgresql import OK, QUARANTINED, Place, Server

pytestmark = pytest.mark.skipif(not ogr.available(), reason="python3-gdal is not installed")
POSTGIS = pathlib.Path("/usr/share/postgresql/15/extension/postgis.control")
DEGREES, FEET, ESRI_FEET = 4326, 2927, 102748
OUTER = [(0, 0), (0, 9.25), (9.125, 9), (9, 0.1), (0, 0)]
HOLE = [(2, 2), (3, 2), (3, 3.5), (2, 2)]
FAR = [(20, 20), (20, 21), (21, 21), (20, 20)]
THIRD = (1 / 3, -2 / 3)
# Name: (kind, ordinates of a vertex, what it is made of). Empty: no vertex, no part.
SHAPES = {
    "point": (1, 2, (-71.1, 42.25)), "thirds": (1, 2, THIRD), "tiny": (1, 2, (5e-324, -0.1)), "point z": (1, 3, (1.5, 2.5, -1e-9)),
    "point zm": (1, 4, (1.5, 2.5, 3.5, 0.1)), "point m": (1, "m", (1.5, 2.5, 7.25)), "line": (2, 2, [(0, 0), THIRD, (2, 2)]),
    "line z": (2, 3, [(0, 0, 1), (1, 1, 1 / 3)]), "polygon": (3, 2, [OUTER, HOLE]), "multipoint": (4, 2, [(1, 2), (3, 4)]),
    "multiline": (5, 2, [[(0, 0), (1, 1)], [(5, 5), (6, 6.5)]]), "multipolygon": (6, 2, [[OUTER, HOLE], [FAR]]),
    "multipolygon z": (6, 3, [[[(*xy, i / 7) for i, xy in enumerate(FAR[:3])] + [(*FAR[0], 0.0)]]]),
    "empty polygon": (3, 2, []), "empty multipolygon": (6, 2, []), "empty point": (1, 2, None), "nothing": None,
}


def ordinates(flag):
    return 3 if flag == "m" else flag


def wkb_body(kind, flag, parts):
    """Little-endian WKB with the flags of EWKB, without an SRID."""
    head = struct.pack("<BI", 1, kind | {2: 0, 3: 1 << 31, "m": 1 << 30, 4: 3 << 30}[flag])
    n = ordinates(flag)
    if kind == 1:
        return head + struct.pack(f"<{n}d", *(parts if parts is not None else [math.nan] * n))
    if kind == 2:
        return head + struct.pack("<I", len(parts)) + b"".join(struct.pack(f"<{n}d", *v) for v in parts)
    if kind == 3:
        return head + struct.pack("<I", len(parts)) + b"".join(struct.pack("<I", len(ring)) + b"".join(struct.pack(f"<{n}d", *v) for v in ring) for ring in parts)
    return head + struct.pack("<I", len(parts)) + b"".join(wkb_body(kind - 3, flag, part) for part in parts)


def ewkb(shape, srid):
    body = wkb_body(*shape)
    return body[:1] + struct.pack("<I", struct.unpack_from("<I", body, 1)[0] | 1 << 29) + struct.pack("<I", srid) + body[5:]


def wkb_read(data):
    """(srid or None, shape), of WKB, ISO WKB or EWKB in either order of bytes, to its last byte."""
    place, found = 0, []

    def take(form):
        nonlocal place
        values = struct.unpack_from(form, data, place)
        place += struct.calcsize(form)
        return values

    def geometry():
        order = "<" if take("B")[0] else ">"
        code = take(order + "I")[0]
        if code & 1 << 29:
            found.append(take(order + "I")[0])
        iso = code % 10000 // 1000 if not code >> 29 else 0
        has_z, has_m = bool(code >> 31) or iso in (1, 3), bool(code >> 30 & 1) or iso in (2, 3)
        kind, flag = (code & 0xFFFF) % 1000, 4 if has_z and has_m else 3 if has_z else "m" if has_m else 2
        one = f"{order}{ordinates(flag)}d"
        if kind == 1:
            vertex = take(one)
            return kind, flag, None if all(map(math.isnan, vertex)) else vertex
        n = take(order + "I")[0]
        if kind == 2:
            return kind, flag, [take(one) for _ in range(n)]
        if kind == 3:
            return kind, flag, [[take(one) for _ in range(take(order + "I")[0])] for _ in range(n)]
        parts = [geometry() for _ in range(n)]
        assert all(part[:2] == (kind - 3, flag) for part in parts)
        return kind, flag, [part[2] for part in parts]

    shape = geometry()
    assert place == len(data), "bytes behind the geometry"
    return (found[0] if found else None), shape


def test_the_reader_reads_what_the_writer_writes():
    for shape in filter(None, SHAPES.values()):
        assert plain((FEET, (*shape[:2], floats(shape[2])))) == plain(wkb_read(ewkb(shape, FEET)))
    assert wkb_read(struct.pack(">BI2d", 0, 1, 1.0, 2.0)) == (None, (1, 2, (1.0, 2.0)))
    assert wkb_read(struct.pack("<BI4d", 1, 3001, 1.0, 2.0, 3.0, 4.0)) == (None, (1, 4, (1.0, 2.0, 3.0, 4.0)))


def plain(one):
    """In a form where equal means equal: floats by all their digits. Rings as they begin and go round."""
    return None if one is None or one[1] is None else (one[0], json.dumps(one[1]))


class Holder:
    """A table `shapes` with `name` and a geometry. column: what mappings call it."""
    name, column, source, target, table = "", "geom", True, True, "shapes"

    def __init__(self, folder, srid, server):
        folder.mkdir()
        self.folder, self.srid, self.server = folder, srid, server

    def lacks(self, name):
        return False


class PostGIS(Holder):
    name = "postgis"

    def __init__(self, folder, srid, server):
        super().__init__(folder, srid, server)
        # One database for all, since PostGIS takes long to come into one. Without a modifier: one of two dimensions would refuse Z and M
        self.table = "t" + re.sub(r"\W", "_", f"{folder.parent.name}_{folder.name}")[-50:].lower()
        server.sql(f"create table {self.table} (name text primary key, geom geometry)", database="gis")

    def system(self):
        return {"kind": "postgresql", "connection": f"{self.server.address} dbname=gis"}

    def load(self, rows):
        self.server.script("gis", "".join(
            f"insert into {self.table} values ('{name}', {'null' if shape is None else chr(39) + ewkb(shape, self.srid).hex() + chr(39)});\n" for name, shape in rows.items()))

    def dump(self):
        rows = [line.split("|") for line in self.server.sql(f"select name, encode(st_asewkb(geom), 'hex') from {self.table}", database="gis").splitlines()]
        return {name: wkb_read(bytes.fromhex(text)) if text else None for name, text in rows}


class SQLite(Holder):
    """Bytes: EWKB, as the mapping's type says."""
    name = "sqlite"

    def __init__(self, folder, srid, server):
        super().__init__(folder, srid, server)
        self.path = folder / "shapes.db"
        self.sql("create table shapes (name text primary key, geom blob) strict")

    def sql(self, statement, rows=((),)):
        with sqlite3.connect(self.path) as db:
            db.executemany(statement, rows)

    def system(self):
        return {"kind": "sqlite", "path": str(self.path)}

    def load(self, rows):
        self.sql("insert into shapes values (?, ?)", [(name, shape and ewkb(shape, self.srid)) for name, shape in rows.items()])

    def dump(self):
        return {name: data and wkb_read(data) for name, data in sqlite3.connect(self.path).execute("select name, geom from shapes")}


class GeoPackage(SQLite):
    """Made by GDAL; its geometries are read as the bytes that the file holds: a header, then ISO WKB."""
    name = "geopackage"

    def __init__(self, folder, srid, server):
        Holder.__init__(self, folder, srid, server)
        self.path = folder / "shapes.gpkg"
        ogr.make(self.path, "shapes", [("name", "String")], [], srid=f"{'ESRI' if srid == ESRI_FEET else 'EPSG'}:{srid}", geometry="Unknown",
                 options=["SPATIAL_INDEX=NO"], sql=["create unique index shapes_name on shapes (name)"])

    def system(self):
        return {"kind": "ogr", "path": str(self.path)}

    def load(self, rows):
        def blob(shape):
            return b"GP\x00" + bytes([1 | (16 if not shape[2] else 0)]) + struct.pack("<i", self.srid) + iso(shape)
        self.sql("insert into shapes (name, geom) values (?, ?)", [(name, shape and blob(shape)) for name, shape in rows.items()])

    def dump(self):
        rows = {}
        for name, data in sqlite3.connect(self.path).execute("select name, geom from shapes"):
            if data is not None:
                assert data[:2] == b"GP" and data[3] & 1
                size = 8 + 8 * (0, 4, 6, 6, 8)[data[3] >> 1 & 7]
                srid, shape = wkb_read(data[size:])
                assert srid is None
                rows[name] = struct.unpack_from("<i", data, 4)[0], shape
            else:
                rows[name] = None
        return rows


class GeoJSON(Holder):
    """RFC 7946: WGS 84, no M; Z only as the third number of a position. Read by Python's own json."""
    name, column, table = "geojson", "geometry", "shapes.geojson"
    kinds = [None, "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"]

    def __init__(self, folder, srid, server):
        super().__init__(folder, srid, server)
        self.path = folder / "shapes.geojson"
        self.load({})

    def lacks(self, name):
        return name in ("point m", "point zm")

    def system(self):
        return {"kind": "ogr", "path": str(self.folder)}

    def load(self, rows):
        self.path.write_text(json.dumps({"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {"name": name}, "geometry": shape and {"type": self.kinds[shape[0]], "coordinates": shape[2] or []}}
            for name, shape in rows.items()]}))

    def dump(self):
        def tuples(one):
            return tuple(map(float, one)) if one and not isinstance(one[0], list) else [tuples(part) for part in one]

        def flag(one):
            while one and isinstance(one[0], list):
                one = one[0]
            return len(one) or 2
        rows = {}
        for feature in json.loads(self.path.read_text())["features"]:
            g = feature["geometry"]
            if g:
                kind = self.kinds.index(g["type"])
                g = DEGREES, (kind, flag(g["coordinates"]), tuples(g["coordinates"]) or (None if kind == 1 else []))
            rows[feature["properties"]["name"]] = g
        return rows


class Shapefile(Holder):
    """Readable only; one kind of geometry for a file."""
    name, column, target = "shapefile", "geometry", False
    names = ("multipolygon", "nothing")

    def load(self, rows):
        def ring(one):
            return "(" + ", ".join(" ".join(repr(float(v)) for v in vertex) for vertex in one) + ")"
        records = [{"name": name, "wkt": shape and "MULTIPOLYGON (" + ", ".join("(" + ", ".join(map(ring, part)) + ")" for part in shape[2]) + ")"}
                   for name, shape in rows.items()]
        ogr.make(self.folder / "shapes.shp", "shapes", [("name", "String", 30)], records, srid=f"EPSG:{self.srid}", geometry="Polygon", driver="ESRI Shapefile")

    def system(self):
        return {"kind": "ogr", "path": str(self.folder)}


def iso(shape):
    """ISO WKB: Z and M by thousands."""
    kind, flag, parts = shape
    body = bytearray(wkb_body(kind, flag, parts))
    plus = {2: 0, 3: 1000, "m": 2000, 4: 3000}[flag]

    def turn(at, kind):
        struct.pack_into("<I", body, at, kind + plus)
    turn(1, kind)
    if kind > 3:
        at = 9
        for part in parts:
            turn(at + 1, kind - 3)
            at += len(wkb_body(kind - 3, flag, part))
    return bytes(body)


WHOLE = [PostGIS, SQLite, GeoPackage]
# Each pair goes both ways within its test: so one direction with each system's codes is enough
CASES = [*((source, target, ESRI_FEET) for i, source in enumerate(WHOLE) for target in WHOLE[i + 1:]),
         *((source, target, FEET) for i, target in enumerate(WHOLE) for source in [*WHOLE[i + 1:], Shapefile]),
         *((GeoJSON, other, DEGREES) for other in WHOLE), *((other, GeoJSON, DEGREES) for other in WHOLE)]


@pytest.fixture(scope="module")
def server():
    if not POSTGIS.exists():
        pytest.skip("PostGIS is not installed")
    one = Server("fsync=off")
    one.database("gis")
    one.sql("create extension postgis", database="gis")
    yield one
    one.remove()


def move(folder, source, target, rows):
    """What the target then has to have; the others have their finding, of the geometry."""
    lost = {name for name in rows if target.lacks(name)}
    place = Place(folder, {"one": source.system(), "two": target.system() | {"access": "write"}}, f"""\
pair: pair
source: one
target: two
guards: {{max_changes: 100%, max_errors: 100}}
entities:
  shape:
    from: {source.table}
    to: {target.table}
    key: {{name: name}}
    fields:
      {target.column}: {{from: {source.column}, type: geometry{', srid: "EPSG:4326"' if source.srid == DEGREES else ''}}}
""")
    operation = place.run(expect=QUARANTINED if lost else OK, allow=["first_write"])
    held = {json.loads(text)["name"]: {finding["field"] for finding in json.loads(findings)}
            for text, findings in place.rows("pairs/pair.db", "select source, findings from quarantine")}
    assert held == {name: {target.column} for name in lost}
    assert place.result(operation)["shape"] == (len(rows), len(rows) - len(lost), 0, 0, 0, len(lost))
    operation = place.run(expect=QUARANTINED if lost else OK)
    assert place.result(operation)["shape"][1:5] == (0, 0, 0, len(rows) - len(lost))
    return {name: shape for name, shape in rows.items() if name not in lost}


def assert_same(found, rows, srid):
    assert found.keys() == rows.keys()
    for name, shape in rows.items():
        expected = None if shape is None else (srid, (shape[0], shape[1], floats(shape[2])))
        assert plain(found[name]) == plain(expected), name


def floats(parts):
    return float(parts) if isinstance(parts, (int, float)) else None if parts is None else [floats(part) for part in parts]


@pytest.mark.parametrize(("source_kind", "target_kind", "srid"), CASES, ids=lambda one: getattr(one, "name", str(one)))
def test_geometries_there_and_back(tmp_path, server, source_kind, target_kind, srid):
    source, target = source_kind(tmp_path / "one", srid, server), target_kind(tmp_path / "two", srid, server)
    rows = {name: shape for name, shape in SHAPES.items() if not source.lacks(name) and name in getattr(source, "names", SHAPES)}
    source.load(rows)
    rows = move(tmp_path / "there", source, target, rows)
    assert_same(target.dump(), rows, srid)
    if source.target:
        back = source_kind(tmp_path / "again", srid, server)
        assert move(tmp_path / "back", target, back, rows) == rows
        assert_same(back.dump(), rows, srid)
