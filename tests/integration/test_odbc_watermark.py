# SPDX-License-Identifier: Apache-2.0
"""A watermark on MariaDB: bounded by what the server tells of its transactions, refused where it tells nothing, and swept."""
import shutil
import subprocess
import time

import pytest

import mariadb
from postgresql import FAILED, OK, TRY_AGAIN, Place

pytestmark = pytest.mark.skipif(not shutil.which("mariadb-install-db"), reason="mariadb-server is not installed")
MAPPING = """\
pair: pair
source: one
target: two
guards: {{max_deletes: 100%, max_changes: 100%}}
entities:
  parcel:
    from: source
    to: target
    key: {{id: id}}
    detect: {{strategy: watermark, column: changed{sweep}}}
    fields: {{a: a}}
"""


@pytest.fixture(scope="module")
def server():
    server = mariadb.Server("default-time-zone=+00:00")
    yield server
    server.remove()


def case(server, folder, name, sweep=", sweep: 1d", user="root", password="secret"):
    server.database(name)
    server.sql("create table source (id int primary key, a int, changed timestamp(6) not null default now(6) on update now(6), key (changed));"
               "create table target (id int primary key, a int); insert into source (id, a) select seq, seq from seq_1_to_1000;"
               f"create user if not exists {user}; grant all on `{name}`.* to {user}" if user != "root" else
               "create table source (id int primary key, a int, changed timestamp(6) not null default now(6) on update now(6), key (changed));"
               "create table target (id int primary key, a int); insert into source (id, a) select seq, seq from seq_1_to_1000", name)
    connection = server.connection(name, user=user, password=password)
    return Place(folder, {"one": {"kind": "odbc", "connection": connection}, "two": {"kind": "odbc", "access": "write", "connection": connection}},
                 MAPPING.format(sweep=sweep))


def session(server, database):
    process = subprocess.Popen(["mariadb", "--no-defaults", f"--socket={server.socket}", "-u", "root", "-psecret", "-N", "--batch", "-n", database],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(text):
        process.stdin.write(text + "; select 'said';\n")
        process.stdin.flush()
        while process.stdout.readline().strip() != "said":
            pass
    return process, say


def test_changes_below_the_horizon_are_read_and_an_open_transaction_holds_it(server, tmp_path):
    here = case(server, tmp_path, "held")
    assert here.result(here.run("full"))["parcel"] == (1000, 1000, 0, 0, 0, 0)
    time.sleep(4)
    process, say = session(server, "held")
    say("start transaction; update source set a = -1 where id = 1") # stamped now, committed later
    time.sleep(2.5)
    server.sql("update source set a = -2 where id = 2", "held")
    time.sleep(2.5)
    here.run("incremental")
    assert server.sql("select a from target where id in (1, 2) order by id", "held") == "1|2".replace("|", "\n")    # neither is below the horizon
    say("commit")
    process.stdin.close()
    process.wait()
    time.sleep(2.5)
    operation = here.run("incremental")
    assert server.sql("select a from target where id in (1, 2) order by id", "held") == "-1\n-2"
    assert here.result(operation)["parcel"][0] < 1000   # not everything was read again


def test_without_a_sweep_it_is_refused(server, tmp_path):
    here = case(server, tmp_path, "swept", sweep="")
    assert here.worker(here.insert("full")) in (FAILED, 78)
    error = str(here.error(here.rows("state.db", "select id from operation")[0][0])) + here.stderr
    assert "sweep" in error, error


def test_without_the_privilege_it_is_refused_with_the_statement(server, tmp_path):
    server.sql("create or replace user reader identified by 'secret'")
    here = case(server, tmp_path, "blind", user="reader")
    operation = here.insert("full")
    assert here.worker(operation) == FAILED, here.stderr
    error = here.error(operation)
    assert "PROCESS" in error["detail"] and "grant process on *.* to reader@%" in error["remedy"], error


def test_a_prepared_transaction_holds_it(server, tmp_path):
    here = case(server, tmp_path, "prepared")
    server.sql("xa begin 'canary'; update source set a = -7 where id = 7; xa end 'canary'; xa prepare 'canary'", "prepared")  # and its session ends
    operation = here.insert("full")
    status = here.worker(operation)
    said = str(here.error(operation)) + here.stderr
    server.sql("xa rollback 'canary'", "prepared")
    time.sleep(0.3)     # the server tells of its transactions what it told less than 0.1 s ago
    assert status == TRY_AGAIN and "prepared transaction" in said and "xa recover" in said, said
    here.run("full")
    assert server.sql("select a from target where id = 7", "prepared") == "7"


def test_the_sweep_finds_what_the_bound_missed(server, tmp_path):
    """A stamp that its writer took from the past is below every horizon: only the sweep can find it, and deletes."""
    here = case(server, tmp_path, "missed", sweep=", sweep: 4s")
    here.run("full")
    time.sleep(2.5)
    here.run("incremental")
    server.sql("update source set a = -5, changed = '2020-01-01' where id = 5; delete from source where id = 6", "missed")
    here.run("incremental")
    missed = server.sql("select count(*) from source s left join target t using (id) where not (s.a <=> t.a)", "missed")
    print(f"missed before the sweep: {missed}")
    assert missed in ("0", "1")
    time.sleep(4.1)
    here.run("incremental")
    assert server.sql("select count(*) from source s join target t using (id) where not (s.a <=> t.a)", "missed") == "0"
    assert server.sql("select count(*) from target where id = 6", "missed") == "0"
