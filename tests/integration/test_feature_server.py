# SPDX-License-Identifier: Apache-2.0
"""An ArcGIS FeatureServer as a source (koop, from npm) and as a target (tests/servers/featureserver): pages that end when the service says so, counts
that are compared, edits with a result for each feature, and what is left of an answer that never came."""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess

import pytest

from postgresql import FAILED, QUARANTINED, Place, harness

SERVERS = pathlib.Path(__file__).resolve().parents[1] / "servers"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "terrafusion-tests/koop"
TRY_AGAIN = 75


class Service:
    def __init__(self, *command, **keywords):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **keywords)
        line = self.process.stdout.readline()
        while line and not line.startswith("port "):
            line = self.process.stdout.readline()
        self.port = int(line.split()[1]) if line else pytest.skip("the service did not start")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def koop_install():
    """Once into a cache outside the tree; a machine that cannot fetch it skips."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    lock = (SERVERS / "koop/package-lock.json").read_bytes()
    if (CACHE / "done").exists() and (CACHE / "done").read_bytes() == lock:
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SERVERS / "koop" / name, CACHE / name)
    for command in (["npm", "ci", "--no-audit", "--no-fund"], ["npm", "rebuild", "farmhash"]):
        if subprocess.run(command, cwd=CACHE, capture_output=True, timeout=300, check=False).returncode != 0:
            pytest.skip("koop cannot be fetched from npm")
    (CACHE / "done").write_bytes(lock)


MAPPING = """\
pair: pair
source: gis
target: cama
guards: {max_errors: 100%, max_changes: 100%, max_deletes: 100%}
entities:
  parcel:
    from: FROM
    to: TO
    key: {KEY}
    fields:
