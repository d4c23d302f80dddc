# SPDX-License-Identifier: Apache-2.0
"""Connectors beyond plain files and PostgreSQL, in the worker's own unit: modules are loaded, and drivers, data files and folders are within reach.

What the sandbox forbids shows here only: other tests start workers without it."""
import pytest

from machine import wait

PLACE = "/srv/modules"
SYSTEMS = f"""\
systems:
  m_sqlite: {{kind: odbc, connection: "Driver=SQLite3;Database={PLACE}/permits.db;NoWCHAR=0"}}
  m_copy: {{kind: sqlite, path: {PLACE}/copy.db, access: write}}
  m_gpkg: {{kind: ogr, path: {PLACE}/gis/roads.gpkg}}
  m_geojson: {{kind: ogr, path: {PLACE}/out, access: write}}
  m_json: {{kind: rest, protocol: json, url: "http://127.0.0.1:8099", tables: {{permits: {{path: /permits.json, records: /items}}}}}}
"""
PERMIT = """\
pair: {pair}
source: {source}
target: m_copy
entities:
  permit:
    from: permits
    to: {table}
    key: {{permit_no: permit_no}}
    deletes: mirror
    fields:
      fee: {{from: fee, type: "decimal(10,2)"}}
"""
ROADS = """\
pair: m_roads
source: m_gpkg
target: m_geojson
entities:
  road:
    from: roads
    to: roads.geojson
    key: {road_no: {from: road_no, type: integer}}
    deletes: mirror
    fields:
      name: name
      geometry: {from: geom, type: geometry, srid: "EPSG:4326"}
"""
ROADS_CSV = 'road_no,name,wkt\n1,Elm,"POINT (1250000 700000)"\n2,Oak,"POINT (1260000 710000)"\n'


@pytest.fixture(scope="module")
def modules(machine):
    for package in ("odbcinst", "gdal-bin", "libsqliteodbc"):
        if machine.run("dpkg", "-s", package, check=False).returncode != 0:
            pytest.skip(f"{package} is not installed")
    machine.run("install", "-d", "-o", "terrafusion", "-g", "terrafusion", PLACE, f"{PLACE}/gis", f"{PLACE}/out")
    machine.run("tee", f"{PLACE}/roads.csv", text=ROADS_CSV)
    machine.run("tee", f"{PLACE}/permits.json", text='{"items": [{"permit_no": "A1", "fee": 0.10}, {"permit_no": "A2", "fee": 12345678.90}]}')
    machine.as_service("sqlite3", f"{PLACE}/permits.db", "create table permits (permit_no varchar(10) primary key, fee text);"
                       "insert into permits values ('B1', '1.10'), ('B2', '2.20'), ('B3', '3.30')")
    machine.as_service("sqlite3", f"{PLACE}/copy.db", "create table odbc_permit (permit_no text primary key, fee text);"
                       "create table json_permit (permit_no text primary key, fee text)")
    machine.as_service("ogr2ogr", "-f", "GPKG", f"{PLACE}/gis/roads.gpkg", f"{PLACE}/roads.csv", "-oo", "GEOM_POSSIBLE_NAMES=wkt",
                       "-oo", "KEEP_GEOM_COLUMNS=NO", "-oo", "AUTODETECT_TYPE=YES", "-a_srs", "EPSG:2927", "-nln", "roads", "-nlt", "POINT")
    machine.run("systemd-run", "--unit=modules-web", f"--working-directory={PLACE}", "/usr/bin/python3", "-m", "http.server", "8099",
                "--bind", "127.0.0.1")
    files = {"/etc/terrafusion/terrafusion.d/modules.yaml": SYSTEMS, "/etc/terrafusion/mappings/m_roads.yaml": ROADS}
    for pair, source, table in (("m_odbc", "m_sqlite", "odbc_permit"), ("m_rest", "m_json", "json_permit")):
        files[f"/etc/terrafusion/mappings/{pair}.yaml"] = PERMIT.format(pair=pair, source=source, table=table)
    for path, text in files.items():
        machine.run("tee", path, text=text)
    machine.run("systemctl", "reload", "terrafusion-syncd.service")
    unit = "terrafusion-operation@00000000-0000-7000-8000-000000000000.service"
    wait(lambda: f"{PLACE}/out" in machine.show(unit, "ReadWritePaths"), "the workers' drop-in")
    wait(lambda: machine.get("/api/sync/operations?sync_pair_id=m_odbc")[0] == 200, "the pairs to be known")
    yield machine
    machine.run("systemctl", "stop", "modules-web.service", check=False)
    machine.run("rm", "-f", *files)
    machine.run("systemctl", "reload", "terrafusion-syncd.service")
    wait(lambda: PLACE not in machine.show(unit, "ReadWritePaths"), "the workers' drop-in to be as it was")


def ran(machine, pair):
    checked = machine.run("terrafusionctl", "check", pair, check=False)
    done = machine.run("terrafusionctl", "run", pair, "--full", "--wait", check=False)
    assert done.returncode == 0, checked.stdout + checked.stderr + done.stdout + done.stderr
    return checked


def test_odbc_finds_its_driver(modules):
    assert ran(modules, "m_odbc").returncode == 0
    assert modules.sql(f"{PLACE}/copy.db", "select * from odbc_permit order by 1")[2] == {"permit_no": "B3", "fee": "3.30"}


def test_rest(modules):
    assert ran(modules, "m_rest").returncode == 0
    assert modules.sql(f"{PLACE}/copy.db", "select fee from json_permit order by 1") == [{"fee": "0.10"}, {"fee": "12345678.90"}]


def test_ogr_finds_the_data_of_gdal_and_proj(modules):
    """A state plane's feet become degrees, which needs proj.db; both files' folders have to be written to."""
    assert ran(modules, "m_roads").returncode == 0
    text = modules.run("cat", f"{PLACE}/out/roads.geojson").stdout
    assert '"Elm"' in text and '"Oak"' in text and "[-12" in text.replace(" ", ""), text
