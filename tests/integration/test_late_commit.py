# SPDX-License-Identifier: Apache-2.0
"""Late commits: no record is missed by a watermark, whose horizon is proved. The same minute of transactions for each kind of system at once (late_commit.py; for
TERRAFUSION_LATE_SECONDS, 60; the deep group takes ten minutes). A naive poll in the same test misses records, so the test can fail. Where a horizon cannot be
proved it is refused, with the reason; where somebody holds it back that is told; where a clock steps back nothing is lost."""
import os
import sqlite3
import subprocess
import time

import late_commit
import pytest

from postgresql import FAILED, Place, Server

pytest.importorskip("psycopg2")
SECONDS = float(os.environ.get("TERRAFUSION_LATE_SECONDS", "60"))


@pytest.fixture(scope="module")
def workloads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("late")
    all_of_them = {kind.name: late_commit.Workload(kind, folder / kind.name, SECONDS) for kind in late_commit.KINDS}
    try:
        for one in all_of_them.values():
            one.start()
        for one in all_of_them.values():
            one.finish()
        yield all_of_them
    finally:
        for one in all_of_them.values():
            one.until = 0
            for thread in one.threads:
                thread.join()
            one.kind.close()


@pytest.mark.parametrize("name", [kind.name for kind in late_commit.KINDS])
def test_no_late_commit_is_missed(workloads, name, capsys):
    one = workloads[name]
    assert not one.errors, "\n".join(one.errors)
    missed, naive = one.missed(one.held()), one.missed(one.naive)
    with capsys.disabled():
        print(f"\n{name}: {len(one.kind.rows())} records, {one.kind.counts}; {one.n_runs} runs, {one.n_busy} put off; missed {len(missed)}, "
              f"by a naive poll {len(naive)}")
    # It was worth it: much was written, and some of it was synced while others still wrote.
    assert one.kind.counts["committed"] > 20 and one.n_runs > 5
    assert one.early > one.before + 10
    if not one.kind.exact:
        one.sweep()
        missed = one.missed(one.held())
    assert not missed
    assert naive or not one.kind.naive_misses, "the naive poll missed nothing: the workload shows nothing"


def watermark_place(folder, server, database, stamp="timestamptz default now()", **environment):
    address = server.database(database)
    server.sql(f"create table source (id integer primary key, version integer default 0, stamp {stamp})", "create index on source (stamp)",
               "insert into source (id) select generate_series(1, 1000)", database=database)
    db = sqlite3.connect(folder / "target.db")
    db.execute("create table target (id integer primary key, version integer)")
    db.commit()
    db.close()
    return Place(folder, {"one": {"kind": "postgresql", "connection": address},
                          "two": {"kind": "sqlite", "path": str(folder / "target.db"), "access": "write"}}, late_commit.MAPPING, **environment)


def versions(folder):
    db = sqlite3.connect(folder / "target.db")
    found = db.execute("select count(*), sum(version) from target").fetchone()
    db.close()
    return found


def test_a_standby_is_refused_and_full_works_there(tmp_path):
    """Whoever writes at the primary is not seen on a standby. What does not rest on that works."""
    primary = Server()
    standby = None
    try:
        watermark_place(tmp_path, primary, "county")
        standby = Server(standby_of=primary)
        place = Place(tmp_path, {"one": {"kind": "postgresql", "connection": f"{standby.address} dbname=county"},
                                 "two": {"kind": "sqlite", "path": str(tmp_path / "target.db"), "access": "write"}}, late_commit.MAPPING)
        for kind in ("check", "incremental"):
            operation = place.insert(kind)
            assert place.worker(operation) == FAILED
            error = place.error(operation)
            assert "replica, which does not see the sessions that write" in error["detail"] and "primary" in error["remedy"]
        place.mapping(late_commit.MAPPING.replace("strategy: watermark, column: stamp", "strategy: full"))
        place.run()
        primary.sql("update source set version = 1 where id <= 10", database="county")
        while standby.sql("select sum(version) from source", database="county") != "10":
            time.sleep(0.05)
        place.run("incremental")
        assert versions(tmp_path) == (1000, 10)
    finally:
        if standby:
            standby.remove()
        primary.remove()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.remove()