FIELDS
"""


def mapping(source, target, key, fields):
    return MAPPING.replace("FROM", source).replace("TO", target).replace("KEY", key).replace("FIELDS", "".join(f"      {f}\n" for f in fields))


def test_koop_is_read_to_its_end(tmp_path):
    koop_install()
    (tmp_path / "served").mkdir()
    features = [{"type": "Feature", "properties": {"number": i, "apn": f"R{i}", "acres": i / 4, "units": i},
                 "geometry": {"type": "Polygon", "coordinates": [[[i / 1000, 42], [i / 1000, 42.1], [i / 1000 + 0.1, 42.1], [i / 1000, 42]]]}} for i in range(1, 2501)]
    (tmp_path / "served/parcels.geojson").write_text(json.dumps({"type": "FeatureCollection", "metadata": {"idField": "number", "maxRecordCount": 500}, "features": features}))
    shutil.copy(SERVERS / "koop/serve.js", CACHE / "serve.js")
    service = Service("node", CACHE / "serve.js", "served", cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        db = sqlite3.connect(tmp_path / "cama.db")
        db.execute("create table parcel (apn text primary key, acres text, units integer, shape blob) strict")
        url = f"http://127.0.0.1:{service.port}/file-geojson/rest/services/parcels/FeatureServer"
        p = Place(tmp_path, {"gis": {"kind": "ogr", "url": url}, "cama": {"kind": "sqlite", "path": str(tmp_path / "cama.db"), "access": "write"}},
                  mapping("0", "parcel", "apn: apn", ['acres: {from: acres, type: "decimal(14,2)"}', "units: {from: units, type: integer}",
                                                     'shape: {from: geometry, type: geometry, kind: polygon, srid: "EPSG:4326"}']))
        assert p.result(p.run())["parcel"] == (2500, 2500, 0, 0, 0, 0)
        assert db.execute("select count(*), sum(units), min(length(shape)), substr(hex(min(shape)), 1, 18) from parcel").fetchone() == (
            2500, 2500 * 2501 // 2, 4 * 16 + 17, "0103000020E6100000")
        assert db.execute("select acres from parcel where apn = 'R7'").fetchone() == ("1.75",)
        assert p.result(p.run())["parcel"] == (2500, 0, 0, 0, 2500, 0)
        del features[7:9]
        features[0]["properties"]["units"] = 99
        (tmp_path / "served/parcels.geojson").write_text(json.dumps({"type": "FeatureCollection", "metadata": {"idField": "number", "maxRecordCount": 500}, "features": features}))
        assert p.result(p.run())["parcel"][2:4] == (1, 2)
    finally:
        service.stop()


@pytest.fixture
def service(tmp_path):
    service = Service(SERVERS / "featureserver", tmp_path / "features.db")
    yield service
    service.stop()


def control(tmp_path, *names):
    db = sqlite3.connect(tmp_path / "features.db", isolation_level=None)
    db.execute("delete from control")
    for name in names:
        db.execute("insert into control values (?, ?)", name if isinstance(name, tuple) else (name, "1"))
    db.close()


def system(service, **more):
    return {"kind": "ogr", "url": f"http://127.0.0.1:{service.port}/arcgis/rest/services/cama/FeatureServer", **more}


def target_place(tmp_path, service, n=450):
    db = sqlite3.connect(tmp_path / "gis.db", isolation_level=None)
    db.execute("create table parcels (apn text primary key, acres text, units integer, edited text, geom blob)")
    import struct
    db.execute("begin")
    db.executemany("insert into parcels values (?, ?, ?, ?, ?)", [
        (f"R'{i}", f"{i}.25", i, "2024-02-29 12:00:00.%03d" % (i % 1000), struct.pack("<BIII8d", 1, 3, 1, 4, i, 0, i, 9, i + 9, 9, i, 0)) for i in range(1, n + 1)])
    db.execute("commit")
    p = Place(tmp_path, {"gis": {"kind": "sqlite", "path": str(tmp_path / "gis.db")}, "cama": system(service, access="write")},
              mapping("parcels", "parcels", "PARCELID: apn", ['ACRES: {from: acres, type: "decimal(14,2)"}', "UNITS: {from: units, type: integer}",
                                                             "EDITED: {from: edited, type: timestamp}",
                                                             'geometry: {from: geom, type: geometry, kind: polygon, srid: "EPSG:3857"}']))
    return p, db


def features(tmp_path):
    db = sqlite3.connect(tmp_path / "features.db")
    rows = {row[0]: row[1:] for row in db.execute("select PARCELID, ACRES, UNITS, EDITED, geometry, GlobalID from f")}
    db.close()
    return rows


def test_edits_have_a_result_each(tmp_path, service):
    p, db = target_place(tmp_path, service)
    db.execute("update parcels set acres = '-1' where apn in ('R''7', 'R''300')")
    db.execute("update parcels set edited = '2024-01-01 00:00:00.123456' where apn = 'R''8'")
    assert p.result(p.run(expect=QUARANTINED))["parcel"] == (450, 447, 0, 0, 0, 3)
    there = features(tmp_path)
    assert len(there) == 447 and there["R'9"][:3] == (9.25, 9, 1709208000009) and len({row[4] for row in there.values()}) == 447
    assert json.loads(there["R'9"][3])["rings"] == [[[9, 0], [9, 9], [18, 9], [9, 0]]] and json.loads(there["R'9"][3])["spatialReference"] == {"wkid": 3857}
    db.execute("update parcels set acres = '7.5' where apn in ('R''7', 'R''10')")
    db.execute("update parcels set edited = null where apn = 'R''8'")
    db.execute("delete from parcels where apn in ('R''11', 'R''12')")
    assert p.result(p.run(expect=QUARANTINED))["parcel"] == (448, 2, 1, 2, 444, 1)
    there = features(tmp_path)
    assert len(there) == 447 and there["R'7"][0] == there["R'10"][0] == 7.5 and "R'11" not in there
    # read back by the same connector, page by page, and nothing to do
    back = Place(tmp_path / "back", {}, mapping("parcels", "parcel", "apn: PARCELID", ["units: {from: UNITS, type: integer}"])) if (tmp_path / "back").mkdir() is None else None
    sqlite3.connect(tmp_path / "back.db").execute("create table parcel (apn text primary key, units integer) strict")
    back.systems({"gis": system(service), "cama": {"kind": "sqlite", "path": str(tmp_path / "back.db"), "access": "write"}})
    assert back.result(back.run())["parcel"] == (447, 447, 0, 0, 0, 0)


def test_an_answer_that_never_comes_doubles_nothing(tmp_path, service):
    p, db = target_place(tmp_path, service, 150)
    p.run()
    db.execute("update parcels set units = units + 1000 where apn < 'R''2'")
    db.execute("insert into parcels select apn || 'x', acres, units, edited, geom from parcels limit 40")
    control(tmp_path, "cut")
    operation = p.insert()
    assert p.worker(operation) == TRY_AGAIN, p.stderr
    assert p.worker(operation) == 0, p.stderr
    assert "interrupted batch" in p.stderr
    there = features(tmp_path)
    assert len(there) == 190 == len({row[4] for row in there.values()})
    n_updated = sum(row[1] > 1000 for row in there.values())
    result = p.result(operation)["parcel"]
    assert result[0] == 190 and result[1] == 40 and result[2] + result[1] + result[4] == 190 and n_updated >= result[2] > 0
    assert p.result(p.run())["parcel"] == (190, 0, 0, 0, 190, 0)


@pytest.mark.parametrize("fault,status,words", [
    ("lies", TRY_AGAIN, "says that it has 250"), ("same page", FAILED, "in the order of OBJECTID"), ("error", FAILED, "error 498"),
    ("html", FAILED, "Under maintenance")])
def test_services_that_fail(tmp_path, service, fault, status, words):
    db = sqlite3.connect(tmp_path / "features.db", isolation_level=None)
    db.executemany("insert into f (PARCELID, UNITS) values (?, ?)", [(f"R{i}", i) for i in range(250)])
    control(tmp_path, fault)
    (tmp_path / "there").mkdir()
    p = Place(tmp_path / "there", {}, mapping("0", "parcel", "apn: PARCELID", ["units: {from: UNITS, type: integer}"]))
    sqlite3.connect(tmp_path / "there.db").execute("create table parcel (apn text primary key, units integer) strict")
    p.systems({"gis": system(service), "cama": {"kind": "sqlite", "path": str(tmp_path / "there.db"), "access": "write"}})
    operation = p.insert()
    assert p.worker(operation) == status, p.stderr
    error = p.error(operation)
    assert words in error["detail"] and error["remedy"], error
    control(tmp_path)
    p.worker(operation)
    assert p.result(p.run())["parcel"][0] == 250
