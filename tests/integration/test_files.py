# SPDX-License-Identifier: Apache-2.0
"""Files as systems: PACS's appraisal export by the shipped layout into PostgreSQL and SQLite with exact money, lengths that differ between years,
CSV files of several dialects, files that are cut off or still written, and a CSV target whose writer is killed."""
import decimal
import os
import pathlib
import random
import sqlite3
import subprocess
import time

import pytest

from postgresql import CONFIGURATION, FAILED, GUARD, OK, TRY_AGAIN, Place, Server, harness

TOP = pathlib.Path(os.environ.get("TERRAFUSION_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
LAYOUT = TOP / "mappings/layouts/pacs-appraisal-export.yaml"
MAPPING = """\
pair: pair
source: export
target: roll
guards: {max_changes: 100%, max_deletes: 100%, max_errors: 10}
entities:
  land:
    from: appraisal_land_detail
    to: land
    key: {prop_id: prop_id, prop_val_yr: prop_val_yr, land_seg_id: land_seg_id}
    fields:
      land_type_cd: {from: land_type_cd, type: text}
      description: {from: land_type_desc, type: text}
      value: {from: land_seg_mkt_val, type: "decimal(14,2)"}
      acres: {from: size_acres, type: "decimal(14,4)"}
  owner:
    from: appraisal_info
    to: owner
    key: {prop_id: prop_id, prop_val_yr: prop_val_yr}
    fields:
      geo_id: {from: geo_id, type: text}
      name: {from: py_owner_name, type: text}
      market: {from: market_value, type: "decimal(14,2)"}
      deed_on: {from: deed_dt, type: date}
      acres: {from: land_acres, type: "decimal(18,4)"}
  tax:
    from: appraisal_entity_info
    to: tax
    key: {prop_id: prop_id, prop_val_yr: prop_val_yr, entity_id: entity_id}
    fields:
      code: {from: entity_cd, type: text}
      assessed: {from: assessed_val, type: "decimal(14,2)"}
      taxable: {from: taxable_val, type: "decimal(14,2)"}
"""
TABLES = {
    "land": "prop_id bigint, prop_val_yr integer, land_seg_id bigint, land_type_cd text, description text, value {n142}, acres {n144}, "
            "primary key (prop_id, prop_val_yr, land_seg_id)",
    "owner": "prop_id bigint, prop_val_yr integer, geo_id text, name text, market {n142}, deed_on {date}, acres {n184}, "
             "primary key (prop_id, prop_val_yr)",
    "tax": "prop_id bigint, prop_val_yr integer, entity_id bigint, code text, assessed {n142}, taxable {n142}, "
           "primary key (prop_id, prop_val_yr, entity_id)",
}


def record(length, *fields):
    """One record: each field is (from, to, text), numbers filled with zeros as the export does."""
    line = [" "] * length
    for begin, end, value in fields:
        text = str(value).zfill(end - begin) if isinstance(value, int) else str(value).ljust(end - begin)
        assert len(text) == end - begin, (begin, end, value)
        line[begin:end] = text
    return ("".join(line) + "\r\n").encode("latin-1")


def export(folder, r, n=300, entity_length=2750):
    """A made-up export; gives what has to arrive."""
    folder.mkdir(exist_ok=True)
    land, info, entity = [], [], []
    expected = {"land": [], "owner": [], "tax": []}
    for number in range(1, n + 1):
        cents, acres = r.randrange(10**13), r.randrange(10**6)
        kind, words = r.choice(["A1", "D2", ""]), r.choice(["Single family", "Müller's façade", ""])
        land.append(record(199, (0, 12, number), (12, 16, 2026), (16, 28, 1), (28, 38, kind), (38, 63, words), (140, 154, cents), (170, 184, acres)))
        expected["land"].append((number, 2026, 1, kind or None, words or None, decimal.Decimal(cents).scaleb(-2), decimal.Decimal(acres).scaleb(-4)))
        market, day, name = r.randrange(10**12), f"{r.randrange(1, 13):02}{r.randrange(1, 29):02}{r.randrange(1900, 2027)}", f"OWNER  {number} & Søn"
        info.append(record(9247, (0, 12, number), (17, 22, 2026), (22, 34, 0), (546, 596, f"R{number:06}"), (608, 678, name), (2033, 2058, day),
                           (2771, 2791, acres), (4213, 4227, market)))
        expected["owner"].append((number, 2026, f"R{number:06}", name, decimal.Decimal(market), f"{day[4:]}-{day[:2]}-{day[2:4]}",
                                  decimal.Decimal(acres).scaleb(-4)))
        entity.append(record(entity_length, (0, 12, number), (12, 17, 2026), (41, 53, 7), (53, 63, "CAD"), (148, 163, market), (163, 178, market // 2)))
        expected["tax"].append((number, 2026, 7, "CAD", decimal.Decimal(market), decimal.Decimal(market // 2)))
    for name, lines in (("LAND_DETAIL", land), ("INFO", info), ("ENTITY_INFO", entity)):
        (folder / f"2026-07-15_000123_APPRAISAL_{name}.TXT").write_bytes(b"".join(lines))
    return expected


@pytest.fixture(scope="module")
def server():
    one = Server("fsync=off")
    yield one
    one.remove()


def source(folder):
    return {"kind": "fixed", "path": str(folder), "layout": str(LAYOUT)}


def test_pacs_export_into_postgresql(server, tmp_path):
    expected = export(tmp_path / "export", random.Random(1))
    address = server.database("roll")
    server.script("roll", ";".join(f"create table {name} ({columns.format(n142='numeric(14,2)', n144='numeric(14,4)', n184='numeric(18,4)', date='date')})"
                                   for name, columns in TABLES.items()))
    place = Place(tmp_path, {"export": source(tmp_path / "export"), "roll": {"kind": "postgresql", "access": "write", "connection": address}}, MAPPING)
    place.run()
    for name, rows in expected.items():
        have = server.sql(f"select * from {name} order by 1", database="roll").splitlines()
        assert have == ["|".join("" if value is None else str(value) if not isinstance(value, decimal.Decimal) else format_of(name, i, value)
                                 for i, value in enumerate(row)) for row in rows]
    assert server.sql("select sum(value) from land", database="roll") == str(sum(row[5] for row in expected["land"]))
    again = place.result(place.run())
    assert {name: counts[1:] for name, counts in again.items()} == dict.fromkeys(expected, (0, 0, 0, 300, 0))


def format_of(table, index, value):
    scale = {("land", 5): 2, ("land", 6): 4, ("owner", 4): 2, ("owner", 6): 4}.get((table, index), 2)
    return f"{value:.{scale}f}"


def sqlite_place(tmp_path):
    db = sqlite3.connect(tmp_path / "roll.db")
    for name, columns in TABLES.items():
        db.execute(f"create table {name} ({columns.format(n142='text', n144='text', n184='text', date='text').replace('bigint', 'integer')}) strict")
    db.commit()
    db.close()
    return Place(tmp_path, {"export": source(tmp_path / "export"), "roll": {"kind": "sqlite", "access": "write", "path": str(tmp_path / "roll.db")}}, MAPPING)


def test_pacs_export_into_sqlite(tmp_path):
    expected = export(tmp_path / "export", random.Random(2))
    sqlite_place(tmp_path).run()
    db = sqlite3.connect(tmp_path / "roll.db")
    for name, rows in expected.items():
        have = db.execute(f"select * from {name} order by prop_id").fetchall()
        assert [tuple(format_of(name, i, value) if isinstance(value, decimal.Decimal) else value for i, value in enumerate(row)) for row in rows] == have
    db.close()


def test_another_years_length_stops_before_anything_is_read(tmp_path):
    export(tmp_path / "export", random.Random(3), 50, entity_length=2614)
    place = sqlite_place(tmp_path)
    operation = place.run(expect=FAILED)
    error = place.error(operation)
    assert "has 2614 bytes" in error["detail"] and "says 2750" in error["detail"] and "between years" in error["remedy"]
    assert "_APPRAISAL_ENTITY_INFO.TXT:1" in error["detail"]
    db = sqlite3.connect(tmp_path / "roll.db")
    assert db.execute("select count(*) from tax").fetchone() == (0,)
    db.close()


def test_a_layout_with_mistakes_runs_nothing(tmp_path):
    export(tmp_path / "export", random.Random(4), 5)
    place = sqlite_place(tmp_path)
    (tmp_path / "bad.yaml").write_text("layout: bad\ntables:\n  t: {file: x, record_length: 10, fields: {a: {from: 0, to: 11}}}\n")
    place.systems({"export": source(tmp_path / "export") | {"layout": str(tmp_path / "bad.yaml")},
                   "roll": {"kind": "sqlite", "access": "write", "path": str(tmp_path / "roll.db")}})
    assert place.worker(place.insert()) == CONFIGURATION
    assert "bad.yaml:3:44: There is no such place in the record" in place.stderr


# CSV files.

PARCELS = """\
pair: pair
source: files
target: roll
guards: {max_changes: 100%, max_deletes: 100%, max_errors: 10}
entities:
  parcel:
    from: parcel.csv
    to: parcel
    key: {id: {from: id, type: integer}}
    fields:
      owner: {from: owner, type: text}
      value: {from: value, type: "decimal(14,2)"}
"""


def parcels(tmp_path, **options):
    db = sqlite3.connect(tmp_path / "roll.db")
    db.execute("create table parcel (id integer primary key, owner text, value text) strict")
    db.commit()
    db.close()
    (tmp_path / "files").mkdir()
    return Place(tmp_path, {"files": {"kind": "csv", "path": str(tmp_path / "files"), **options},
                            "roll": {"kind": "sqlite", "access": "write", "path": str(tmp_path / "roll.db")}}, PARCELS)


@pytest.mark.parametrize("text", [
    "id,owner,value\n1,Jörg,1.50\n2,\"A\n\"\"B\"\"\",\n".encode(),
    "\ufeffid;owner;value\r\n1;Jörg;1.50\r\n2;\"A\n\"\"B\"\"\";\r\n".encode(),
    "id\towner\tvalue\n1\tJörg\t1.50\r\n2\t\"A\n\"\"B\"\"\"\t\n".encode("latin-1"),
    "id|owner|value\n1|Jörg|1.50\n2|\"A\n\"\"B\"\"\"|".encode("utf-16"),
    "id;owner;value\n1;Jörg;1.50\n2;'A\n\"B\"';\n".encode("utf-16-be"),
], ids=["plain", "bom-crlf-semicolon", "latin1-tab-mixed", "utf16-bar", "utf16be-apostrophe"])
def test_dialects_give_the_same_records(tmp_path, text):
    place = parcels(tmp_path)
    (tmp_path / "files/parcel.csv").write_bytes(text)
    place.run()
    db = sqlite3.connect(tmp_path / "roll.db")
    assert db.execute("select * from parcel order by id").fetchall() == [(1, "Jörg", "1.50"), (2, "A\n\"B\"", None)]
    db.close()


@pytest.mark.parametrize(("text", "detail", "place_in_file"), [
    (b"id,owner,value\n1,Ada,1\n2,B", "The record has 2 fields, the header 3", (3, 4)),
    (b"id,owner,value\n1,\"Ada,1\n", "A quote is not closed", (2, None)),
    (b"id,owner,value\n1,Ada,1\n" + b"\0" * 512, "The record has 1 fields", (3, 513)),
    (b"id,owner;value\n1,Ada;1\n", 'it may be "," or ";"', (1, None)),
    (b"id,owner,value\n1,M\x81ller,1\n", "encoding cannot be told", (2, None)),
])
def test_bad_files_are_told_with_their_place(tmp_path, text, detail, place_in_file):
    place = parcels(tmp_path)
    (tmp_path / "files/parcel.csv").write_bytes(text)
    error = place.error(place.run(expect=FAILED))
    assert detail in error["detail"] and error["remedy"]
    line, column = place_in_file
    place_text = f"/parcel.csv:{line}" + (f":{column}" if column else "")
    assert place_text in f'{error.get("file")}:{error.get("line")}:{error.get("column")} {error["detail"]}'


def test_a_file_that_is_still_written_is_tried_again(tmp_path):
    place = parcels(tmp_path)
    path = tmp_path / "files/parcel.csv"
    with open(path, "w", encoding="utf-8") as writer:
        writer.write("id,owner,value\n1,Ada,1\n")
        writer.flush()
        operation = place.insert()
        assert place.worker(operation) == TRY_AGAIN
        assert "still being written" in place.error(operation)["detail"]
        writer.write("2,Bob,2\n")
    assert place.worker(operation) == OK
    assert place.result(operation)["parcel"][:2] == (2, 2)


def test_unchanged_content_is_not_read_again_and_deletes_are_found(tmp_path):
    place = parcels(tmp_path)
    path = tmp_path / "files/parcel.csv"
    path.write_text("id,owner,value\n1,Ada,1\n2,Bob,2\n3,Eve,3\n")
    place.run()
    os.utime(path, (1, 1))
    path.with_suffix(".new").write_bytes(path.read_bytes())
    path.with_suffix(".new").rename(path)       # another file of another time with the same content
    assert place.result(place.run("incremental")).get("parcel", (0,) * 6) == (0, 0, 0, 0, 0, 0)
    path.write_text("id,owner,value\n1,Ada,1\n3,Eva,3\n")
    assert place.result(place.run("incremental"))["parcel"] == (2, 0, 1, 1, 1, 0)
    db = sqlite3.connect(tmp_path / "roll.db")
    assert db.execute("select id, owner from parcel order by id").fetchall() == [(1, "Ada"), (3, "Eva")]
    db.close()


def test_an_export_is_read_again_when_it_or_its_layout_changed(tmp_path):
    export(tmp_path / "export", random.Random(6), 30)
    place = sqlite_place(tmp_path)
    place.run()
    assert set(place.result(place.run("incremental")).values()) <= {(0,) * 6}
    path = tmp_path / "export/2026-07-15_000123_APPRAISAL_LAND_DETAIL.TXT"
    path.write_bytes(path.read_bytes()[201:])    # the first record is gone
    found = place.result(place.run("incremental"))
    assert found["land"] == (29, 0, 0, 1, 29, 0)
    assert {name: found[name] for name in found if name != "land"}.items() <= {"owner": (0,) * 6, "tax": (0,) * 6}.items()
    other = tmp_path / "layout.yaml"
    other.write_text(LAYOUT.read_text().replace("decimals: 2}", "decimals: 3}"))
    place.systems({"export": source(tmp_path / "export") | {"layout": str(other)},
                   "roll": {"kind": "sqlite", "access": "write", "path": str(tmp_path / "roll.db")}})
    # A layout that says otherwise is a column of another type, which stops until somebody has looked.
    error = place.error(place.run("incremental", expect=GUARD))
    assert "land_seg_mkt_val" in error["detail"] and "decimal(14,2)" in error["detail"] and "decimal(14,3)" in error["detail"]


# CSV as a target.

EXPORT = PARCELS.replace("source: files\ntarget: roll", "source: roll\ntarget: files").replace("from: parcel.csv\n    to: parcel", "from: parcel\n    to: parcel.csv")


def table(tmp_path, rows):
    db = sqlite3.connect(tmp_path / "roll.db")
    db.execute("delete from parcel")
    db.executemany("insert into parcel values (?, ?, ?)", rows)
    db.commit()
    db.close()


def target(tmp_path):
    place = parcels(tmp_path)
    place.systems({"roll": {"kind": "sqlite", "path": str(tmp_path / "roll.db")},
                   "files": {"kind": "csv", "access": "write", "path": str(tmp_path / "files")}})
    place.mapping(EXPORT)
    return place


def test_increments_change_only_what_changed(tmp_path):
    place = target(tmp_path)
    path = tmp_path / "files/parcel.csv"
    table(tmp_path, [(1, "Ada", "1.50"), (2, "", "2"), (3, None, None)])
    place.run()
    assert path.read_text() == 'id,owner,value\n1,Ada,1.50\n2,"",2.00\n3,,\n'
    path.write_text(path.read_text().replace("value\n", "value,note\n").replace("1.50\n", '1.50,"kept, here"\n').replace("2.00\n", "2.00,\n").replace("3,,\n", "3,,,x\n"))
    table(tmp_path, [(1, "Ada B.", "1.5"), (2, "", "2"), (4, "new", "0.01")])
    operation = place.run()
    assert place.result(operation)["parcel"] == (3, 1, 1, 1, 1, 0)
    assert path.read_text() == 'id,owner,value,note\n1,Ada B.,1.50,"kept, here"\n2,"",2.00,\n4,new,0.01,\n'
    before = path.stat()
    place.run()
    assert path.stat().st_ino == before.st_ino  # nothing changed, nothing written


def kill_once(place, delay):
    """Whether the worker was alive still, and the operation."""
    operation = place.insert()
    worker = subprocess.Popen([str(harness.WORKER), operation], env=place.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    worker.kill()
    return worker.wait() == -9, operation


def test_killed_at_any_moment_the_file_is_whole(tmp_path):
    """Readers see the old file or the new one at every moment; after a run that ends, it is the source's content, once."""
    place = target(tmp_path)
    path = tmp_path / "files/parcel.csv"
    rows = [(number, f"owner {number} " + "x" * 400, f"{number}.25") for number in range(1, 30001)]
    table(tmp_path, rows)
    expected = ["id,owner,value"] + [f"{number},{owner},{value}" for number, owner, value in rows]
    began = time.monotonic()
    place.run()
    duration = time.monotonic() - began
    n_killed, n_partly = 0, 0
    for attempt in range(8):
        place.forget()
        path.unlink()
        killed, operation = kill_once(place, duration * (attempt + 0.5) / 8)
        n_killed += killed
        if path.exists():
            lines = path.read_text().splitlines()
            assert lines == expected[:len(lines)]
            n_partly += 1 < len(lines) < len(expected)
        if not killed or place.rows("state.db", "select status from operation where id = ?", operation)[0][0] == "COMPLETED":
            continue
        assert place.worker(operation) == OK
        assert path.read_text().splitlines() == expected
        assert place.result(operation)["parcel"] == (30000, 30000, 0, 0, 0, 0)
        assert os.listdir(tmp_path / "files") == ["parcel.csv"]
    assert n_killed >= 4 and n_partly >= 1
