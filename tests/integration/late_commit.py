# SPDX-License-Identifier: Apache-2.0
"""Writers whose transactions are open for up to a minute, and what a watermark makes of them: the workload of test_late_commit.py, a class per
kind of system. A kind says how its transactions begin and end; the rest is the same for all.

Some transactions only begin and write late, some write early and commit late, some are rolled back, some are prepared first. Each written
record has a version and a stamp of its transaction. Beside them runs are made one after the other, and a naive poll asks as most programs do:
stamp > the greatest one seen."""
import pathlib
import random
import shutil
import sqlite3
import subprocess
import threading
import time

import mariadb
from postgresql import OK, TRY_AGAIN, Place, Server

MAPPING = """\
pair: pair
source: one
target: two
guards: {max_changes: 1000000, max_errors: 10}
entities:
  thing:
    from: source
    to: target
    key: {id: id}
    detect: {strategy: watermark, column: stamp}
    deletes: ignore
    fields: {version: version}
"""


class Kind:
    """What is asked of a kind of system. exact: its horizon is proved; else what was missed is found by a sweep (a full run)."""

    name = "a kind"
    exact = True
    naive_misses = False        # must the naive poll miss something here? Then the workload is one that can show a loss
    n_writers = 24
    n_prepare = 0.0             # of transactions
    mapping = MAPPING

    def __init__(self, folder, seconds):
        self.folder, self.seconds = pathlib.Path(folder), seconds
        self.counts = {"committed": 0, "rolled back": 0, "prepared": 0, "longest": 0.0}
        self.lock = threading.Lock()

    def system(self):
        """The source as terrafusion.yaml has it."""
        raise NotImplementedError

    def connect(self):
        """A connection of Python's that begins nothing by itself."""
        raise NotImplementedError

    def close(self):
        pass

    def age(self, r, number):
        """How long a transaction is open: most are short, those of the first writers very long. A horizon must move, too, for a run to find
        anything while others write."""
        if number < 3:
            return r.choices([r.uniform(0, 1), r.uniform(1, 10), r.uniform(10, 60)], [40, 40, 20])[0]
        return r.choices([r.uniform(0, 0.3), r.uniform(0.3, 3)], [75, 25])[0]

    def begin(self, cursor):
        cursor.execute("begin")

    def write(self, cursor, r):
        raise NotImplementedError

    def end(self, cursor, r, name):
        if r.random() < 0.15:
            cursor.execute("rollback")
            self.count("rolled back")
        else:
            cursor.execute("commit")
            self.count("committed")

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] = max(self.counts[what], n) if what == "longest" else self.counts[what] + n

    def naive_poll(self, cursor, last):
        """Rows (id, version, stamp) above the stamp seen last (None: all)."""
        raise NotImplementedError

    def rows(self):
        db = self.connect()
        cursor = db.cursor()
        cursor.execute("select id, version from source")
        found = dict(cursor.fetchall())
        db.close()
        return found


class PostgreSQL(Kind):
    name = "postgresql"
    naive_misses = True
    stamp = "timestamptz not null default now()"
    set_stamp = "now()"

    def __init__(self, folder, seconds):
        super().__init__(folder, seconds)
        self.server = Server("max_connections=60")
        self.server.sql(f"create table source (id bigserial primary key, version integer not null default 0, stamp {self.stamp})",
                        "create index on source (stamp)", "insert into source (version) select 0 from generate_series(1, 200)")

    def close(self):
        self.server.remove()

    def system(self):
        return {"kind": "postgresql", "connection": f"{self.server.address} dbname=postgres"}

    def connect(self):
        import psycopg2     # noqa: PLC0415  (only where it is there)
        db = psycopg2.connect(f"{self.server.address} dbname=postgres")
        db.autocommit = True
        return db

    def begin(self, cursor):
        cursor.execute("begin")
        cursor.execute("select now()")      # now the transaction has a start

    def write(self, cursor, r):
        if r.random() < 0.5:
            cursor.execute(f"insert into source (stamp) values ({self.set_stamp})")
        else:
            cursor.execute(f"update source set version = version + 1, stamp = {self.set_stamp} where id = (select id from source where id >= %s "
                           "order by id limit 1 for update skip locked)", (r.randrange(1, 200),))

    def end(self, cursor, r, name):
        if name.startswith("0-") and r.random() < 0.5:      # one writer only: the horizon stands still while such a transaction is there
            cursor.execute("prepare transaction %s", (name,))
            time.sleep(r.uniform(0, 0.8))
            cursor.execute(r.choice(["commit prepared %s", "rollback prepared %s"]), (name,))
            self.count("prepared")
        else:
            super().end(cursor, r, name)

    def naive_poll(self, cursor, last):
        cursor.execute("select id, version, stamp from source where stamp > %s::timestamptz", (last or "-infinity",))
        return cursor.fetchall()


