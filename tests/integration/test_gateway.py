# SPDX-License-Identifier: Apache-2.0
"""The gateway by itself, without systemd: what clients send and how it goes on, and what they see when the sync service dies, hangs,
stops, refuses its configuration or talks nonsense. Half of it has the real sync service behind, half of it tests/servers/syncd."""
import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from test_daemons import KEY, Service, harness, service  # noqa: F401 (fixtures)

FAKE = pathlib.Path(__file__).parents[1] / "servers/syncd"
LOAD = pathlib.Path(__file__).parents[1] / "bench/load.py"


class Fake(Service):
    def command(self):
        return [*super().command(), "--syncd", str(FAKE)]

    def path(self, name):
        return self.county.folder / "run" / name

    def notes(self):
        return self.path("requests").read_text().splitlines()

    def pid(self):
        return int(self.path("syncd.pid").read_text())

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"X-API-Key": KEY, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def echo(self, *arguments, **keywords):
        status, body, _ = self.ask(*arguments, **keywords)
        assert status == 200, body
        return json.loads(body)


@pytest.fixture
def fake(tmp_path):
    started = Fake(harness.County.create(tmp_path / "county")).start()
    yield started
    started.stop()
    assert "ERROR: AddressSanitizer" not in started.text() and "runtime error:" not in started.text(), started.text()[-4000:]


def talk(port, text, wait=0.7):
    """All that is answered to bytes, and whether the connection was closed."""
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.settimeout(wait)
        s.sendall(text)
        answer = b""
        try:
            while more := s.recv(65536):
                answer += more
        except TimeoutError:
            return answer, False
        except ConnectionError:
            pass
        return answer, True


# What goes on to the sync service

def test_identity_is_always_the_gateways(fake):
    told = fake.echo("GET", "/api/echo?a=b%20c", headers={"X-TerraFusion-Identity": "root;admin", "X-Request-Id": "request-0001",
                                                          "Connection": "X-Thing", "X-Other": "1", "Authorization": f"Bearer {KEY}"})
    assert (told["method"], told["path"]) == ("GET", "/api/echo?a=b%20c")
    headers = told["headers"]
    assert headers["x-terrafusion-identity"] == "default;open,read,operate,approve,confidential,admin"
    assert headers["x-request-id"] == "request-0001" and headers["x-other"] == "1" and headers["x-forwarded-for"] == "127.0.0.1"
    assert not {"x-api-key", "authorization", "connection"} & set(headers)
    status, _, _ = fake.ask("GET", "/api/echo", headers={"X-API-Key": "wrong"})
    assert status == 401 and len([n for n in fake.notes() if n == "GET /api/echo"]) == 0


def test_paths_and_head(fake):
    assert fake.echo("GET", "/api/api/echo")["path"] == "/api/echo"
    status, body, headers = fake.ask("HEAD", "/api/echo")
    assert status == 200 and body == b"" and int(headers["Content-Length"]) > 100 and headers["X-Thing"] == "kept" and headers["X-Request-Id"]
    assert fake.notes()[-1] == "GET /api/echo"


def test_bodies(fake):
    for size in (0, 1, 70000, 1024 * 1024):
        body = os.urandom(size)
        told = fake.echo("POST", "/api/echo", body)
        assert (told["size"], told["sum"]) == (size, hashlib.sha256(body).hexdigest())
    chunked = b"POST /api/echo HTTP/1.1\r\nHost: a\r\nX-API-Key: dev-api-key\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    assert b'"size": 7' in talk(fake.port, chunked)[0]
    n = len(fake.notes())
    assert talk(fake.port, b"POST /api/echo HTTP/1.1\r\nHost: a\r\nX-API-Key: dev-api-key\r\nContent-Length: 1048577\r\n\r\n")[0].split()[1] == b"413"
    assert len(fake.notes()) == n
    status, body, _ = fake.ask("GET", "/api/big?n=20000000")
    assert status == 200 and body == b"x" * 20000000
    status, body, _ = fake.ask("GET", f"/api/big?n={64 * 1024 * 1024 + 1}")
    assert status == 502, body[:200]


HEAD = b"POST /api/echo HTTP/1.1\r\nHost: a\r\nX-API-Key: dev-api-key\r\n"
SECOND = b"GET /api/second HTTP/1.1\r\nHost: a\r\nX-API-Key: dev-api-key\r\n\r\n"


