# SPDX-License-Identifier: Apache-2.0
"""SQLite systems as they are found: read while a writer goes on, on a read-only medium, strict and loose tables, without rowid, views, generated columns,
dates in each of their forms, and values that are of another type than their column."""
import json
import os
import shutil
import sqlite3
import subprocess
import threading

import pytest

from postgresql import CONFIGURATION, OK, QUARANTINED, Place, harness

MAPPING = """\
pair: pair
source: one
target: two
guards: {max_changes: 100%, max_deletes: 100%, max_errors: 1000}
entities:
  thing:
    from: SOURCE
    to: thing
    key: {id: id}
    fields:
FIELDS
"""


def make(path, script):
    db = sqlite3.connect(path)
    db.executescript(script)
    db.commit()
    db.close()


def pair(tmp_path, source, fields, script, target="create table thing (id integer primary key, x text, y text, z text)"):
    make(tmp_path / "one.db", script)
    make(tmp_path / "two.db", target)
    return Place(tmp_path, {"one": {"kind": "sqlite", "path": str(tmp_path / "one.db")},
                            "two": {"kind": "sqlite", "access": "write", "path": str(tmp_path / "two.db")}},
                 MAPPING.replace("SOURCE", source).replace("FIELDS", "\n".join(f"      {name}: {value}" for name, value in fields.items())))


def rows(tmp_path, columns="*"):
    db = sqlite3.connect(tmp_path / "two.db")
    db.text_factory = lambda raw: raw.decode("utf-8")
    found = db.execute(f"select {columns} from thing order by id").fetchall()
    db.close()
    return found


def test_a_text_in_a_number_column_is_a_finding(tmp_path):
    place = pair(tmp_path, "parcel", {"x": "year", "y": '{from: area, type: "decimal(9,2)"}', "z": "note"},
                 "create table parcel (id integer primary key, year integer, area real, note);"
                 "insert into parcel values (1, 2026, 1.5, 'ok'), (17, 'n/a', 2, 'x'), (18, 1999, 'wide', 'y'), (19, null, null, null);")
    operation = place.run(expect=QUARANTINED)
    assert place.result(operation)["thing"] == (4, 2, 0, 0, 0, 2)
    assert rows(tmp_path) == [(1, "2026", "1.50", "ok"), (19, None, None, None)]
    found = [finding for (text,) in place.rows("pairs/pair.db", "select findings from quarantine order by key") for finding in json.loads(text)]
    messages = [finding["message"] for finding in found if finding["rule"] == "storage"]
    assert messages == ["Table 'parcel', rowid 17: column 'year' is declared INTEGER and holds the text 'n/a'.",
                        "Table 'parcel', rowid 18: column 'area' is declared REAL and holds the text 'wide'."]
    make(tmp_path / "one.db", "update parcel set year = 2001 where id = 17; update parcel set area = 0.25 where id = 18")
    place.run()
    assert rows(tmp_path, "id, x, y") == [(1, "2026", "1.50"), (17, "2001", "2.00"), (18, "1999", "0.25"), (19, None, None)]


