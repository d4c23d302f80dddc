# SPDX-License-Identifier: Apache-2.0
"""Finding what changed: an increment of a pair that is in step, by each strategy, from the start of its worker to its end. The sources are those of
postgresql_copy.py and sqlite_copy.py; what is changed are 100 records (updated, inserted, deleted), spread over the table.
  detect-watermark-s          PostgreSQL, an indexed column of last changes, and the deletes by reading every key (sweep_keys: always)
  detect-stored-ratio         PostgreSQL, strategy full (each record's digest beside the stored one), over the C program that only reads
  detect-bisect-vs-reladiff-N PostgreSQL, strategy digest (sums of ranges of keys, made by the server), over reladiff with two threads
                              between source and target on one server; N changes
  detect-digest-s-N           the same in seconds
  detect-mariadb-s            MariaDB through ODBC, strategy digest, the records of sqlite_copy.py
  detect-sqlite-s             SQLite, strategy digest
  detect-sqlite-ratio         the same over the C program that only reads"""
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import postgresql_copy
import sqlite3
import sqlite_copy
from place import HERE, compile_program, demand_equal, seconds_of

FIGURES = {
    "detect-watermark-s": ("s", "<= 0.6"),
    "detect-stored-ratio": ("ratio", "<= 1.6"),
    "detect-bisect-vs-reladiff": ("ratio", "<= 0.333"),
    "detect-bisect-vs-reladiff-100": ("ratio", "<= 0.167"),
    "detect-digest-s": ("s", ""),
    "detect-mariadb-s": ("s", ""),
    "detect-sqlite-s": ("s", ""),
    "detect-sqlite-ratio": ("ratio", "<= 1"),
}
CHANGES = 100
MARIADB = HERE.parent / "servers/mariadb"
HORIZON_SEC = 2.3       # what is younger waits for the next increment
DETECT = {
    "full": "{strategy: full}",
    "watermark": "{strategy: watermark, column: updated_at, sweep_keys: always}",
    "digest": "{strategy: digest}",
}


def strategy_set(place, strategy):
    """The strategy is part of the mapping: the next run compares everything, and the ones after it are increments."""
    path = place.folder / "etc/mappings/bench.yaml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("    detect:")]
    at = next(i for i, line in enumerate(lines) if line.startswith("    from:"))
    path.write_text("\n".join([*lines[:at + 1], f"    detect: {DETECT[strategy]}", *lines[at + 1:]]) + "\n")


class Changed(postgresql_copy.Assessment):
    """PostgreSQL's source with changes; turn by turn others."""
    turn = 0

    def in_step(self, strategy):
        strategy_set(self, strategy)
        self.sync("incremental")

    def change(self):
        self.turn += 1
        step = self.records // CHANGES
        self.servers.sql("source", f"update assessment set exempt_value = {self.turn}, updated_at = now() where parcel_id % {step} = {self.turn}"
                         f" and parcel_id % {step * 10} <> {self.turn}",
                         f"delete from assessment where parcel_id % {step * 10} = {self.turn}",
                         "insert into assessment select parcel_id + 100000000, parcel_no, owner_name, mail_street, mail_city, mail_state,"
                         " mail_zip, situs, class_code, land_value, building_value, market_value, assessed_value, exempt_value, acres, living_area,"
                         " year_built, bedrooms, deed_date, appraised_on, active, homestead, legal, created_at, now() from assessment"
                         f" where parcel_id % {step * 10} = {self.turn + 1}")
        time.sleep(HORIZON_SEC)

    def increment(self):
        seconds, _ = self.sync("incremental")
        self.expected = self.servers.sql("source", postgresql_copy.CHECK.format(table="assessment"))
        self.check("what the increment left", "bench_assessment")
        return seconds


def measure_watermark(place, options):
    place.servers.sql("source", "create index if not exists assessment_updated on assessment (updated_at)")
    place.in_step("watermark")
    times = []
    for _ in range(options.turns):
        place.change()
        times.append(place.increment())
        options.note(f"watermark and sweep of keys {times[-1]:.2f} s")
    return statistics.median(times)