def test_numbers_of_transactions_need_no_rights(server, tmp_path):
    """A column of type xid8: no clock, no sight of others' sessions; a prepared transaction holds back its own records, and nothing is put off."""
    place = watermark_place(tmp_path, server, "numbers", "xid8")
    server.sql("create role plain login", "grant pg_read_all_stats to postgres")
    server.sql("create function stamp() returns trigger language plpgsql as $$ begin new.stamp = pg_current_xact_id(); return new; end $$",
               "create trigger stamp before insert or update on source for each row execute function stamp()", "update source set version = 0",
               "grant select on source to plain", database="numbers")
    place.systems({"one": {"kind": "postgresql", "connection": f"{server.address} dbname=numbers".replace("user=postgres", "user=plain")},
                   "two": {"kind": "sqlite", "path": str(tmp_path / "target.db"), "access": "write"}})
    place.run("incremental")
    assert versions(tmp_path) == (1000, 0)
    server.sql("begin; update source set version = 5 where id = 1; prepare transaction 'late'", database="numbers")
    server.sql("update source set version = 1 where id = 2", database="numbers")
    place.run("incremental")
    assert versions(tmp_path) == (1000, 0)      # of a later number than one that may still be committed
    server.sql("commit prepared 'late'", database="numbers")
    assert place.result(place.run("incremental"))["thing"][0] == 2
    assert versions(tmp_path) == (1000, 6)
    # Asked for the last hours, of which a number knows nothing, it reads all.
    assert place.result(place.run("incremental", hours=1))["thing"][0] == 1000


def test_who_holds_the_horizon_is_named(server, tmp_path):
    place = watermark_place(tmp_path, server, "holder", TERRAFUSION_HORIZON_HELD_SEC="1")
    place.run("incremental")
    assert "has a transaction open since then" not in place.stderr
    holder = subprocess.Popen(["psql", "-qXAt", f"{server.address} dbname=holder application_name=month_end"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdin.write("begin; select pg_backend_pid();\n")
    holder.stdin.flush()
    pid = holder.stdout.readline().strip()
    time.sleep(1.2)
    place.run("incremental")
    assert "level=warning" in place.stderr and f"session {pid} of postgres (month_end, idle in transaction) has a transaction open" in place.stderr
    holder.communicate("rollback;\n", timeout=10)
    place.run("incremental")
    assert "has a transaction open since then" not in place.stderr


def test_hours_reach_back(server, tmp_path):
    place = watermark_place(tmp_path, server, "hours")
    server.sql("update source set stamp = now() - id * interval '1 minute'", database="hours")
    place.run("incremental")
    time.sleep(0.1)
    assert place.result(place.run("incremental"))["thing"][0] == 0
    # Half a day more than asked for: the stamps of a timestamp column may be of any zone.
    assert place.result(place.run("incremental", hours=2))["thing"][0] == 839


def test_a_clock_that_steps_back(server, tmp_path):
    """What the source stamps after the step lies below what was read: a run that only looked above it would never find it."""
    place = watermark_place(tmp_path, server, "clock")
    place.run("incremental")
    # The clock ran an hour ahead when the last run was made: this is what it left.
    db = sqlite3.connect(tmp_path / "state/pairs/pair.db")
    low = bytes.fromhex(db.execute("select low from entity").fetchone()[0])
    number = sum((byte & 127) << 7 * i for i, byte in enumerate(low[1:]))       # type, then µs since 1970, doubled (zigzag), 7 bits a byte
    assert abs(number / 2e6 - time.time()) < 60
    number += 2 * 3600 * 1000000
    ahead = low[:1] + bytes((number >> 7 * i & 127) | (128 if number >> 7 * (i + 1) else 0) for i in range((number.bit_length() + 6) // 7))
    db.execute("update entity set low = ?", (ahead.hex(),))
    db.commit()
    db.close()
    server.sql("update source set version = 3, stamp = now() where id <= 7", database="clock")
    time.sleep(2.2)
    result = place.result(place.run("incremental"))["thing"]
    assert "went back behind what was read of thing" in place.stderr
    assert result == (1000, 0, 7, 0, 993, 0) and versions(tmp_path) == (1000, 21)
    assert place.result(place.run("incremental"))["thing"][0] == 0
