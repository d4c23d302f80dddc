# SPDX-License-Identifier: Apache-2.0
"""A continuous operation under writers whose worker is killed again and again: nothing is lost, nothing is done twice. TERRAFUSION_LOG_SECONDS=600
and TERRAFUSION_LOG_KILL=30 are the long run; without them it is a minute, with more kills."""
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import psycopg2
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import harness  # noqa: E402
from postgresql import TRY_AGAIN, Place, Server  # noqa: E402

SECONDS = float(os.environ.get("TERRAFUSION_LOG_SECONDS", "45"))
KILL = float(os.environ.get("TERRAFUSION_LOG_KILL", "0"))       # every so many seconds; 0: at random within 3

MAPPING = """\
pair: pair
source: one
target: two
guards: {max_deletes: 100000000, max_changes: 100000000, max_errors: 10}
entities:
  owner:
    from: owner
    to: owner
    key: {id: id}
    fields: {name: name}
    detect: {strategy: log}
  parcel:
    from: parcel
    to: parcel
    depends_on: [owner]
    key: {id: id}
    fields: {owner: owner, area: area, note: note}
    detect: {strategy: log}
  posting:
    from: posting
    to: posting
    key: {id: id}
    fields: {amount: amount}
    detect: {strategy: log}
  named:
    from: parcel
    join:
      owner: {from: owner, by: {id: owner}}
    where: "source.area >= 50"
    to: named
    key: {id: id}
    fields: {name: owner.name}
    detect: {strategy: log}
"""
TABLES = """
create table owner (id integer primary key, name text);
create table parcel (id integer primary key, owner integer references owner, area numeric(12,2), note text);
create table posting (id bigint primary key, amount numeric(12,2));
"""
QUERIES = [("select id, name from owner order by 1",) * 2, ("select id, owner, area, note from parcel order by 1",) * 2,
           ("select id, amount from posting order by 1",) * 2,
           ("select p.id, o.name from parcel p join owner o on o.id = p.owner where p.area >= 50 order by 1", "select id, name from named order by 1")]


class Writer(threading.Thread):
    """Transactions of all kinds, also rolled back ones, some hundred changes a second."""

    def __init__(self, address, number, until):
        super().__init__(daemon=True)
        self.address, self.number, self.until = address, number, until
        self.random = random.Random(number)
        self.n_changes, self.failure = 0, None

    def run(self):
        try:
            db = psycopg2.connect(self.address)
            with db.cursor() as cursor:
                while time.monotonic() < self.until:
                    self.transaction(db, cursor)
                    time.sleep(self.random.random() * 0.02)
        except Exception as failure:    # pylint: disable=broad-except
            self.failure = failure

    def transaction(self, db, cursor):
        n = self.random.choice([1, 1, 2, 3, 20])
        try:
            for _ in range(n):
                self.change(cursor)
            if self.random.random() < 0.1:
                db.rollback()
            else:
                db.commit()
                self.n_changes += n
        except psycopg2.Error:          # a writer met another one
            db.rollback()

    def change(self, cursor):
        chance, one, other = self.random.random(), self.random.randint(1, 300), self.random.randint(1, 50)
        if chance < 0.3:
            cursor.execute("insert into posting select nextval('numbers'), random() * 100")
        elif chance < 0.6:
            cursor.execute("update parcel set area = random() * 100, owner = %s where id = %s", (other, one))
        elif chance < 0.7:
            cursor.execute("update parcel set note = repeat(md5(random()::text), 400) where id = %s", (one,))
        elif chance < 0.8:
            cursor.execute("delete from parcel where id = %s", (one,))
        elif chance < 0.9:
            cursor.execute("insert into parcel values (%s, %s, random() * 100, 'new') on conflict (id) do nothing", (one, other))
        elif chance < 0.95:
            cursor.execute("update parcel set id = %s where id = %s and not exists (select 1 from parcel where id = %s)", (one + 1, one, one + 1))
        else:
            cursor.execute("update owner set name = md5(random()::text) where id = %s", (other,))


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.remove()


def differences(server):
    return [one for one, (source, target) in enumerate(QUERIES)
            if server.sql(source, database="one") != server.sql(target, database="two")]


def test_killed_under_writers(server, tmp_path):
    one, two = server.database("one"), server.database("two")
    server.script("one", TABLES + "alter table parcel alter column note set storage external; create sequence numbers;"
                  "insert into owner select i, 'owner' from generate_series(1, 50) i;"
                  "insert into parcel select i, 1 + i % 50, i, 'note' from generate_series(1, 200) i;")
    server.script("two", TABLES + "create table named (id integer primary key, name text);")
    place = Place(tmp_path, {"one": {"kind": "postgresql", "connection": one},
                             "two": {"kind": "postgresql", "connection": two, "access": "write"}}, MAPPING)
    operation = place.insert("continuous")
    until = time.monotonic() + SECONDS
    writers = [Writer(one, number, until) for number in range(3)]
    for writer in writers:
        writer.start()
    chance, n_killed = random.Random(7), 0
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        while True:
            worker = subprocess.Popen([str(harness.WORKER), operation], env=place.environment(), stderr=log)
            try:
                status = worker.wait(max(0.05, min(KILL or chance.random() * 3, until - time.monotonic())))
                assert status == TRY_AGAIN, f"{status}: {place.error(operation)} {(tmp_path / 'log').read_text()[-2000:]}"
            except subprocess.TimeoutExpired:
                pass
            if time.monotonic() >= until:
                break
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            n_killed += 1
        for writer in writers:
            writer.join(10)
            assert not writer.failure
        deadline = time.monotonic() + 60
        while differences(server) and time.monotonic() < deadline:
            time.sleep(0.2)
            assert worker.poll() is None, (tmp_path / "log").read_text()[-2000:]
        assert not differences(server)
        worker.terminate()
        assert worker.wait(20) == TRY_AGAIN
    assert n_killed >= 2
    assert sum(writer.n_changes for writer in writers) > 50 * SECONDS
    check_counts(place, server, operation)
    # An increment after it finds nothing to do, and says so.
    place.more["TERRAFUSION_BATCH_RECORDS"] = "50"
    assert place.result(place.run("incremental"))["posting"][:4] == (0, 0, 0, 0)
    assert not differences(server)
    print(f"{n_killed} kills, {sum(writer.n_changes for writer in writers)} changes")


def check_counts(place, server, operation):
    """Each posting was inserted once, counted once and journalled once."""
    n = int(server.sql("select count(*) from posting", database="one"))
    assert place.result(operation)["posting"][1] == n
    journal = next((place.folder / "state/journals").glob("*.db")).name
    entity = place.rows(f"journals/{journal}", "select id from entity where name = 'posting'")[0][0]
    assert place.rows(f"journals/{journal}", "select sum(n_entries) from batch where entity = ?", entity)[0][0] == n
    assert place.rows("pairs/pair.db", "select count(*) from quarantine")[0][0] == 0
    last = place.rows("pairs/pair.db", "select last_batch from pair")[0][0]
    assert place.rows(f"journals/{journal}", "select max(number) from batch")[0][0] == last