def measure_stored(place, options):
    program = compile_program(options.folder, "pipe", "-D_GNU_SOURCE", "-I/usr/include/postgresql", "-lpq")
    place.in_step("full")
    ratios = []
    for _ in range(options.turns):
        place.change()
        ours, theirs = place.increment(), place.read(program)
        options.note(f"stored digest {ours:.2f} s; read {theirs:.2f} s")
        ratios.append(ours / theirs)
    return statistics.median(ratios)


def reladiff_program():
    """From PyPI, kept outside the tree. None where it cannot be had."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "terrafusion-tests/reladiff"
    program = cache / "bin/reladiff"
    if not program.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        made = subprocess.run(["python3", "-m", "venv", cache], capture_output=True, check=False).returncode == 0
        if not made or subprocess.run([cache / "bin/pip", "install", "-q", "reladiff[postgresql]"], capture_output=True, check=False).returncode:
            shutil.rmtree(cache, ignore_errors=True)
            return None
    return program


def uri(servers):
    words = dict(word.split("=", 1) for word in servers.address("source").split())
    return f"postgresql://{words['user']}:secret@127.0.0.1:{words['port']}/{words['dbname']}"


def measure_digest(place, names, options):
    compares = any(name.startswith("detect-bisect-vs-reladiff") for name in names)
    program = reladiff_program() if compares else None
    if compares and not program:
        options.note("reladiff cannot be installed: detect-bisect-vs-reladiff is left out")
    for n in (0, CHANGES):
        ours, theirs = [], []
        place.in_step("digest")
        if program:
            place.servers.sql("source", "drop table if exists before", "create table before (like assessment including all)",
                              "insert into before select * from assessment", "analyze before")
        for _ in range(options.turns):
            if n:
                place.change()
            ours.append(place.increment())
            text = f"{n} changes: digest {ours[-1]:.2f} s"
            if program:
                command = [program, uri(place.servers), "before", uri(place.servers), "assessment", "-k", "parcel_id", "-c", "%", "--stats",
                           "--threads", "2"]
                theirs.append(seconds_of(command, stderr=subprocess.DEVNULL))
                text += f"; reladiff {theirs[-1]:.2f} s"
            options.note(text)
        if "detect-digest-s" in names:
            yield f"detect-digest-s-{n}", statistics.median(ours)
        if program:
            yield f"detect-bisect-vs-reladiff-{n}", statistics.median(a / b for a, b in zip(ours, theirs))


def measure_sqlite(place, names, options):
    reader = compile_program(options.folder, "read", "-lsqlite3")
    strategy_set(place, "digest")
    place.first_sync()
    times, ratios = [], []
    for turn in range(options.turns):
        db = sqlite3.connect(place.folder / "pacs.db")
        step = place.records // CHANGES
        db.execute(f"update roll set market = market + 1, assessed_val = assessed_val + 1 where prop_id % {step} = {turn}")
        db.execute(f"delete from roll where prop_id % {step * 10} = {turn + 1}")
        db.commit()
        db.close()
        times.append(place.sync("incremental")[0])
        place.expected = place.sums("pacs.db", "roll")
        demand_equal("what the increment left", place.sums("cama.db", "bench_roll"), place.expected)
        theirs = seconds_of([reader, place.folder / "pacs.db", f"select {sqlite_copy.COLUMNS} from roll"])
        options.note(f"SQLite: digest {times[-1]:.2f} s; read {theirs:.2f} s")
        ratios.append(times[-1] / theirs)
    if "detect-sqlite-s" in names:
        yield "detect-sqlite-s", statistics.median(times)
    if "detect-sqlite-ratio" in names:
        yield "detect-sqlite-ratio", statistics.median(ratios)


class MariadbRoll(sqlite_copy.Roll):
    """The same records at a MariaDB server of the bench's own; the target stays SQLite's."""

    def __init__(self, folder, records):
        super().__init__(folder, records)
        self.server = pathlib.Path(tempfile.mkdtemp(prefix="terrafusion-maria-"))   # its user must get there
        self.server.chmod(0o755)
        started = subprocess.run([MARIADB, "start", self.server], check=True, capture_output=True, text=True).stdout
        parts = dict(word.split("=", 1) for word in started.split() if "=" in word)
        self.client = ["mariadb", "--no-defaults", f"--socket={parts['socket']}", "-u", "root", "-psecret", "-N", "--batch"]
        connection = f"Driver={{MariaDB Unicode}};Server=127.0.0.1;Port={parts['port']};Database=pacs;UID=root;PWD=secret"
        settings = self.folder / "etc/terrafusion.yaml"
        settings.write_text(settings.read_text().replace(f"{{kind: sqlite, path: {self.folder}/pacs.db}}",
                                                         f'{{kind: odbc, connection: "{connection}"}}'))
        self.sql(f"create database pacs; use pacs; create table roll {sqlite_copy.TABLE.replace(' text', ' varchar(80)').replace('strict', '')}")
        rows = subprocess.run(["sqlite3", "-separator", "\t", self.folder / "pacs.db", f"select {sqlite_copy.COLUMNS} from roll"], check=True,
                              capture_output=True).stdout
        (self.folder / "roll.tsv").write_bytes(rows)
        self.sql(f"load data local infile '{self.folder}/roll.tsv' into table pacs.roll ({sqlite_copy.COLUMNS}); analyze table pacs.roll")

    def sql(self, text):
        return subprocess.run([*self.client, "--local-infile=1"], input=text, check=True, capture_output=True, text=True).stdout

    def change(self, turn):
        step = self.records // CHANGES
        for text in (f"update roll set market = market + 1, assessed_val = assessed_val + 1 where prop_id % {step} = {turn}",
                     f"delete from roll where prop_id % {step * 10} = {turn + 1}"):
            db = sqlite3.connect(self.folder / "pacs.db")
            db.execute(text)
            db.commit()
            db.close()
            self.sql("use pacs; " + text)

    def stop(self):
        subprocess.run([MARIADB, "stop", self.server], check=False)
        shutil.rmtree(self.server, ignore_errors=True)


def measure_mariadb(place, options):
    """SQLite's copy of the source, changed likewise, is the second checker."""
    strategy_set(place, "digest")
    place.first_sync()
    times = []
    for turn in range(options.turns):
        place.change(turn)
        times.append(place.sync("incremental")[0])
        demand_equal("what the increment left", place.sums("cama.db", "bench_roll"), place.sums("pacs.db", "roll"))
        options.note(f"MariaDB: digest {times[-1]:.2f} s")
    return statistics.median(times)


def measure(names, options):
    if "detect-mariadb-s" in names:
        place = MariadbRoll(options.folder / "detect-mariadb", options.records)
        try:
            yield "detect-mariadb-s", measure_mariadb(place, options)
        finally:
            place.stop()
    names = [name for name in names if name != "detect-mariadb-s"]
    on_sqlite = {"detect-sqlite-s", "detect-sqlite-ratio"}
    if set(names) - on_sqlite:
        servers = postgresql_copy.Servers(options.folder / "detect")
        try:
            place = Changed(options.folder / "detect", servers, options.records)
            place.first_sync()
            if "detect-watermark-s" in names:
                yield "detect-watermark-s", measure_watermark(place, options)
            if "detect-stored-ratio" in names:
                yield "detect-stored-ratio", measure_stored(place, options)
            if {"detect-bisect-vs-reladiff", "detect-bisect-vs-reladiff-100", "detect-digest-s"} & set(names):
                yield from measure_digest(place, names, options)
        finally:
            servers.stop()
    if on_sqlite & set(names):
        yield from measure_sqlite(sqlite_copy.Roll(options.folder / "detect", options.records), names, options)
