# SPDX-License-Identifier: Apache-2.0
"""Polygons of 12 to 40 vertices, in a GeoPackage with a parcel number and an area, into PostGIS.
  geometry-ratio             rate of a first full sync into a table with its primary key and its spatial index, with baseline, journal, checked
                             rings and checkpoint, over ogr2ogr's COPY into a table that it makes, its key and spatial index built after it
  geometry-resync-ratio      rate of a full sync that finds nothing changed, over the same ogr2ogr"""
import pathlib
import shutil
import statistics
import subprocess
import sys

from place import HERE, Place, demand_equal, seconds_of

FIGURES = {
    "geometry-ratio": ("ratio", ">= 1; >= 2.5"),
    "geometry-resync-ratio": ("ratio", ""),
}
SERVER = HERE.parent / "servers/postgresql"
POSTGIS = pathlib.Path("/usr/share/postgresql/15/extension/postgis.control")
TUNING = ["shared_buffers=512MB", "max_wal_size=8GB", "autovacuum=off", "jit=off"]
SETTINGS = """\
systems:
  cad:
    kind: ogr
    path: {path}
  tax:
    kind: postgresql
    access: write
    connection: "{target}"
"""
MAPPING = """\
pair: bench
source: cad
target: tax
guards: {max_errors: 0}
entities:
  parcel:
    from: parcels
    to: parcel
    key: {gid: gid}
    fields:
      apn: apn
      area: {from: area, type: decimal}
      geom: {from: geom, type: geometry, kind: polygon, srid: "EPSG:2278"}
"""
SOURCE = """create table parcels as select g::int as gid, 'R' || g as apn, (g * 1.37)::float8 as area,
    st_setsrid(st_buffer(st_makepoint(3800000 + (g % 400) * 200, 10000000 + (g / 400) * 200), 40 + g % 40, 1 + (g % 9)::int), 2278)::geometry(Polygon, 2278) as geom
    from generate_series(1, {records}) g"""
TARGET = """create table parcel (gid integer primary key, apn text, area double precision, geom geometry(Polygon, 2278))"""
CHECK = "select count(*), sum(gid), round(sum(area)::numeric, 2), round(sum(st_area(geom))::numeric, 2), sum(st_npoints(geom)) from {table}"


class Parcels(Place):
    def __init__(self, folder, records):
        self.records, self.server = records, folder / "server"
        started = subprocess.run([SERVER, "start", self.server, *TUNING], check=True, capture_output=True, text=True)
        self.address = started.stdout.strip() + " dbname=postgres"
        self.path = folder / "parcels.gpkg"
        (folder / "parcel.yaml").write_text(MAPPING)
        super().__init__(folder / "place", SETTINGS.format(path=self.path, target=self.address), folder / "parcel.yaml")
        self.sql("create extension postgis", SOURCE.format(records=records), "alter table parcels add primary key (gid)")
        self.expected = self.sql(CHECK.format(table="parcels"))
        # gid is the layer's number there, as in any GeoPackage
        subprocess.run(["ogr2ogr", "-f", "GPKG", self.path, "PG:" + self.address, "parcels", "-lco", "FID=gid"], check=True)

    def sql(self, *statements):
        command = ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", self.address]
        done = subprocess.run([*command, *[word for one in statements for word in ("-c", one)]], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def first_sync(self):
        self.forget()
        self.sql("drop table if exists parcel", TARGET, "create index on parcel using gist (geom)", "checkpoint")
        result = self.sync()
        demand_equal("what the sync wrote", self.sql(CHECK.format(table="parcel")), self.expected)
        return result

    def ogr2ogr(self):
        self.sql("drop table if exists copied", "checkpoint")
        seconds = seconds_of(["ogr2ogr", "-f", "PostgreSQL", "PG:" + self.address, self.path, "parcels", "-nln", "copied", "-lco", "FID=gid",
                              "-lco", "GEOMETRY_NAME=geom", "--config", "PG_USE_COPY", "YES"])
        demand_equal("what ogr2ogr copied", self.sql(CHECK.format(table="copied")), self.expected)
        return seconds


def measure(names, options):
    if not shutil.which("ogr2ogr") or not POSTGIS.exists():
        options.note("ogr2ogr or PostGIS is not installed: geometry-ratio is left out")
        return
    folder = options.folder / "geometry"
    folder.mkdir()
    place = None
    try:
        place = Parcels(folder, min(options.records, 100_000))
        first, again = [], []
        place.first_sync()      # warm
        for _ in range(options.turns):
            ours, memory = place.first_sync()
            resync, _ = place.sync()
            theirs = place.ogr2ogr()
            options.note(f"first sync {ours:.2f} s ({place.records / ours:,.0f} polygons/s, {memory:.0f} MiB), again {resync:.2f} s; ogr2ogr {theirs:.2f} s")
            first.append(theirs / ours)
            again.append(theirs / resync)
        for name, values in (("geometry-ratio", first), ("geometry-resync-ratio", again)):
            if name in names:
                yield name, statistics.median(values)
    finally:
        if place:
            subprocess.run([SERVER, "stop", place.server], check=False)
        sys.stdout.flush()
