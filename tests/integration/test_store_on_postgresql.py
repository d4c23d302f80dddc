# SPDX-License-Identifier: Apache-2.0
"""The state in a PostgreSQL database: the store's own tests, replies that are lost, and servers that go away or do not want us."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.parse

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "crash"))
import harness  # noqa: E402 (the path comes first)
import proxy  # noqa: E402
import stores  # noqa: E402
from test_daemons import KEY, Service  # noqa: E402

SYNCD = harness.BUILD / "src/syncd/terrafusion-syncd"
UNIT_TESTS = sorted(path for path in (harness.BUILD / "tests/unit/store").glob("test-*") if path.is_file())


def test_there_are_tests_of_the_store():
    assert len(UNIT_TESTS) > 15


@pytest.mark.parametrize("program", UNIT_TESTS, ids=lambda path: path.name)
def test_of_the_store(program):
    """The very programs that run on files in group unit."""
    store = stores.Schemas()
    done = subprocess.run([str(program)], env={**os.environ, "TERRAFUSION_TEST_DATABASE": store.url}, capture_output=True, text=True,
                          timeout=120)
    store.drop()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SKIPPED" not in done.stdout or program.name == "test-progress"


class Elsewhere:
    """The store of another, reached by another way."""

    def __init__(self, store, port, user="postgres:secret"):
        self.store, self.port, self.user = store, port, user

    def environment(self):
        return {"SYNC_SERVICE_DB_URL": self.store.server.url(self.store.database, self.port, self.user)}

    def __getattr__(self, name):
        return getattr(self.store, name)


def attempt(county, operation, port):
    kept, county.store = county.store, Elsewhere(county.store, port)
    try:
        return county.worker(operation)
    finally:
        county.store = kept


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """A county before a run, the results of an undisturbed one, and how often it commits."""
    folder = tmp_path_factory.mktemp("calm")
    before = harness.County.create(folder / "before", "postgresql")
    before.insert_operation("full")                # makes the tables
    before.store.change("state/state.db", "delete from operation")
    after = before.copy(folder / "after")
    watch = proxy.Proxy(after.store.server.port)
    operation = after.insert_operation("full")
    done = attempt(after, operation, watch.port)
    assert done.returncode == 3, done.stderr
    watch.close()
    return before, harness.snapshot(after), harness.results(after, operation), watch.n_commits


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_lost_reply_to_commit(calm, tmp_path, cut):
    """Each COMMIT of a run in turn: the server has it or not, and the worker cannot know. Nothing is counted, journalled or applied twice."""
    before, snapshot, results, n_commits = calm
    assert n_commits > 15
    for at in range(1, n_commits + 1):
        county = before.copy(tmp_path / f"county{at}")
        operation = county.insert_operation("full")
        between = proxy.Proxy(county.store.server.port, cut, at)
        done = attempt(county, operation, between.port)
        between.close()
        assert between.is_cut and done.returncode == 75, (at, done.returncode, done.stderr)
        assert "cannot be reached" in done.stderr and "secret" not in done.stderr
        for _ in range(3):
            if county.rows("state/state.db", "select status from operation where id = ?", operation) == [("COMPLETED",)]:
                break
            done = county.worker(operation)
            assert done.returncode in (0, 3), (at, done.stderr)
        harness.check(county, operation, results)
        assert harness.snapshot(county) == snapshot, at
        county.remove()


@pytest.fixture
def own_server():
    server = stores.Server()
    yield server
    server.end()


@pytest.fixture
def started():
    services = []
    yield services.append
    for one in services:
        if one.process and one.process.poll() is None:
            one.stop()
        for name in ("terrafusion-syncd", "terrafusion-worker"):
            for pid in one.pids(name):
                os.kill(pid, signal.SIGKILL)
        assert "ERROR: AddressSanitizer" not in one.text() and "runtime error:" not in one.text(), one.text()[-4000:]
        assert "secret" not in one.text()


def county_on(server, folder):
    county = harness.County.create(folder)
    county.store = stores.Schemas(server.new_database(), server)
    return county


def begin(service):
    """Starts it without waiting for it to be ready."""
    service.process = subprocess.Popen(service.command(), env=service.environment(), stdout=service.log, stderr=service.log,
                                       start_new_session=True)
    service.wait(lambda: service.get("/health/live", key=None, port=service.sync_port)[0] == 200, "the sync service to live")


def is_ready(service):
    return service.get("/health/ready", key=None)[0] == 200


def test_a_server_that_is_away_is_waited_for(own_server, started, tmp_path):
    service = Service(county_on(own_server, tmp_path / "county"))
    started(service)
    own_server.act("stop", "immediate")
    begin(service)
    status, answer, headers = service.wait(lambda: (got := service.get("/health/ready", key=None, port=service.sync_port)) and got[0] == 503
                                           and f"127.0.0.1:{own_server.port}" in got[1]["detail"] and got, "the reason")
    assert headers["Retry-After"]
    status, answer, headers = service.get("/api/sync/operations", port=service.sync_port)
    assert status == 503 and headers["Retry-After"] and "cannot be reached" in answer["detail"] and answer["remedy"]
    assert service.get("/api/sync/active", port=service.sync_port)[:2] == (200, [])
    assert service.process.poll() is None
    own_server.act("start", "fsync=off")
    service.wait(lambda: is_ready(service), "the service to be ready by itself")
    assert service.run("full")["status"] == "COMPLETED"
    harness.check_against_source(service.county)
    assert service.text().count("is tried again") < 5, "told once, not every second"


def test_a_server_that_restarts_during_a_run(own_server, started, tmp_path):
    county = county_on(own_server, tmp_path / "county")
    service = Service(county)
    started(service)
    begin(service)
    service.wait(lambda: is_ready(service), "the service to be ready")
    operation = service.post("/api/sync/full", {"sync_pair_id": "pacs_to_cama"})[1]
    service.wait(lambda: county.rows("cama.db", "select count(*) from parcel")[0][0] > 0 or service.finished(operation["id"]), "a batch")
    own_server.act("restart", "fsync=off")
    ended = service.finished(operation["id"])
    assert ended["status"] == "COMPLETED", ended
    harness.check(county, operation["id"], harness.results(county, operation["id"]))
    harness.check_against_source(county)


def test_two_sync_services_on_one_store(own_server, started, tmp_path):
    first, second = (Service(county_on(own_server, tmp_path / name)) for name in ("first", "second"))
    second.county.store = first.county.store
    for one in (first, second):
        started(one)
        begin(one)
        if one is first:
            one.wait(lambda: is_ready(first), "the first to be ready")
    pid = first.pids("terrafusion-syncd")[0]
    status, answer, _ = second.wait(lambda: (got := second.get("/health/ready", key=None, port=second.sync_port)) and got[0] == 503
                                    and "holds" in got[1]["detail"] and got, "the second to say who holds it")
    assert f"process {pid}" in answer["detail"] and "terrafusion-syncd" in answer["detail"]
    status, answer, _ = second.post("/api/sync/full", {"sync_pair_id": "pacs_to_cama"}, port=second.sync_port)
    assert status in (409, 503) and "holds" in answer["detail"]
    assert first.run("full")["status"] == "COMPLETED"
    first.stop()
    second.wait(lambda: is_ready(second), "the second to take over")
    assert [o["status"] for o in second.get("/api/sync/operations")[1]] == ["COMPLETED"]


def test_a_server_that_is_silent(own_server, started, tmp_path):
    """No answer, no end of the connection: whoever asks gets one all the same."""
    county = county_on(own_server, tmp_path / "county")
    between = proxy.Proxy(own_server.port)
    direct, county.store = county.store, Elsewhere(county.store, between.port)
    service = Service(county)
    started(service)
    begin(service)
    service.wait(lambda: is_ready(service), "the service to be ready")
    between.stalled = True
    begun = time.monotonic()
    status, answer, headers = service.get("/api/sync/operations", port=service.sync_port)
    assert status == 503 and headers["Retry-After"] and time.monotonic() - begun < 25, answer
    begun = time.monotonic()
    assert service.get("/health/live", key=None, port=service.sync_port)[0] == 200 and time.monotonic() - begun < 1
    between.stalled = False
    service.wait(lambda: service.get("/api/sync/operations", port=service.sync_port)[0] == 200, "the service to answer again")
    county.store = direct
    between.close()


def syncd(county, url):
    environment = {**Service(county).environment(), "SYNC_SERVICE_DB_URL": url}
    return subprocess.run([str(SYNCD)], env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("url,words", [
    ("sqlite:////var/lib/canary.db", ["SQLite", "unset"]),
    ("mysql://tf:canary@db/store", ["postgresql://"]),
    ("postgresql+psycopg2://tf:canary@db/store", ["postgresql://"]),
    ("postgresql://tf:canary%zz@db/store", ["% codes"]),
    ("postgresql://tf:canary@[::1/store", ["cannot be read"]),
    ("postgresql://tf:canary@db", ["names no database"]),
    ("postgresql://tf:canary@db/store?sslmod=require", ["cannot be read"]),
    ("postgresql://postgres:canary@{server}/postgres", ["28P01", "password"]),
    ("postgresql://nobody:canary@{server}/postgres", ["28P01", "password"]),
    ("postgresql://postgres@{server}/postgres", ["wants a password", "store-password"]),
    ("postgresql://postgres:secret@{server}/nothing", ["3D000", "createdb"]),
    ("postgresql://weak:canary@{server}/{database}", ["42501", "grant create"]),
    ("postgresql://postgres:secret@{server}/{latin}", ["LATIN1", "UTF8"]),
])
def test_what_waiting_does_not_mend_ends_it(tmp_path, url, words):
    county = harness.County.create(tmp_path / "county", "postgresql")
    server = county.store.server
    if "weak" in url:
        server.execute("do $$ begin create role weak login password 'canary'; exception when duplicate_object then null; end $$")
    latin = f"latin{server.n}"
    if "latin" in url:
        server.execute(f"create database {latin} encoding 'LATIN1' template template0 locale 'C'")
    done = syncd(county, url.format(server=f"127.0.0.1:{server.port}", database=county.store.database, latin=latin))
    assert done.returncode == 78, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert "canary" not in done.stderr and "secret" not in done.stderr


def test_the_gateway_tells_why_it_ended(started, tmp_path):
    county = harness.County.create(tmp_path / "county", "postgresql")
    county.store = Elsewhere(county.store, county.store.server.port, "postgres:canary")
    service = Service(county)
    started(service)
    service.process = subprocess.Popen(service.command(), env=service.environment(), stdout=service.log, stderr=service.log, start_new_session=True)
    service.wait(lambda: "refuses" in service.get("/status", key=None)[1]["syncservice"].get("reason", ""), "the gateway to tell why")
    told = service.get("/status", key=None)[1]["syncservice"]["reason"]
    assert "password authentication failed" in told and "Serves HTTP" not in told, told


@pytest.mark.parametrize("what", ["host", "connections", "standby"])
def test_what_waiting_may_mend_is_waited_for(own_server, started, tmp_path, what):
    county = county_on(own_server, tmp_path / "county")
    service = Service(county)
    started(service)
    mend, words = None, ""
    if what == "host":
        county.store = Elsewhere(county.store, 0)
        county.store.environment = lambda: {"SYNC_SERVICE_DB_URL": "postgresql://tf:secret@no-such-host.invalid/store"}
        words = "no-such-host.invalid"
    elif what == "connections":
        own_server.execute(f"alter database {county.store.database} connection limit 0")
        own_server.execute("create role tf login superuser password 'secret'")
        own_server.execute(f"alter role tf nosuperuser; grant create on database {county.store.database} to tf")
        county.store = Elsewhere(county.store, own_server.port, "tf:secret")
        words, mend = "too many connections", f"alter database {county.store.database} connection limit 50"
    else:
        own_server.execute(f"alter database {county.store.database} set default_transaction_read_only = on")
        own_server.execute("alter system set default_transaction_read_only = on")
        words = ""
    begin(service)
    if what == "standby":       # what only the database's default forbids is ours to set
        service.wait(lambda: is_ready(service), "the service to be ready")
        return
    service.wait(lambda: words in service.get("/health/ready", key=None, port=service.sync_port)[1].get("detail", ""), words)
    assert service.process.poll() is None
    if mend:
        own_server.execute(mend)
        service.wait(lambda: is_ready(service), "the service to be ready by itself")


def test_the_password_is_nowhere(started, tmp_path):
    county = harness.County.create(tmp_path / "county", "postgresql")
    service = Service(county)
    started(service)
    begin(service)
    service.wait(lambda: is_ready(service), "the service to be ready")
    assert service.run("full")["status"] == "COMPLETED"
    shown = service.request("GET", "/api/config", key=KEY)[1]
    assert shown["db_url_configured"] is True
    for path in ("/api/config", "/health/status", "/status", "/api/systems", "/metrics", "/api/metrics"):
        assert "secret" not in str(service.get(path)[1]), path
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "postgres:secret" not in lines
    password = urllib.parse.urlsplit(county.store.url).password
    assert password == "secret" and not re.search(r"\bsecret\b", service.text())


def test_a_password_that_is_a_credential(tmp_path):
    county = harness.County.create(tmp_path / "county", "postgresql")
    (county.folder / "etc/credentials").mkdir()
    (county.folder / "etc/credentials/store-password").write_text("secret\n")
    direct, county.store = county.store, Elsewhere(county.store, county.store.server.port, "postgres")
    operation = county.insert_operation("full")
    done = county.worker(operation)
    assert done.returncode == 3, done.stderr
    county.store = direct
    harness.check(county, operation, harness.results(county, operation))


def test_a_worker_refuses_settings_with_mistakes(tmp_path):
    """It went on with what was left of them: a system without its limits, or another store."""
    county = harness.County.create(tmp_path / "county")
    operation = county.insert_operation("full")
    settings = county.folder / "etc/terrafusion.yaml"
    settings.write_text(settings.read_text() + "log_level: loud\n")
    done = county.worker(operation)
    assert done.returncode == 78 and "terrafusion.yaml" in done.stderr and "loud" in done.stderr
    (status, n_attempts, error), = county.rows("state/state.db", "select status, n_attempts, error from operation")
    assert (status, n_attempts) == ("FAILED", 1)
    error = json.loads(error)
    assert error["file"] == str(settings) and error["line"] == len(settings.read_text().splitlines()) and '"loud"' in error["detail"]
    assert county.rows("cama.db", "select count(*) from parcel") == [(0,)]
