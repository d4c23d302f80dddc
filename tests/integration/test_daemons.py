# SPDX-License-Identifier: Apache-2.0
"""Gateway, sync service, workers and command line together, without systemd: one story by every way in, and kill -9 of each."""
import http.client
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "crash"))
import harness  # noqa: E402 (the path comes first)

KEY = "dev-api-key"
GATEWAY = harness.BUILD / "src/gateway/terrafusion-gateway"
CTL = harness.BUILD / "src/ctl/terrafusionctl"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Service:
    def __init__(self, county):
        self.county = county
        self.port, self.sync_port = free_port(), free_port()
        (county.folder / "run").mkdir(exist_ok=True)
        self.log = open(county.folder / "log", "a+")
        self.process = None

    def environment(self):
        return self.county.environment(TERRAFUSION_WORKER=str(harness.WORKER), LOG_LEVEL="info", TERRAFUSION_BATCH_RECORDS="500")

    def command(self):
        return [str(GATEWAY), "--standalone", "--port", str(self.port), "--sync-port", str(self.sync_port)]

    def start(self):
        self.process = subprocess.Popen(self.command(), env=self.environment(), stdout=self.log, stderr=self.log, start_new_session=True)
        self.wait(lambda: self.get("/health/ready", key=None)[0] == 200, "the service to be ready")
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def text(self):
        return (self.county.folder / "log").read_text(errors="replace")

    def wait(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                result = condition()
                if result:
                    return result
            except (OSError, urllib.error.URLError):
                pass
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds} s for {what}; log:\n{self.text()[-4000:]}")

    def request(self, method, path, body=None, key=KEY, headers=None, port=None):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.port}{path}", data=data, method=method, headers=headers or {})
        if key:
            request.add_header("X-API-Key", key)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, self.decode(answer.read()), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, self.decode(error.read()), error.headers

    def redirect(self, path):
        """Status and Location of the sync service's own port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.sync_port, timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        connection.close()
        return answer.status, answer.headers["Location"]

    @staticmethod
    def decode(text):
        try:
            return json.loads(text)
        except ValueError:
            return text.decode()

    def get(self, path, **keywords):
        return self.request("GET", path, **keywords)

    def post(self, path, body=None, **keywords):
        return self.request("POST", path, {} if body is None else body, **keywords)

    def ctl(self, *arguments):
        return subprocess.run([str(CTL), *arguments], env=self.environment(), capture_output=True, text=True, timeout=120)

    def finished(self, operation, seconds=120):
        def final():
            status, answer, _ = self.get(f"/api/sync/status/{operation}")
            return status == 200 and answer["status"] in ("COMPLETED", "FAILED", "CANCELLED") and answer
        return self.wait(final, f"operation {operation} to end", seconds)

    def run(self, kind, **options):
        status, answer, _ = self.post(f"/api/sync/{kind}", {"sync_pair_id": "pacs_to_cama", **options})
        assert status == 200, answer
        return self.finished(answer["id"])

    def pids(self, name):
        """Processes of this county whose program is called so."""
        found = []
        mark = f"STATE_DIRECTORY={self.county.folder}/state".encode()
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "exe").endswith(name) and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found


on_both_stores = pytest.mark.parametrize("service", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def service(request, tmp_path):
    """Its state is in files, or where the test is marked so in a PostgreSQL database, too."""
    started = Service(harness.County.create(tmp_path / "county", getattr(request, "param", "sqlite")))
    yield started.start()
    started.stop()
    for name in ("terrafusion-syncd", "terrafusion-worker"):
        for pid in started.pids(name):
            os.kill(pid, signal.SIGKILL)
    assert "ERROR: AddressSanitizer" not in started.text() and "runtime error:" not in started.text(), started.text()[-4000:]


@on_both_stores
def test_one_operation_one_story(service):
    operation = service.run("full")
    assert operation["status"] == "COMPLETED"
    harness.check_against_source(service.county)
    listed = service.get("/api/sync/operations")[1]
    assert [o["id"] for o in listed] == [operation["id"]]
    shown = json.loads(service.ctl("operations", "--json").stdout)
    for member in ("id", "status", "sync_pair_id", "records_processed", "records_succeeded", "records_failed", "results"):
        assert shown[0][member] == listed[0][member] == operation[member], member
    assert operation["records_failed"] == operation["results"]["parcel"]["failed"] + operation["results"]["sale"]["failed"] > 0
    assert operation["records_processed"] == operation["records_succeeded"] + operation["records_failed"]
    table = service.ctl("operations").stdout
    assert operation["id"][:8] in table and "COMPLETED" in table


@on_both_stores
def test_an_increment_and_the_quarantine(service):
    service.run("full")
    harness.change_source(service.county.folder / "pacs.db")
    operation = service.run("incremental")
    assert operation["status"] == "COMPLETED"
    harness.check_against_source(service.county)
    held = service.get("/api/quarantine")[1]
    held = held["items"] if isinstance(held, dict) else held
    broken = [h for h in held if h["entity"] == "parcel" and "LC-00003" in json.dumps(h["key"])]
    finding = broken[0]["findings"][0]
    assert finding["field"] == "total_value" and finding["rule"] == "minimum" and finding["remedy"] and "-5" in finding["value"]
    text = service.ctl("quarantine").stdout
    assert "LC-00003" in text and "minimum" in text
    assert operation["results"]["parcel"]["inserted"] >= 60


@on_both_stores
def test_run_and_wait_by_the_command_line(service):
    done = service.ctl("run", "pacs_to_cama", "--full", "--wait")
    assert done.returncode == 3, done.stdout + done.stderr          # finished with quarantined records
    assert service.ctl("status").returncode == 0
    assert "pacs_to_cama" in service.ctl("pairs").stdout
    assert "cama" in service.ctl("systems").stdout
    shown = service.ctl("show", service.get("/api/sync/operations")[1][0]["id"])
    assert shown.returncode == 0 and "parcel" in shown.stdout


def test_over_dbus(service):
    service.run("full")
    address = f"unix:path={service.county.folder}/run/sync1.bus"
    done = subprocess.run(["busctl", f"--address={address}", "--json=short", "call", "org.terrafusion.Sync1", "/org/terrafusion/Sync1",
                           "org.terrafusion.Sync1.Manager", "ListOperations", "a{sv}", "0"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    answer = json.loads(json.loads(done.stdout)["data"][0])
    answer = answer["items"] if isinstance(answer, dict) else answer
    assert [o["id"] for o in answer] == [o["id"] for o in service.get("/api/sync/operations")[1]]


@pytest.mark.parametrize("method,path,body,key,status,words", [
    ("GET", "/api/sync/operations", None, "wrong", 401, "Invalid API key"),
    ("GET", "/api/sync/operations", None, None, 401, "Invalid API key"),
    ("POST", "/api/sync/full", {"sync_pair_id": "pacs_to_cma"}, KEY, 404, "pacs_to_cama"),
    ("POST", "/api/sync/full", {"sync_pair_id": "pacs_to_cama", "entity_types": ["parcl"]}, KEY, 422, "parcl"),
    ("POST", "/api/sync/full", {"sync_pair": "pacs_to_cama"}, KEY, 422, "sync_pair"),
    ("POST", "/api/sync/full", b"{not json", KEY, 400, "line"),
    ("POST", "/api/sync/operations", {"sync_pair_id": "pacs_to_cama", "kind": "fulll"}, KEY, 422, "fulll"),
    ("GET", "/api/sync/operations?colour=red", None, KEY, 422, "colour"),
    ("GET", "/api/sync/status/nothing", None, KEY, None, "not"),
    ("GET", "/api/nothing", None, KEY, 404, ""),
    ("DELETE", "/api/sync/operations", None, KEY, 405, ""),
])
def test_bad_requests_are_told_what_to_do(service, method, path, body, key, status, words):
    got, answer, headers = service.request(method, path, body, key=key)
    assert got == status if status else got in (404, 422), answer
    assert words.lower() in json.dumps(answer).lower()
    assert "detail" in answer
    if status == 401:
        assert headers["WWW-Authenticate"] == "ApiKey" and answer["detail"] == "Invalid API key"
    if status == 405:
        assert "GET" in headers["Allow"]
    assert service.get("/api/sync/active")[0] == 200
    assert service.get("/api/sync/operations")[1] == []


@on_both_stores
def test_the_originals_endpoints_answer(service):
    service.run("full")
    shapes = {
        "/": {"service", "version", "status", "description", "links"}, "/status": {"gateway", "syncservice"},
        "/health/live": {"status", "timestamp"}, "/health/ready": {"status", "timestamp"},
        "/api/system": {"cpu_count", "memory_total", "disk_free", "process_memory_rss", "boot_time"},
        "/api/sync/metrics": {"total_operations", "full_syncs", "total_records_processed", "success_rate", "entity_stats"},
        "/api/config": {"version", "environment", "api_port", "logging_level", "db_url_configured", "api_key_configured"},
        "/api/health/status": {"status", "components"},
    }
    for path, members in shapes.items():
        status, answer, _ = service.get(path)
        assert status == 200 and members <= set(answer), (path, answer)
    assert isinstance(service.get("/api/metrics")[1], list)
    assert service.get("/api/api/sync/active")[0] == 200
    for path in ("/dashboard", "/api-docs"):
        status, page, _ = service.get(path)
        assert status == 200 and "<html" in page
    assert service.get("/openapi.json")[1]["openapi"].startswith("3.1")
    assert service.get("/openapi.json", port=service.sync_port)[1] == service.get("/openapi.json")[1]
    for path, page in (("/docs", "/api-docs"), ("/dashboard/", "/dashboard")):
        status, location = service.redirect(path)
        assert (status, location) == (302, f"http://127.0.0.1:5000{page}")
    assert service.get("/status")[1]["syncservice"]["status"] == "running"


def test_a_second_gateway_says_so(service):
    done = subprocess.run(service.command(), env=service.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and done.stderr.strip()


def test_a_taken_port_is_named(tmp_path):
    other = Service(harness.County.create(tmp_path / "county"))
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", other.port))
        taken.listen()
        done = subprocess.run(other.command(), env=other.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and str(other.port) in done.stderr


def test_clients_that_ask_while_it_cannot_start(tmp_path):
    """Requests were answered by a gateway half taken down: it crashed instead of saying whose port is taken."""
    other = Service(harness.County.create(tmp_path / "county"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", other.sync_port))
        taken.listen()
        process = subprocess.Popen(other.command(), env=other.environment(), stdout=other.log, stderr=other.log)
        clients = []
        while process.poll() is None and len(clients) < 100:
            try:
                clients.append(socket.create_connection(("127.0.0.1", other.port), timeout=1))
                clients[-1].send(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
            except OSError:
                pass
            time.sleep(0.02)
        assert process.wait(60) == 78
    assert clients and str(other.sync_port) in other.text()


def grow(county, n):
    db = sqlite3.connect(county.folder / "pacs.db")
    db.execute(f"""with recursive n(i) as (select 10001 union all select i + 1 from n where i < {10000 + n})
                   insert into property select i, printf('LC-%05d', i), 'R', i || '.25', {harness.NOW} from n""")
    db.commit()
    db.close()


def kill(service, name):
    pids = service.wait(lambda: service.pids(name), f"{name} to run", 20)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return pids


@on_both_stores
def test_kill_of_each_during_a_run(service):
    """The worker, then syncd, then the gateway, each with SIGKILL in the middle of one operation."""
    grow(service.county, 60000)
    started = service.post("/api/sync/full", {"sync_pair_id": "pacs_to_cama"})[1]
    written = lambda n: lambda: service.county.rows("cama.db", "select count(*) from parcel")[0][0] > n   # noqa: E731
    service.wait(written(1000), "a first batch")
    kill(service, "terrafusion-worker")
    service.wait(written(5000), "the second attempt")
    kill(service, "terrafusion-syncd")
    service.wait(lambda: service.get("/api/sync/active")[0] == 200, "syncd to be back")
    service.process.kill()
    service.process.wait()
    service.start()
    operation = service.finished(started["id"])
    assert operation["status"] == "COMPLETED", operation
    harness.check_against_source(service.county)
    harness.check(service.county, operation["id"], harness.results(service.county, operation["id"]))
    assert operation["results"]["parcel"]["inserted"] == service.county.rows("cama.db", "select count(*) from parcel")[0][0]
    assert operation["records_processed"] == sum(service.county.rows("pacs.db", f"select count(*) from {t}")[0][0] for t in ("property", "sale"))


@on_both_stores
def test_cancel_keeps_what_was_committed(service):
    grow(service.county, 60000)
    started = service.post("/api/sync/full", {"sync_pair_id": "pacs_to_cama"})[1]
    service.wait(lambda: service.county.rows("cama.db", "select count(*) from parcel")[0][0] > 500, "a first batch")
    status, answer, _ = service.post(f"/api/sync/cancel/{started['id']}")
    assert status == 200, answer
    operation = service.finished(started["id"])
    assert operation["status"] == "CANCELLED"
    again = service.run("full")
    assert again["status"] == "COMPLETED"
    harness.check_against_source(service.county)