class PostgreSQLByNumber(PostgreSQL):
    """A trigger stamps with the number of the transaction."""

    name = "postgresql-xid8"
    stamp = "xid8 not null default '0'"
    set_stamp = "default"

    def __init__(self, folder, seconds):
        super().__init__(folder, seconds)
        self.server.sql("create function stamp() returns trigger language plpgsql as $$ begin new.stamp = pg_current_xact_id(); return new; end $$",
                        "create trigger stamp before insert or update on source for each row execute function stamp()",
                        "update source set version = version")

    def naive_poll(self, cursor, last):
        cursor.execute("select id, version, stamp from source where stamp > %s::xid8 order by stamp", (last or "0",))
        return cursor.fetchall()


class SQLite(Kind):
    """One writer at a time; the stamp is made inside of the write transaction, as a trigger makes it."""

    name = "sqlite"
    n_writers = 6

    def __init__(self, folder, seconds):
        super().__init__(folder, seconds)
        self.path = self.folder / "source.db"
        db = sqlite3.connect(self.path)
        db.executescript("pragma journal_mode=wal; create table source (id integer primary key, version integer not null default 0, stamp text not null);"
                         "create index stamps on source (stamp)")
        db.close()

    def system(self):
        return {"kind": "sqlite", "path": str(self.path)}

    def connect(self):
        return sqlite3.connect(self.path, timeout=120, isolation_level=None)

    def age(self, r, number):
        return r.choices([r.uniform(0, 0.05), r.uniform(0.05, 0.5), r.uniform(0.5, self.seconds / 6)], [70, 28, 2])[0]

    def begin(self, cursor):
        cursor.execute("begin immediate")

    def write(self, cursor, r):
        if r.random() < 0.5:
            cursor.execute("insert into source (stamp) values (strftime('%Y-%m-%d %H:%M:%f', 'now'))")
        else:
            cursor.execute("update source set version = version + 1, stamp = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = abs(random()) % 200")

    def naive_poll(self, cursor, last):
        cursor.execute("select id, version, stamp from source where stamp > ?", (last or "",))
        return cursor.fetchall()


