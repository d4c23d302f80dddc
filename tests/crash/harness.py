# SPDX-License-Identifier: Apache-2.0
"""A small county, a worker without daemons, and a second checker in plain SQL that shares no code with the engine."""
import json
import os
import pathlib
import re
import shutil
import sqlite3
import struct
import subprocess
import time
import uuid

import stores

TOP = pathlib.Path(os.environ.get("TERRAFUSION_SOURCE", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("TERRAFUSION_BUILD", TOP / "build-tests/plain"))
WORKER = BUILD / "src/worker/terrafusion-worker"
os.environ.setdefault("TERRAFUSION_MODULES", str(BUILD / "src/connect"))

SETTINGS = """\
systems:
  pacs:
    kind: sqlite
    path: {folder}/pacs.db
  cama:
    kind: sqlite
    path: {folder}/cama.db
    access: write
"""

MAPPING = """\
pair: pacs_to_cama
description: A small county for crashes
source: pacs
target: cama
guards:
  max_deletes: 50%
  max_changes: 100%
  max_errors: 100
entities:
  parcel:
    from: property
    to: parcel
    join:
      situs: {from: situs, by: {prop_id: prop_id}, optional: true, watermark: last_update_dt}
    key:
      parcel_number: {from: geo_id, trim: true}
    detect:
      strategy: watermark
      column: last_update_dt
    fields:
      street: situs.street
      use_code:
        from: use_cd
        enum: [R, C, F]
      total_value:
        from: market
        type: "decimal(14,2)"
        minimum: 0
        required: true
  sale:
    from: sale
    to: sale
    depends_on: [parcel]
    key: {sale_id: sale_id}
    fields:
      parcel_number: geo_id
      price:
        from: price
        type: "decimal(14,2)"
        minimum: 1
      sold_on:
        from: sl_dt
        type: date
"""

# Parcels' key is a text that is trimmed, so that their deletes need a sweep of keys; sales' key is what ranges are cut by.
DIGEST_MAPPING = MAPPING.replace("strategy: watermark\n      column: last_update_dt", "strategy: digest").replace(
    "key: {sale_id: sale_id}", "key: {sale_id: sale_id}\n    detect: {strategy: digest}")

SOURCE = """
create table property (prop_id integer primary key, geo_id text, use_cd text, market text, last_update_dt text);
create index property_update on property (last_update_dt);
create table situs (prop_id integer primary key, street text, last_update_dt text);
create table sale (sale_id integer primary key, geo_id text, price text, sl_dt text);
"""
TARGET = """
create table parcel (parcel_number text primary key, street text, use_code text, total_value text) strict;
create table sale (sale_id integer primary key, parcel_number text references parcel, price text, sold_on text) strict;
"""
NOW = "strftime('%Y-%m-%d %H:%M:%f','now')"


def make_source(path, n=240):
    db = sqlite3.connect(path)
    db.executescript("pragma journal_mode=wal;" + SOURCE)
    for i in range(1, n + 1):
        use = "RCF"[i % 3] if i % 40 else "?"
        db.execute(f"insert into property values (?, ?, ?, ?, {NOW})", (i, f"LC-{i:05d}", use, f"{i * 1000}.{i % 100:02d}"))
        if i % 5:
            db.execute(f"insert into situs values (?, ?, {NOW})", (i, f"{i} MAIN ST"))
        if i % 2 and i % 40:
            db.execute("insert into sale values (?, ?, ?, ?)", (i, f"LC-{i:05d}", str(0 if i == 77 else i * 900), "1996-05-0%d" % (i % 9 + 1)))
    db.commit()
    db.close()


def change_source(path):
    """Changes of every kind: updates, inserts, a mended record, a broken one, a joined row, deletes."""
    db = sqlite3.connect(path)
    db.execute(f"update property set market = '1.50', last_update_dt = {NOW} where prop_id % 4 = 1")
    db.execute(f"update property set use_cd = 'R', last_update_dt = {NOW} where prop_id = 40")
    db.execute(f"update property set market = '-5', last_update_dt = {NOW} where prop_id = 3")
    db.execute(f"update situs set street = 'NEW RD', last_update_dt = {NOW} where prop_id % 7 = 0")
    for i in range(1001, 1061):
        db.execute(f"insert into property values (?, ?, 'R', '12.34', {NOW})", (i, f"LC-{i:05d}"))
    db.execute("update sale set price = '5' where sale_id % 10 = 1")
    db.execute("delete from sale where sale_id % 10 = 3")
    db.execute("insert into sale values (2001, 'LC-00001', '7', '1997-01-01')")
    db.commit()
    db.close()


class County:
    """A folder with configuration, state, source and target."""

    def __init__(self, folder, store=None):
        self.folder = pathlib.Path(folder)
        self.store = store or stores.Files(folder)

    @classmethod
    def create(cls, folder, store="sqlite", mapping=MAPPING):
        county = cls(folder, stores.new(store, folder))
        (county.folder / "etc/mappings").mkdir(parents=True)
        make_source(county.folder / "pacs.db")
        db = sqlite3.connect(county.folder / "cama.db")
        db.executescript("pragma journal_mode=wal;" + TARGET)
        db.close()
        (county.folder / "etc/mappings/pacs_to_cama.yaml").write_text(mapping)
        county.configure()
        return county

    def configure(self):
        (self.folder / "etc/terrafusion.yaml").write_text(SETTINGS.format(folder=self.folder))

    def copy(self, folder):
        shutil.copytree(self.folder, folder)
        other = County(folder, self.store.copy(folder))
        other.configure()
        return other

    def remove(self):
        self.store.drop()
        shutil.rmtree(self.folder)

    def environment(self, **more):
        return {**os.environ, "CONFIGURATION_DIRECTORY": str(self.folder / "etc"), "STATE_DIRECTORY": str(self.folder / "state"),
                "RUNTIME_DIRECTORY": str(self.folder / "run"), "TERRAFUSION_SHARE": str(self.folder / "share"),
                "TERRAFUSION_BATCH_RECORDS": "50", "LOG_LEVEL": "warning",
                **self.store.environment(), **more}

    def worker(self, operation, strace=(), **more):
        command = [*strace, str(WORKER), operation]
        return subprocess.run(command, env=self.environment(**more), capture_output=True, text=True, timeout=120)

    def insert_operation(self, kind, pair="pacs_to_cama", parameters=None):
        return insert_operation(self.store, self.environment(), kind, pair, parameters)

    def run(self, kind, expect=(0, 3), **keywords):
        operation = self.insert_operation(kind, **keywords)
        done = self.worker(operation)
        assert done.returncode in expect, done.stderr
        return operation

    def database(self, name):
        return sqlite3.connect(f"file:{self.folder / name}?mode=ro", uri=True)

    def rows(self, name, sql, *arguments):
        if name.startswith("state/"):
            return self.store.rows(name, sql, arguments)
        db = self.database(name)
        try:
            return db.execute(sql, arguments).fetchall()
        finally:
            db.close()


def uuid7():
    """An operation's id: the time first, so that ids sort as they were made."""
    n = (time.time_ns() // 1_000_000) << 80 | uuid.uuid4().int & ((1 << 80) - 1)
    n = n & ~(0xF << 76) | 0x7 << 76
    return str(uuid.UUID(int=n & ~(0x3 << 62) | 0x2 << 62))


def insert_operation(store, environment, kind, pair, parameters=None):
    """Puts a PENDING operation into the store as syncd does; a worker that finds no operation makes the tables first."""
    if isinstance(store, (str, pathlib.Path)):
        store = stores.Files(pathlib.Path(store).parent)
    if not store.exists():
        subprocess.run([str(WORKER), uuid7()], env=environment, capture_output=True, check=False)
    values = {"id": uuid7(), "sync_pair_id": pair, "kind": kind, "status": "PENDING", "created_at": time.time_ns() // 1000,
              "parameters": json.dumps(parameters or {})}
    for name, kind_of_column, is_required in store.columns("state/state.db", "operation"):
        if name not in values and is_required:
            values[name] = 0 if kind_of_column == "integer" else ""
    names = ", ".join(values)
    store.change("state/state.db", f"insert into operation ({names}) values ({', '.join('?' * len(values))})", list(values.values()))
    return values["id"]


# The second checker: what the target must hold, in SQL over the source alone.
EXPECTED_PARCELS = """
select p.geo_id, s.street, p.use_cd, p.market from property p left join situs s on s.prop_id = p.prop_id
 where p.use_cd in ('R', 'C', 'F') and cast(p.market as real) >= 0 order by 1"""
EXPECTED_SALES = "select sale_id, geo_id, price || '.00', sl_dt from sale where cast(price as real) >= 1 order by 1"


def snapshot(county):
    """All that must be equal after any crash, with clocks and numbers of attempts left out."""
    quarantine = county.rows("state/pairs/pacs_to_cama.db", "select entity, hex(key) from quarantine order by 1, 2")
    return {
        "parcel": county.rows("cama.db", "select parcel_number, street, use_code, total_value from parcel order by 1"),
        "sale": county.rows("cama.db", "select sale_id, parcel_number, price, sold_on from sale order by 1"),
        "quarantine": quarantine,
        "baseline": baseline(county),
    }


def unpack_page(packed):
    """(key, source digest, target digest), in hex, of a page of the baseline, read as src/store/baseline-page.h describes them."""
    form, n = struct.unpack_from("<I16xI", packed)
    assert form == 1 and n <= (len(packed) - 24) // 48
    found, begin = [], 0
    for i in range(n):
        end, source, target = struct.unpack_from("<I12x16s16s", packed, 24 + i * 48)
        found.append((packed[24 + n * 48 + begin:24 + n * 48 + end].hex().upper(), source.hex(), target.hex()))
        begin = end
    return found


def baseline(county):
    found = []
    for entity, low, n, packed in county.rows("state/pairs/pacs_to_cama.db",
                                              "select e.name, hex(p.low), p.n_rows, hex(p.body) from baseline_page p"
                                              " join entity e on e.id = p.entity order by e.name, p.low"):
        page = unpack_page(bytes.fromhex(packed))
        assert len(page) == n and sorted(page) == page and (n == 0 or page[0][0] >= low)
        found += [(entity, *row) for row in page]
    assert sorted(found) == found
    return found


def results(county, operation):
    rows = county.rows("state/pairs/pacs_to_cama.db",
                       "select entity, n_read, n_inserted, n_updated, n_deleted, n_unchanged, n_held from result where operation_id = ?",
                       operation)
    return {row[0]: row[1:] for row in rows}


def unpack_entries(packed):
    """(key in hex, kind) of the entries of a journalled batch, read as src/store/journal-pack.h describes them."""
    form, n, keys_size, values_size = struct.unpack_from("<4I", packed)
    assert form == 1 and len(packed) == 32 + n * 41 + keys_size + values_size
    found, begin = [], 0
    for i in range(n):
        kind, end = struct.unpack_from("<BI", packed, 32 + i * 41)
        found.append((packed[32 + n * 41 + begin:32 + n * 41 + end].hex().upper(), kind))
        begin = end
    return found


def journalled(county, operation):
    """(entity, key, kind) of everything the journal says this operation did."""
    found = []
    for journal in county.store.journals():
        for entity, n, packed in county.rows(journal, """
                select n.name, b.n_entries, hex(b.entries) from batch b join entity n on n.id = b.entity
                 where b.operation_id = ? order by b.id""", operation):
            entries = unpack_entries(bytes.fromhex(packed))
            assert len(entries) == n and sorted(entries) == entries
            found += [(entity, *entry) for entry in entries]
    return found


def check(county, operation, undisturbed_results):
    """Counts and journal add up, each effect once, and the same as without a crash."""
    got = results(county, operation)
    assert got == undisturbed_results
    entries = journalled(county, operation)
    assert len(set(entries)) == len(entries), "journalled twice"
    keys = [entry[:2] for entry in entries]
    assert len(set(keys)) == len(keys), "one record journalled twice by one operation"
    for entity, (n_read, n_inserted, n_updated, n_deleted, n_unchanged, n_held) in got.items():
        assert n_read == n_inserted + n_updated + n_unchanged + n_held
        for kind, n in ((1, n_inserted), (2, n_updated), (3, n_deleted)):
            assert sum(1 for e in entries if e[0] == entity and e[2] == kind) == n, (entity, kind)
    status = county.rows("state/state.db", "select status from operation where id = ?", operation)
    assert status == [("COMPLETED",)]


def check_against_source(county, deletes_seen=True):
    """What the checker knows of the mapping, recomputed from the source. Parcels held back keep their earlier values."""
    held = {bytes.fromhex(key) for entity, key in
            county.rows("state/pairs/pacs_to_cama.db", "select entity, hex(key) from quarantine") if entity == "parcel"}
    expected = county.rows("pacs.db", EXPECTED_PARCELS)
    good = {row[0] for row in expected}
    present = county.rows("cama.db", "select parcel_number, street, use_code, total_value from parcel order by 1")
    assert [row for row in present if row[0] in good] == expected
    assert len(present) - len(expected) <= len(held)
    if deletes_seen:
        assert county.rows("cama.db", "select sale_id, parcel_number, price, sold_on from sale order by 1") == \
            county.rows("pacs.db", EXPECTED_SALES)


CALLS = ("pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink", "rename", "openat", "fcntl", "sendto", "sendmsg", "connect")


def count_calls(county, operation):
    """How often the worker makes each call in an undisturbed run: the points at which it can be killed."""
    log = county.folder / "strace.log"
    done = county.worker(operation, ["strace", "-f", "-qq", "-o", str(log), "-e", "trace=" + ",".join(CALLS)])
    assert done.returncode in (0, 3), done.stderr
    counts = {}
    for line in log.read_text().splitlines():
        found = re.match(r"\d+\s+(\w+)\(", line)
        if found:
            counts[found.group(1)] = counts.get(found.group(1), 0) + 1
    return counts


def points(counts, n):
    """n of all points, spread evenly over the calls."""
    every = [(call, k) for call in CALLS for k in range(1, counts.get(call, 0) + 1)]
    step = max(1, len(every) / n)
    return [every[int(i * step)] for i in range(min(n, len(every)))]


def killed_at(call, k):
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={k}"]
