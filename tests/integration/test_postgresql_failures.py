# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL that is away, refuses, is full, is read-only or restarts: each a clear line with its remedy, the right class, nothing lost,
and the run completes when the cause is mended. And a horizon that concurrent writers cannot get below."""
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

from postgresql import CONFIGURATION, FAILED, OK, TRY_AGAIN, Place, Server

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
import harness  # noqa: E402  (found by the line above)
import proxy  # noqa: E402  (found by the line above)

SECRET = "canary-5321"
MAPPING = """\
pair: pair
source: one
target: two
guards: {max_deletes: 50%, max_changes: 100%}
entities:
  parcel:
    from: source
    to: target
    key: {id: id}
    fields: {number: number, area: area}
"""
TABLES = ["create table source (id integer primary key, number text, area numeric(10,2))",
          "create table target (like source including all)",
          "insert into source select n, 'P-' || n, n / 100.0 from generate_series(1, 3000) n"]


@pytest.fixture(scope="module")
def server():
    server = Server()
    server.sql(f"create role tester login password '{SECRET}'")
    yield server
    server.remove()


class Case(Place):
    """A source and a target in one database, as the role "tester" over TCP with a password."""

    def __init__(self, server, folder, name, grant=True, **members):
        self.server, self.name = server, name
        self.address = server.database(name)
        server.sql(*TABLES, database=name)
        if grant:
            server.sql("grant select on source, target to tester; grant insert, update, delete on target to tester", database=name)
        super().__init__(folder, {}, MAPPING, TERRAFUSION_BATCH_RECORDS="500")
        self.password(SECRET)
        self.point(server.port, **members)

    def point(self, port, **members):
        connection = f"host=127.0.0.1 port={port} user=tester dbname={self.name}"
        one = {"kind": "postgresql", "connection": connection, "credential": "one-password", **members}
        self.systems({"one": one, "two": {**one, "access": "write"}})

    def password(self, secret):
        (self.folder / "etc/credentials").mkdir(parents=True, exist_ok=True)
        (self.folder / "etc/credentials/one-password").write_text(secret + "\n")

    def fails(self, status, code, *words, operation=None):
        """The error of a run, which has these words; nothing of it tells the secret."""
        operation = operation or self.insert()
        got = self.worker(operation)
        error = self.error(operation)
        assert got == status, (got, error, self.stderr)
        assert error["code"] == code, error
        for word in words:
            assert word in error["detail"] + " " + error["remedy"], error
        assert error["code"] in self.stderr and error["remedy"].rstrip(".").replace('"', '\\"') in self.stderr
        assert SECRET not in self.stderr + json.dumps(error)
        state = self.rows("state.db", "select status from operation where id = ?", operation)[0][0]
        assert state == ("FAILED" if status in (FAILED, CONFIGURATION) else "RUNNING"), state     # syncd makes it wait for its next attempt
        return operation

    def completes(self, operation=None):
        operation = operation or self.insert()
        assert self.worker(operation) == OK, self.stderr
        assert SECRET not in self.stderr
        assert self.server.sql("select count(*), (select count(*) from (table source except table target) d) from target", database=self.name) == "3000|0"
        return operation


def test_wrong_and_missing_password(server, tmp_path):
    case = Case(server, tmp_path, "password")
    case.password("something else")
    case.fails(FAILED, "TF-3002", "SQLSTATE 28P01", "password authentication failed for user \"tester\"", "credential")
    (tmp_path / "etc/credentials/one-password").unlink()
    case.fails(CONFIGURATION, "TF-2000", "\"one-password\" is missing", "/etc/terrafusion/credentials/one-password")
    case.systems({name: {"kind": "postgresql", "access": "write", "connection": f"host=127.0.0.1 port={server.port} user=tester dbname=password"}
                  for name in ("one", "two")})
    case.fails(FAILED, "TF-3002", "SQLSTATE 28P01", "no password supplied")
    case.password(SECRET)
    case.point(server.port)
    case.completes()


def test_no_such_database_and_no_such_host(server, tmp_path):
    case = Case(server, tmp_path, "nowhere")
    connection = f"host=127.0.0.1 port={server.port} user=tester dbname=camma"
    members = {"kind": "postgresql", "access": "write", "connection": connection, "credential": "one-password"}
    case.systems({"one": members, "two": members})
    case.fails(FAILED, "TF-3002", "SQLSTATE 3D000", "database \"camma\" does not exist", "dbname=")
    members["connection"] = f"host={SECRET}.invalid user=tester"
    case.systems({"one": {**members, "connection": "host=no-such-host.invalid"}, "two": members})
    case.fails(TRY_AGAIN, "TF-3000", "no-such-host.invalid", "tried again")
    case.systems({"one": {**members, "connection": f"host=x pass word={SECRET}"}, "two": members})
    case.fails(CONFIGURATION, "TF-2000", "option 2 has no name and value", "name=value")


def test_a_server_that_is_away(tmp_path):
    server = Server()
    try:
        server.sql(f"create role tester login password '{SECRET}'")
        case = Case(server, tmp_path, "away")
        server.stop()
        operation = case.fails(TRY_AGAIN, "TF-3000", "refused", "Check that the server runs")
        server.start()
        case.completes(operation)
    finally:
        server.remove()


def test_too_many_connections(server, tmp_path):
    case = Case(server, tmp_path, "many")
    server.sql("alter role tester connection limit 1")
    operation = case.fails(TRY_AGAIN, "TF-3001", "SQLSTATE 53300", "too many connections for role \"tester\"", "limit")
    server.sql("alter role tester connection limit 0")
    case.fails(TRY_AGAIN, "TF-3001", "SQLSTATE 53300", operation=operation)
    server.sql("alter role tester connection limit -1")
    case.completes(operation)


def test_a_standby(tmp_path):
    server = Server()
    try:
        server.sql(f"create role tester login password '{SECRET}'")
        case = Case(server, tmp_path, "standby")
        server.stop()
        (server.folder / "data/standby.signal").touch()
        server.start()
        case.fails(FAILED, "TF-3003", "can only be read", "target_session_attrs=read-write")
        server.stop()
        (server.folder / "data/standby.signal").unlink()
        server.start()
        case.completes()
    finally:
        server.remove()


def test_what_the_dba_must_grant(server, tmp_path):
    case = Case(server, tmp_path, "grants", grant=False)
    case.fails(FAILED, "TF-3002", "The login tester may not select public.source", "grant select on public.source to tester")
    operation = case.insert("check")
    assert case.worker(operation) == FAILED
    statements = [row["remedy"].removeprefix("Let the DBA run: ").partition(";")[0] for row in case.report(operation) if not row["ok"]]
    assert statements == ["grant select on public.source to tester", "grant select on public.target to tester",
                          "grant insert on public.target to tester", "grant update on public.target to tester",
                          "grant delete on public.target to tester"]
    server.sql(*statements, database="grants")
    operation = case.insert("check")
    assert case.worker(operation) == OK, case.report(operation)
    case.completes()
    # A login that should only read can do more: it works, and is said.
    server.sql("grant delete on source to tester", database="grants")
    case.point(server.port, access="read")
    operation = case.run("check")
    assert any("could write it too" in row["message"] and row["ok"] for row in case.report(operation))


def test_a_password_in_the_file_is_warned_of_and_never_shown(server, tmp_path):
    case = Case(server, tmp_path, "infile")
    members = {"kind": "postgresql", "connection": f"postgresql://tester:{SECRET}@127.0.0.1:{server.port}/infile"}
    case.systems({"one": members, "two": {**members, "access": "write"}})
    operation = case.run("check")
    report = case.report(operation)
    assert any("password stands in the file" in row["message"] and "credential" in row["remedy"] for row in report)
    assert SECRET not in json.dumps(report)
    case.completes()
    for path in [*tmp_path.glob("state/**/*")]:
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_sessions_have_a_name_and_limits(server, tmp_path):
    case = Case(server, tmp_path, "named", limits={"statement_timeout": "90s"})
    server.sql("create function show() returns trigger language plpgsql as $$ begin insert into seen select application_name, "
               "current_setting('statement_timeout'), current_setting('lock_timeout') from pg_stat_activity where pid = pg_backend_pid(); "
               "return null; end $$; create table seen (name text, statement_timeout text, lock_timeout text); grant insert on seen to tester;"
               "create trigger show after insert on target execute function show()", database="named")
    operation = case.completes()
    assert server.sql("select distinct name, statement_timeout, lock_timeout from seen", database="named") == \
        f"terrafusion-worker {operation}|90s|30s"


def test_a_lock_that_another_holds(server, tmp_path):
    case = Case(server, tmp_path, "locked", limits={"statement_timeout": "1s"})
    case.insert("check")        # makes the state
    holder = subprocess.Popen(["psql", "-qX", f"{case.address}"], stdin=subprocess.PIPE, text=True)
    holder.stdin.write("begin; lock table target in share mode;\n")
    holder.stdin.flush()
    while server.sql("select count(*) from pg_locks where relation = 'target'::regclass", database="locked") == "0":
        time.sleep(0.05)
    operation = case.fails(TRY_AGAIN, "TF-3001", "SQLSTATE 55P03", "pg_locks")
    holder.communicate("rollback;\n", timeout=10)
    case.completes(operation)


def test_a_server_that_dies_in_the_middle(tmp_path):
    server = Server("fsync=on")
    try:
        server.sql(f"create role tester login password '{SECRET}'")
        case = Case(server, tmp_path, "dies")
        server.sql("create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.2); return null; end $$; "
                   "create trigger slow after insert on target execute function slow()", database="dies")
        operation = case.insert()
        killer = threading.Timer(0.6, lambda: server.stop("immediate"))
        killer.start()
        status = case.worker(operation)
        killer.join()
        assert status == TRY_AGAIN, case.stderr
        assert case.error(operation)["code"] == "TF-3000", case.error(operation)
        server.start()
        assert 0 < int(server.sql("select count(*) from target", database="dies")) < 3000
        case.completes(operation)
        assert case.result(operation)["parcel"] == (3000, 3000, 0, 0, 0, 0)
    finally:
        server.remove()


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_lost_reply_to_commit(server, tmp_path, cut):
    """The worker cannot know whether its batch is at the target: the next attempt asks it."""
    case = Case(server, tmp_path, f"commit_{cut}")
    for at in (1, 3, 6):
        server.sql("truncate target", database=case.name)
        case.forget()
        between = proxy.Proxy(server.port, cut, at)
        case.point(between.port)
        operation = case.fails(TRY_AGAIN, "TF-3000", "cannot commit")
        between.close()
        assert between.is_cut
        there = 500 * (at - (cut == "before"))
        assert server.sql("select count(*) from target", database=case.name) == str(there)
        case.point(server.port)
        case.completes(operation)
        assert case.result(operation)["parcel"] == (3000, 3000, 0, 0, 0, 0)
        settled = "was applied at the target" if cut == "after" else "had not reached the target"
        assert settled in case.stderr


def test_a_commit_that_outlives_its_worker(tmp_path):
    """A killed worker's COMMIT is not over while the server waits for its disk or a standby: the next attempt has to wait for it, or it
    takes the batch as not applied and meets its records a moment later."""
    server = Server()
    try:
        server.sql(f"create role tester login password '{SECRET}'", "alter role postgres set synchronous_commit = local")
        case = Case(server, tmp_path, "late")
        operation = case.insert()
        server.sql("alter system set synchronous_standby_names = 'nobody'", "select pg_reload_conf()")
        worker = subprocess.Popen([harness.WORKER, operation], env=case.environment(), stderr=subprocess.DEVNULL)
        committing = "select count(*) from pg_stat_activity where usename = 'tester' and wait_event = 'SyncRep'"
        end = time.monotonic() + 60
        while server.sql(committing) == "0":
            assert worker.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        worker.kill()
        worker.wait()
        assert server.sql(committing) == "1"
        release = threading.Timer(1.5, lambda: server.sql("alter system reset synchronous_standby_names", "select pg_reload_conf()"))
        release.start()
        case.completes(operation)
        release.join()
        assert case.result(operation)["parcel"] == (3000, 3000, 0, 0, 0, 0)
        assert "was applied at the target" in case.stderr
    finally:
        server.remove()


def worker_memory(case, operation):
    """(exit status, peak MiB) of a worker."""
    worker = subprocess.Popen([harness.WORKER, operation], env=case.environment(), stderr=subprocess.PIPE, text=True)
    case.stderr = worker.stderr.read()
    _, status, usage = os.wait4(worker.pid, 0)
    worker.returncode = os.waitstatus_to_exitcode(status)
    return worker.returncode, usage.ru_maxrss / 1024


def test_very_large_texts(server, tmp_path):
    """60 MB go through within a worker's memory; 100 MB are more than a record may have: an error that says so, and nothing half-done."""
    case = Case(server, tmp_path, "large")
    server.sql("alter table source alter number set storage external", "update source set number = repeat('0123456789abcdef', 3750000) where id = 1500", database="large")
    status, memory = worker_memory(case, case.insert())
    assert status == OK, case.stderr
    is_sanitized = b"__asan_init" in harness.WORKER.read_bytes()
    assert memory < 512 or is_sanitized, memory
    assert server.sql("select count(*), max(length(number)), count(*) filter (where md5(number) = (select md5(number) from source where id = 1500)) from target",
                      database="large") == "3000|60000000|1"
    server.sql("update source set number = repeat('0123456789abcdef', 6250000) where id = 1501", database="large")
    operation = case.insert()
    status, memory = worker_memory(case, operation)
    error = case.error(operation)
    assert status == FAILED and (memory < 512 or is_sanitized), (status, memory)
    assert "has 100000" in error["detail"] and "the limit is 67108864" in error["detail"] and "behind the one with the key 1500" in error["detail"], error
    assert "where" in error["remedy"] and "column" in error["remedy"]
    assert server.sql("select count(*) from target where id >= 1501 and number like 'P-%'", database="large") == "1500"