class Client:
    """A session of MariaDB's own client, as a connection and its cursor."""

    def __init__(self, server):
        self.process = subprocess.Popen(["mariadb", "--no-defaults", f"--socket={server.socket}", "-u", "root", "-psecret", "-N", "--batch", "-n", "late"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = []

    def cursor(self):
        return self

    def execute(self, text):
        self.process.stdin.write(text + "; select 'the end';\n")
        self.process.stdin.flush()
        self.lines = list(iter(lambda: self.line(), "the end"))

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("MariaDB's client ended")
        return line.rstrip("\n")

    def fetchall(self):
        return [(int(row[0]), int(row[1]), *row[2:]) for row in (line.split("\t") for line in self.lines)]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class MariaDB(Kind):
    """Through ODBC. Each statement stamps with its own start; the horizon is bounded by what the server tells, and a sweep finds the rest."""

    name = "mariadb"
    exact = False
    naive_misses = True
    mapping = MAPPING.replace("column: stamp", "column: stamp, sweep: 1d")

    def __init__(self, folder, seconds):
        super().__init__(folder, seconds)
        self.server = mariadb.Server("default-time-zone=+00:00", "transaction-isolation=READ-COMMITTED")
        self.server.database("late")
        self.server.sql("create table source (id bigint auto_increment primary key, version integer not null default 0,"
                        " stamp timestamp(6) not null default now(6) on update now(6), key (stamp));"
                        "insert into source (id) select seq from seq_1_to_200", "late")

    def close(self):
        self.server.remove()

    def system(self):
        return {"kind": "odbc", "connection": self.server.connection("late")}

    def connect(self):
        return Client(self.server)

    def begin(self, cursor):
        cursor.execute("start transaction")

    def write(self, cursor, r):
        if r.random() < 0.5:
            cursor.execute("insert into source (version) values (0)")
        else:
            cursor.execute(f"set @id = null; select id into @id from source where id >= {r.randrange(1, 200)} order by id limit 1 for update skip locked;"
                           "update source set version = version + 1 where id = @id")

    def naive_poll(self, cursor, last):
        cursor.execute(f"select id, version, stamp from source where stamp > '{last or '1970-01-02'}'")
        return cursor.fetchall()

    def rows(self):
        db = self.connect()
        db.execute("select id, version from source")
        found = dict(db.fetchall())
        db.close()
        return found


KINDS = [PostgreSQL, PostgreSQLByNumber, SQLite, *([MariaDB] if shutil.which("mariadb-install-db") else [])]


class Workload:
    """One kind: its writers, its runs, its naive poll, each in threads of this process."""

    def __init__(self, kind_type, folder, seconds):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.kind = kind_type(folder, seconds)
        self.seconds = seconds
        self.target = folder / "target.db"
        db = sqlite3.connect(self.target)
        db.executescript("pragma journal_mode=wal; create table target (id integer primary key, version integer)")
        db.close()
        self.place = Place(folder, {"one": self.kind.system(), "two": {"kind": "sqlite", "path": str(self.target), "access": "write"}}, self.kind.mapping)
        self.errors, self.threads = [], []
        self.naive, self.n_runs, self.n_busy = {}, 0, 0
        self.writing = True

    def start(self):
        self.place.run("full")
        self.before = len(self.kind.rows())
        self.until = time.monotonic() + self.seconds
        writers = [threading.Thread(target=self.guard, args=(self.write, i)) for i in range(self.kind.n_writers)]
        others = [threading.Thread(target=self.guard, args=(step,)) for step in (self.poll, self.run)]
        self.threads = [*writers, *others]
        for thread in self.threads:
            thread.start()
        threading.Thread(target=self.end_writing, args=(writers,), daemon=True).start()

    def end_writing(self, writers):
        for thread in writers:
            thread.join()
        self.writing = False

    def guard(self, step, *arguments):
        try:
            step(*arguments)
        except Exception as error:  # told by finish(), which no thread can outlive
            self.errors.append(f"{step.__name__}: {type(error).__name__}: {error}")

    def write(self, number):
        r = random.Random(number)
        db = self.kind.connect()
        cursor = db.cursor()
        turn = 0
        while (left := self.until - time.monotonic()) > 0.1:
            age = min(self.kind.age(r, number), left)
            if left > self.seconds * 3 / 4:     # at first short ones only: what they write can be synced while others write
                age = min(age, 0.5)
            idle = age * r.random()
            turn += 1
            self.kind.begin(cursor)
            time.sleep(idle)
            for _ in range(r.randrange(1, 4)):
                self.kind.write(cursor, r)
            time.sleep(age - idle)
            self.kind.end(cursor, r, f"{number}-{turn}")
            self.kind.count("longest", age)
            time.sleep(r.uniform(0, 0.2))
        db.close()

    def poll(self):
        db = self.kind.connect()
        cursor = db.cursor()
        last = None
        while True:
            writing = self.writing
            for key, version, stamp in self.kind.naive_poll(cursor, last):
                self.naive[key] = version
                last = stamp if last is None or not stamp_less(stamp, last) else last
            if not writing:
                break
            time.sleep(0.5)
        db.close()

    def attempt(self, kind="incremental"):
        status = self.place.worker(self.place.insert(kind))
        assert status in (OK, TRY_AGAIN), self.place.stderr
        self.n_runs += status == OK
        self.n_busy += status == TRY_AGAIN
        return status

    def run(self):
        while self.writing:
            self.attempt()
            time.sleep(0.3)

    def finish(self):
        for thread in self.threads:
            thread.join()
        self.early = len(self.held())
        time.sleep(2.2)     # the horizon's margin
        while self.attempt() != OK:
            time.sleep(0.3)

    def sweep(self):
        while self.attempt("full") != OK:
            time.sleep(0.3)

    def held(self):
        db = sqlite3.connect(self.target)
        rows = dict(db.execute("select id, version from target").fetchall())
        db.close()
        return rows

    def missed(self, found):
        return {key: (version, found.get(key)) for key, version in self.kind.rows().items() if found.get(key) != version}


def stamp_less(a, b):
    return int(a) < int(b) if isinstance(a, str) and a.isdigit() else a < b