@pytest.mark.parametrize("name,text", [
    ("both lengths", HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("two lengths that differ", HEAD + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello"),
    ("two lengths that agree", HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    ("length with a space before the colon", HEAD + b"Content-Length : 5\r\n\r\nhello"),
    ("encoding with a space before the colon", HEAD + b"Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n"),
    ("unknown encoding", HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("two encodings", HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ("encoding twice", HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("encoding in HTTP/1.0", HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("length +5", HEAD + b"Content-Length: +5\r\n\r\nhello"),
    ("length 0x5", HEAD + b"Content-Length: 0x5\r\n\r\nhello"),
    ("length '5, 5'", HEAD + b"Content-Length: 5, 5\r\n\r\nhello"),
    ("length of 23 digits", HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n"),
    ("chunk of a negative size", HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"),
    ("chunk size that overflows", HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff5\r\nhello\r\n0\r\n\r\n"),
    ("no host", b"GET /api/echo HTTP/1.1\r\nX-API-Key: dev-api-key\r\n\r\n"),
    ("two hosts", b"GET /api/echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nX-API-Key: dev-api-key\r\n\r\n"),
    ("space in the target", b"GET /api/echo x HTTP/1.1\r\nHost: a\r\nX-API-Key: dev-api-key\r\n\r\n"),
    ("another version", b"GET /api/echo HTTP/1.9\r\nHost: a\r\nX-API-Key: dev-api-key\r\n\r\n"),
    ("version 2", b"GET /api/echo HTTP/2.0\r\nHost: a\r\nX-API-Key: dev-api-key\r\n\r\n"),
    ("no version", b"GET /api/echo\r\n\r\n"),
    ("a method that is no token", b"GE(T /api/echo HTTP/1.1\r\nHost: a\r\nX-API-Key: dev-api-key\r\n\r\n"),
    ("a method nobody knows", b"BREW /api/echo HTTP/1.1\r\nHost: a\r\nX-API-Key: dev-api-key\r\n\r\n"),
    ("an unknown expectation", HEAD + b"Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello"),
    ("a header of 40 kB", b"GET /api/echo HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40000 + b"\r\n\r\n"),
    ("a target of another host", b"GET http://b/api/echo HTTP/1.1\r\nHost: a\r\nX-API-Key: dev-api-key\r\n\r\n"),
    ("a control character in a header", HEAD + b"X-A: a\x01b\r\nContent-Length: 0\r\n\r\n"),
])
def test_smuggling(smuggled, name, text):
    """Refused and the connection closed: nothing of it reaches the sync service, and what comes behind it is not taken for a request."""
    before = len(smuggled.notes())
    answer, closed = talk(smuggled.port, text + SECOND)
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", answer)
    # libmicrohttpd says its own refusals twice; then the connection ends.
    assert closed and len(set(statuses)) <= 1, (name, statuses, closed)
    assert all(400 <= int(s) < 600 for s in statuses), (name, statuses)
    assert smuggled.notes()[before:] == [], name


@pytest.mark.parametrize("text,note", [
    (HEAD + b"X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", "a folded header is one header"),
    ((HEAD + b"Content-Length: 0\r\n\r\n").replace(b"\r\n", b"\n"), "bare LF ends a line, too"),
    (HEAD + b"X-A: a\0Content-Length: 9\r\nContent-Length: 0\r\n\r\n", "what follows a NUL goes nowhere"),
])
def test_taken_but_framed_anew(smuggled, text, note):
    """What libmicrohttpd reads leniently: at most one request goes on, and what comes behind it is the next."""
    before = len(smuggled.notes())
    answer, _ = talk(smuggled.port, text + SECOND)
    sent = smuggled.notes()[before:]
    assert sent in ([], ["POST /api/echo"], ["POST /api/echo", "GET /api/second"]), note
    first = answer.partition(b"\r\n\r\n")[2]
    assert b"transfer-encoding" not in first.lower() or b'"x-a": "b' in first.lower(), first


@pytest.fixture(scope="module")
def smuggled(tmp_path_factory):
    started = Fake(harness.County.create(tmp_path_factory.mktemp("smuggled") / "county")).start()
    yield started
    started.stop()
    assert "ERROR: AddressSanitizer" not in started.text(), started.text()[-4000:]


# Many, slow, and gone ones

def test_pipelined_requests_are_answered_in_order(fake):
    asked = b"".join(b"GET /api/echo?n=%d HTTP/1.1\r\nHost: a\r\nX-API-Key: dev-api-key\r\n\r\n" % n for n in range(50))
    answer, closed = talk(fake.port, asked, 2)
    assert not closed
    assert [int(n) for n in re.findall(rb'"path": "/api/echo\?n=(\d+)"', answer)] == list(range(50))


def test_300_connections_get_their_own_answers(fake):
    def one(n):
        body = f"{n} " * (n + 1)
        connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=60)
        for method in ("GET", "POST", "GET"):
            connection.request(method, f"/api/echo?n={n}", body if method == "POST" else None, {"X-API-Key": KEY, "X-N": str(n)})
            told = json.loads(connection.getresponse().read())
            assert told["path"] == f"/api/echo?n={n}" and told["headers"]["x-n"] == str(n) and told["method"] == method
            assert told["size"] == (len(body) if method == "POST" else 0)
        return connection

    with concurrent.futures.ThreadPoolExecutor(300) as pool:
        for connection in pool.map(one, range(300)):
            connection.close()
    assert len([n for n in fake.notes() if n.startswith("POST")]) == 300


def test_slow_clients_and_slow_answers_are_in_nobodys_way(fake):
    slow = []
    for _ in range(200):
        s = socket.create_connection(("127.0.0.1", fake.port), 5)
        s.sendall(b"POST /api/echo HTTP/1.1\r\nHost: a\r\nX-API-K")
        slow.append(s)
    threads = [threading.Thread(target=fake.echo, args=("GET", "/api/slow?s=3")) for _ in range(10)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    begun = time.monotonic()
    for _ in range(20):
        fake.echo("GET", "/api/echo")
    assert time.monotonic() - begun < 2
    for s in slow:
        s.sendall(b"ey: dev-api-key\r\nContent-Length: 0\r\n\r\n")
    for s in slow:
        assert s.recv(65536).startswith(b"HTTP/1.1 200")
        s.close()
    for thread in threads:
        thread.join()


def test_clients_that_go_away(fake):
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", fake.port), 5) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.sendall(b"POST /api/slow?s=0.2 HTTP/1.1\r\nHost: a\r\nX-API-Key: dev-api-key\r\nContent-Length: 3\r\n\r\nabc")
            time.sleep(0.002)
    fake.echo("GET", "/api/echo")
    fake.wait(lambda: len([n for n in fake.notes() if n.startswith("POST")]) >= 90, "the requests to be done all the same")
    time.sleep(0.5)
    fake.echo("GET", "/api/echo")


# A sync service that talks nonsense

@pytest.mark.parametrize("text", [
    b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nno length", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"HTTP/1.1 99 x\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000 + b"\r\n\r\n", b"\0" * 1000,
])
def test_nonsense_is_told_as_such(fake, text):
    fake.path("answer").write_bytes(text)
    for method in ("GET", "POST"):
        status, body, headers = fake.ask(method, "/api/raw?answer")
        assert status == 502 and headers["Content-Type"] == "application/problem+json", body
        assert json.loads(body)["code"] == "TF-6012" and "not understood" in json.loads(body)["detail"]
    assert fake.echo("GET", "/api/echo")["size"] == 0


def test_bytes_nobody_asked_for(fake):
    """A second answer behind the first is not the next client's."""
    good = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
    fake.path("answer").write_bytes(good + good.replace(b"first", b"wrong"))
    for _ in range(20):
        assert fake.ask("GET", "/api/raw?answer")[1] == b"first"
        assert fake.echo("GET", "/api/echo")["path"] == "/api/echo"


def test_an_answer_cut_off(fake):
    """To a question that may be asked again it is asked again, for ten seconds; else it is lost."""
    fake.path("cut.end").write_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
    status, body, _ = fake.ask("POST", "/api/raw?cut.end")
    assert status == 502 and "may or may not have been done" in json.loads(body)["detail"]
    assert fake.notes().count("POST /api/raw?cut.end") == 1
    mended = threading.Timer(1, lambda: fake.path("cut.end").write_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfull"))
    mended.start()
    assert fake.ask("GET", "/api/raw?cut.end")[:2] == (200, b"full")
    mended.join()


# A sync service that goes

def test_posts_are_never_done_twice(fake):
    """Clients post numbers while it is killed again and again: what was answered was done once, nothing was done twice."""
    results, stop = {}, threading.Event()
    numbers = iter(range(1, 1000000))
    lock = threading.Lock()

    def client():
        while not stop.is_set():
            with lock:
                n = next(numbers)
            try:
                results[n] = fake.ask("POST", f"/api/post?n={n}", b"x")[0]
            except (OSError, http.client.HTTPException) as error:
                results[n] = type(error).__name__
            time.sleep(0.005)   # each has a connection, and ports are not endless

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(6):
        time.sleep(0.6)
        with contextlib.suppress(ProcessLookupError):       # not back yet from the last one
            os.kill(fake.pid(), signal.SIGKILL)
    time.sleep(2)
    stop.set()
    for thread in threads:
        thread.join()
    done = {}
    for note in fake.notes():
        if match := re.match(r"POST /api/post\?n=(\d+)$", note):
            done[int(match[1])] = done.get(int(match[1]), 0) + 1
    assert max(done.values()) == 1
    assert set(results.values()) <= {200, 502, 503}, set(results.values())
    answered = [n for n, status in results.items() if status == 200]
    assert len(answered) > 100 and all(done.get(n) == 1 for n in answered)


def test_a_post_that_kills_it(fake):
    status, body, headers = fake.ask("POST", "/api/die", b"x")
    assert status == 502 and json.loads(body)["code"] == "TF-6012" and "Retry-After" not in headers
    fake.echo("GET", "/api/echo")
    assert fake.notes().count("POST /api/die") == 1


def test_a_get_that_kills_it_ends(fake):
    begun = time.monotonic()
    status, body, headers = fake.ask("GET", "/api/die")
    assert status == 503 and headers["Retry-After"] and 9 < time.monotonic() - begun < 15, body


def load(port, seconds):
    return subprocess.Popen([sys.executable, str(LOAD), str(port), str(seconds)], stdout=subprocess.PIPE, text=True)


def load_end(begun):
    out, _ = begun.communicate(timeout=60)
    return json.loads(out)


def syncd_pid(service):  # noqa: F811
    return service.wait(lambda: service.pids("terrafusion-syncd"), "the sync service")[0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
def test_no_question_fails_when_it_ends(service, number):  # noqa: F811
    begun = load(service.port, 6)
    for _ in range(3):
        time.sleep(1)
        pid = syncd_pid(service)
        os.kill(pid, number)
        service.wait(lambda: service.pids("terrafusion-syncd") and syncd_pid(service) != pid, "another one")
    told = load_end(begun)
    assert told["failed"] == [] and set(told["statuses"]) == {"200"} and told["answered"] > 100
    status = service.get("/status", key=None)[1]["syncservice"]
    assert status["status"] == status["state"] == "running" and status["restarts"] == 3
    assert status["last_cause"] in ("signal 9 (KILL)", "it was asked to end", "signal 6 (ABRT)", "signal 6 (ABRT), with a core dump")
    assert re.match(r"2\d{3}-\d\d-\d\dT", status["last_restart"])


def test_no_question_fails_when_it_hangs(service):  # noqa: F811
    begun = load(service.port, 14)
    time.sleep(1)
    pid = syncd_pid(service)
    os.kill(pid, signal.SIGSTOP)
    told = load_end(begun)
    assert told["failed"] == [] and told["max_ms"] > 2000
    assert syncd_pid(service) != pid
    assert service.get("/status", key=None)[1]["syncservice"]["last_cause"].startswith("it hung")


def test_a_refused_configuration_is_told_and_left(service):  # noqa: F811
    file = service.county.folder / "etc/terrafusion.yaml"
    good = file.read_text()
    file.write_text(good + "limitz: {operations: 2}\n")
    os.kill(syncd_pid(service), signal.SIGKILL)
    status = service.wait(lambda: (s := service.get("/status", key=None)[1]["syncservice"])["state"] == "refused" and s, "the refusal")
    assert status["status"] == "not running" and "limitz" in status["reason"] and "terrafusion.yaml:" in status["reason"] and status["remedy"]
    time.sleep(1)
    assert service.pids("terrafusion-syncd") == []
    code, problem, headers = service.get("/api/sync/active")
    assert code == 503 and problem["code"] == "TF-6011" and "limitz" in problem["detail"] and headers["Retry-After"]
    code, answer, _ = service.post("/start-syncservice")
    assert code == 500 and answer["status"] == "error" and "limitz" in answer["detail"], answer
    file.write_text(good)
    code, answer, _ = service.post("/start-syncservice")
    assert (code, answer["status"]) == (200, "started"), answer
    assert service.get("/start-syncservice")[1]["status"] == "already running"
    pid = syncd_pid(service)
    code, answer, _ = service.get("/start-syncservice?restart=true")
    assert (code, answer["status"]) == (200, "started") and syncd_pid(service) != pid
    assert service.get("/status", key=None)[1]["syncservice"]["last_cause"].startswith("asked for")