def test_a_source_that_is_reset_in_the_middle_of_a_scan(server, tmp_path):
    case = Case(server, tmp_path, "reset")
    server.sql("create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.3); return null; end $$; "
               "create trigger slow after insert on target execute function slow()", "update source set number = repeat('x', 20000)", database="reset")
    operation = case.insert()
    worker = subprocess.Popen([harness.WORKER, operation], env=case.environment(), stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while server.sql("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = 'reset' and query like 'copy (select%'") == "0":
        assert worker.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    assert worker.wait(timeout=60) == TRY_AGAIN
    error = case.error(operation)
    assert error["code"] == "TF-3000" and "cannot read on" in error["detail"], error
    before = int(server.sql("select count(*) from target", database="reset"))
    assert before < 3000
    case.completes(operation)
    assert case.result(operation)["parcel"] == (3000, 3000, 0, 0, 0, 0)


WATERMARK = MAPPING.replace("    fields:", "    detect: {strategy: watermark, column: stamp}\n    deletes: ignore\n    fields:")


def test_the_horizon_needs_sight(server, tmp_path):
    case = Case(server, tmp_path, "sight")
    server.sql("alter table source add stamp timestamptz default now()", "create index on source (stamp)", database="sight")
    case.mapping(WATERMARK)
    case.fails(FAILED, "TF-3002", "watermark: ", "may not see other sessions", "grant pg_read_all_stats to tester")
    server.sql("grant pg_read_all_stats to tester")
    case.run("incremental", allow=["max_changes"])
    server.sql("begin; update source set stamp = now() where id = 1; prepare transaction 'tax-close'", database="sight")
    operation = case.fails(TRY_AGAIN, "TF-3001", "prepared transaction \"tax-close\"", "rollback prepared", operation=case.insert("incremental"))
    server.sql("rollback prepared 'tax-close'", database="sight")
    assert case.worker(operation) == OK, case.stderr
    server.sql("alter table source alter stamp type date", database="sight")
    case.forget()       # else the column's new type is drift
    case.fails(FAILED, "TF-3002", "watermark: ", "is of type date", "timestamptz")
    server.sql("revoke pg_read_all_stats from tester")


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
def test_no_writer_gets_below_the_horizon(server, tmp_path, kind):
    """Writers stamp with now() and hold their transactions open for up to a second, some of them only begin and write late; runs go on
    beside them. What naive watermarks lose here is most of the records."""
    name = f"horizon_{kind}"
    case = Case(server, tmp_path, name)
    server.sql("grant pg_read_all_stats to tester", "alter database " + name + " set timezone = 'America/Los_Angeles'")
    server.sql("delete from source", f"alter table source add stamp {kind} not null default now()", "create index on source (stamp)", database=name)
    case.mapping(WATERMARK)
    case.run("incremental", allow=["max_changes"])
    writers = []
    for w in range(6):
        script = "".join(f"begin; select pg_sleep({(w * 7 + i * 3) % 10 / 20}); insert into source (id, number, area) values ({w * 1000 + i}, 'x', 1); "
                         f"select pg_sleep({(w * 3 + i * 7) % 10 / 20}); commit;\n" for i in range(12))
        writers.append(subprocess.Popen(["psql", "-qXAt", "-o", "/dev/null", case.address], stdin=subprocess.PIPE, text=True))
        writers[-1].stdin.write(script)
        writers[-1].stdin.close()
    while any(writer.poll() is None for writer in writers):
        case.run("incremental", allow=["max_changes"])
        time.sleep(0.1)
    time.sleep(2.2)     # the margin
    read = case.result(case.run("incremental", allow=["max_changes"]))["parcel"]
    assert server.sql("select count(*) from (select id from source except select id from target) missed", database=name) == "0"
    assert server.sql("select count(*) from target", database=name) == "72"
    # What is old is not read again.
    assert case.result(case.run("incremental", allow=["max_changes"]))["parcel"][0] == 0 and read[0] < 72
    server.sql("revoke pg_read_all_stats from tester")
    assert os.path.exists(case.folder / "state")