def test_every_kind_of_table(tmp_path):
    script = ("create table plain (id integer primary key, x text, y integer, z any) strict;"
              "create table bare (id integer, x text, y text generated always as (upper(x)) virtual, z text generated always as (x || '!') stored,"
              " primary key (id)) without rowid;"
              "create view seen as select id, x, y * 2 as y, z from plain where id > 1;"
              "insert into plain values (1, 'a', 9223372036854775807, 'any'), (2, 'b', -5, 7);"
              "insert into bare (id, x) values (1, 'a'), (2, 'é');")
    fields = {"x": "x", "y": "y", "z": "z"}
    expected = {"plain": [(1, "a", "9223372036854775807", "any"), (2, "b", "-5", "7")], "bare": [(1, "a", "A", "a!"), (2, "é", "é", "é!")],
                "seen": [(2, "b", "-10", "7")]}
    for number, (source, found) in enumerate(expected.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        place = pair(folder, source, fields, script)
        place.run()
        assert rows(folder) == found
        assert place.result(place.run())["thing"][1:] == (0, 0, 0, len(found), 0)


def test_dates_of_each_form(tmp_path):
    place = pair(tmp_path, "event", {"x": "{from: stamp, type: timestamp, format: epoch}", "y": '{from: day, type: date, format: ["%Y-%m-%d", julian]}',
                                     "z": "{from: milli, type: timestamp, format: epoch_ms}"},
                 "create table event (id integer primary key, stamp integer, day, milli integer);"
                 "insert into event values (1, 1784116800, '2026-07-15', 1784116800123), (2, -1, 2461236.5, -1), (3, 1e3, null, 0), (4, 'soon', null, 0);")
    operation = place.run(expect=QUARANTINED)
    assert place.result(operation)["thing"] == (4, 3, 0, 0, 0, 1)
    assert rows(tmp_path) == [(1, "2026-07-15 12:00:00", "2026-07-15", "2026-07-15 12:00:00.123000"),
                              (2, "1969-12-31 23:59:59", "2026-07-15", "1969-12-31 23:59:59.999000"),
                              (3, "1970-01-01 00:16:40", None, "1970-01-01 00:00:00")]


def test_values_that_no_other_system_has(tmp_path):
    place = pair(tmp_path, "odd", {"x": "t", "y": '{from: n, type: "decimal(12,2)"}', "z": "b"},
                 "create table odd (id integer primary key, t text, n real, b blob);"
                 "insert into odd values (1, 'a' || char(0) || 'b', 1, null), (2, 'x', 9e999, null), (3, 'y', 0.1 + 0.2, null), (4, 'z', -0.0, x'00ff'),"
                 " (5, cast(x'ff' as text), 2, null), (6, 'ok', 1e9, null);",
                 target="create table thing (id integer primary key, x text, y text, z blob)")
    operation = place.run(expect=QUARANTINED)
    assert place.result(operation)["thing"] == (6, 2, 0, 0, 0, 4)
    assert rows(tmp_path) == [(4, "z", "0.00", b"\x00\xff"), (6, "ok", "1000000000.00", None)]
    held = {int(json.loads(source)["id"]): {finding["field"] for finding in json.loads(findings)}
            for source, findings in place.rows("pairs/pair.db", "select source, findings from quarantine")}
    assert held == {1: {"x"}, 2: {"y"}, 3: {"y"}, 5: {"x"}}


def test_a_writer_goes_on_while_it_is_read(tmp_path):
    """One snapshot: money is moved between two rows in each transaction, and the sum that arrives is always the same."""
    place = pair(tmp_path, "account", {"x": "amount", "y": "pad", "z": "pad"},
                 "pragma journal_mode = wal; create table account (id integer primary key, amount integer, pad text);"
                 "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) insert into account select i, 100, hex(zeroblob(50)) from n;")
    stop, moved = threading.Event(), []

    def move():
        db = sqlite3.connect(tmp_path / "one.db", timeout=30)
        while not stop.is_set():
            with db:
                db.execute("update account set amount = amount - 1 where id = ?", (1 + len(moved) % 10000,))
                db.execute("update account set amount = amount + 1 where id = ?", (20000 - len(moved) % 10000,))
            moved.append(1)
        db.close()

    writer = threading.Thread(target=move)
    writer.start()
    try:
        for _ in range(3):
            before = len(moved)
            place.run()
            assert len(moved) > before
            assert rows(tmp_path, "count(*), sum(cast(x as integer))") == [(20000, 2000000)]
    finally:
        stop.set()
        writer.join()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a read-only medium needs root")
@pytest.mark.parametrize("left_wal", [False, True])
def test_a_read_only_medium(tmp_path, left_wal):
    place = pair(tmp_path, "thing1", {"x": "x"}, "create table other (id integer)")
    (tmp_path / "disc").mkdir()
    make(tmp_path / "disc/a?b#c%20.db", "pragma journal_mode = wal; create table thing1 (id integer primary key, x text); insert into thing1 values (1, 'a')")
    if left_wal:
        db = sqlite3.connect(tmp_path / "disc/a?b#c%20.db")
        db.execute("insert into thing1 values (2, 'b')")
        db.commit()
        shutil.copytree(tmp_path / "disc", tmp_path / "disc2")
        db.close()
        shutil.rmtree(tmp_path / "disc")
        (tmp_path / "disc2").rename(tmp_path / "disc")
        for name in os.listdir(tmp_path / "disc"):
            if name.endswith("-shm"):
                (tmp_path / "disc" / name).unlink()
    place.systems({"one": {"kind": "sqlite", "path": str(tmp_path / "disc/a?b#c%20.db")},
                   "two": {"kind": "sqlite", "access": "write", "path": str(tmp_path / "two.db")}})
    operation = place.insert()
    script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path / "disc"), str(harness.WORKER), operation],
                          env=place.environment(), capture_output=True, text=True, check=False)
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"this machine mounts nothing: {done.stderr}")
    if left_wal:
        assert done.returncode != OK and "-wal" in done.stderr and "Copy the file and its -wal" in done.stderr
        return
    assert done.returncode == OK, done.stderr
    assert rows(tmp_path, "id, x") == [(1, "a")]


def test_a_geopackage_is_for_another_kind(tmp_path):
    place = pair(tmp_path, "parcel", {"x": "name", "y": "{from: geom, type: geometry}"},
                 "create table parcel (id integer primary key, name text, geom blob);"
                 "create table gpkg_geometry_columns (table_name text, column_name text); insert into gpkg_geometry_columns values ('parcel', 'geom');")
    error = place.error(place.run(expect=CONFIGURATION))
    assert "GeoPackage" in error["detail"] and "kind: ogr" in error["remedy"]
