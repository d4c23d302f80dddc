# SPDX-License-Identifier: Apache-2.0
"""The gateway beside nginx with the same duty (check the key, pass on over kept unix connections), taking turns; load by wrk on
loopback with 64 connections. Both ask a C program that answers 478 bytes at once (backend.c), so that they are the bottleneck.
  gateway-nginx-ratio        requests/s over nginx's
  gateway-nginx-cpu-ratio    CPU time a request over nginx's, of the proxy alone
  gateway-nginx-syncd-ratio  requests/s over nginx's with the real sync service behind (/api/sync/active), which then is the bottleneck
  gateway-origin-ratio       requests/s over Flask's development server before FastAPI, as the original was run (8 connections);
                             needs flask requests fastapi uvicorn: TERRAFUSION_BENCH_PYTHON names a python that has them, else it is left out
  gateway-rss-mb             proportional memory of a gateway that rests
  gateway-start-ms           from its start to its first answer
  gateway-idle-kb            what one of 1,000 idle connections adds to it"""
import os
import pathlib
import re
import resource
import signal
import socket
import statistics
import subprocess
import time

import harness
from place import compile_program

FIGURES = {
    "gateway-nginx-ratio": ("ratio", ">= 0.8; >= 1.0"),
    "gateway-nginx-cpu-ratio": ("ratio", "<= 1.4; <= 1.0"),
    "gateway-nginx-syncd-ratio": ("ratio", ""),
    "gateway-origin-ratio": ("ratio", ">= 40; >= 60"),
    "gateway-rss-mb": ("MiB", "<= 6; <= 4"),
    "gateway-start-ms": ("ms", "<= 15; <= 10"),
    "gateway-idle-kb": ("KiB", "<= 17; <= 4"),
}
KEY = "a-key-for-benchmarks"
PATH = "/api/sync/active"
CONNECTIONS = 64
NGINX = """\
worker_processes 1; daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log crit; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; use epoll; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 75s;
 client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
 map $http_x_api_key $known {{ default 0; "{key}" 1; }}
 upstream syncd {{ server unix:{folder}/run/syncd.sock; keepalive 512; keepalive_requests 100000000; }}
 server {{ listen 127.0.0.1:{port} backlog=4096;
  location /api/ {{ if ($known = 0) {{ return 401; }} proxy_pass http://syncd; proxy_http_version 1.1; proxy_set_header Connection "";
   proxy_set_header X-API-Key ""; proxy_set_header X-TerraFusion-Identity "api-key;read"; proxy_set_header X-Request-Id $request_id;
   proxy_set_header X-Forwarded-For $remote_addr; }} }} }}
"""
WRK = """\
wrk.headers["X-API-Key"] = "{key}"
function done(s, l, r) io.write(string.format("RESULT %d %d %d\\n", s.requests, s.duration,
        s.errors.connect + s.errors.read + s.errors.write + s.errors.status + s.errors.timeout)) end
"""
FASTAPI = """\
from fastapi import FastAPI
app = FastAPI()
@app.get("/api/sync/active")
async def active():
    return {"status": "UP", "filler": "x" * 446}
"""
FLASK = """\
import hmac, logging, sys, requests
from flask import Flask, Response, jsonify, request
app = Flask(__name__)
@app.route("/api/<path:path>", methods=["GET", "POST"])
def proxy(path):
    if not hmac.compare_digest(request.headers.get("X-API-Key", ""), "KEY"):
        return jsonify(error="unauthorized"), 401
    answer = requests.request(request.method, "http://127.0.0.1:" + sys.argv[2] + "/api/" + path, params=request.args, data=request.get_data(),
                              headers={k: v for k, v in request.headers if k.lower() not in ("host", "connection")}, timeout=30)
    return Response(answer.content, answer.status_code, [(k, v) for k, v in answer.headers.items() if k.lower() in ("content-type",)])
logging.getLogger("werkzeug").setLevel(logging.ERROR)
app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, path=PATH):
    """The status of one request."""
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nConnection: close\r\n\r\n".encode())
        return int(s.recv(4096).split(b" ")[1])


class Program:
    """Started, ready when it answers 200, stopped with its process group."""

    def __init__(self, command, port, environment=None, path=PATH, log=subprocess.DEVNULL):
        self.port, self.path = port, path
        start = time.perf_counter()
        self.process = subprocess.Popen([str(c) for c in command], env=environment, start_new_session=True, stdout=log, stderr=log)
        while True:
            try:
                if ask(port, path) == 200:
                    break
            except (OSError, IndexError, ValueError):
                pass
            if time.perf_counter() - start > 20 or self.process.poll() is not None:
                self.stop()
                raise SystemExit(f"bench: {command[0]} did not start")
            time.sleep(0.0005)
        self.start_ms = (time.perf_counter() - start) * 1000

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def cpu_ns(self):
        return sum(int(p.read_text().split()[0]) for p in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"))

    def pss_kib(self):
        return int(re.search(r"^Pss: +(\d+)", pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text(), re.M)[1])


def load(folder, program, connections=CONNECTIONS, seconds=3):
    """Requests/s and the program's own CPU in µs a request. A request that fails ends the run."""
    script = folder / "wrk.lua"
    script.write_text(WRK.format(key=KEY))
    before = program.cpu_ns()
    text = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script,
                           f"http://127.0.0.1:{program.port}{program.path}"], capture_output=True, text=True, check=True).stdout
    requests, usec, errors = map(int, re.search(r"RESULT (\d+) (\d+) (\d+)", text).groups())
    if errors or not requests:
        raise SystemExit(f"bench: {errors} of {requests} requests failed:\n{text}")
    return requests / usec * 1e6, (program.cpu_ns() - before) / requests / 1000


class Place:
    def __init__(self, folder, syncd):
        self.folder = folder
        self.county = harness.County.create(folder / "county")
        (self.county.folder / "run").mkdir(exist_ok=True)
        self.syncd = syncd
        self.environment = self.county.environment(TERRAFUSION_WORKER=str(harness.WORKER), LOG_LEVEL="warning", SYNC_SERVICE_API_KEY=KEY)

    def gateway(self):
        port = free_port()
        return Program([harness.BUILD / "src/gateway/terrafusion-gateway", "--standalone", "--port", port, "--sync-port", free_port(),
                        "--syncd", self.syncd], port, self.environment)

    def nginx(self):
        port = free_port()
        conf = self.county.folder / "nginx.conf"
        conf.write_text(NGINX.format(folder=self.county.folder, key=KEY, port=port))
        return Program(["nginx", "-e", f"{self.county.folder}/nginx.log", "-c", conf], port)


def turns(place, options, label):
    """Rates and CPU a request as pairs of gateway and nginx."""
    with place.gateway() as gateway, place.nginx() as nginx:
        load(place.folder, gateway, seconds=1)
        load(place.folder, nginx, seconds=1)
        for turn in range(options.turns):
            ours, theirs = load(place.folder, gateway), load(place.folder, nginx)
            options.note(f"{label}, turn {turn + 1}: gateway {ours[0]:.0f}/s {ours[1]:.1f} us, nginx {theirs[0]:.0f}/s {theirs[1]:.1f} us")
            yield ours, theirs


def measure_nginx(names, options, backend):
    if {"gateway-nginx-ratio", "gateway-nginx-cpu-ratio"} & set(names):
        pairs = list(turns(Place(options.folder / "fast", backend), options, "fast"))
        for name, i in (("gateway-nginx-ratio", 0), ("gateway-nginx-cpu-ratio", 1)):
            if name in names:
                yield name, statistics.median(ours[i] / theirs[i] for ours, theirs in pairs)
    if "gateway-nginx-syncd-ratio" in names:
        place = Place(options.folder / "syncd", harness.BUILD / "src/syncd/terrafusion-syncd")
        yield "gateway-nginx-syncd-ratio", statistics.median(ours[0] / theirs[0] for ours, theirs in turns(place, options, "syncd"))


def measure_origin(options, backend):
    python = os.environ.get("TERRAFUSION_BENCH_PYTHON")
    if not python:
        options.note("gateway-origin-ratio: TERRAFUSION_BENCH_PYTHON is not set")
        return
    folder = options.folder / "origin"
    place = Place(folder, backend)
    (folder / "fast.py").write_text(FASTAPI)
    (folder / "flask_gateway.py").write_text(FLASK.replace("KEY", KEY))
    upstream, port = free_port(), free_port()
    with Program([python, "-m", "uvicorn", "--app-dir", folder, "--port", upstream, "--no-access-log", "--log-level", "error", "fast:app"],
                 upstream), \
            Program([python, folder / "flask_gateway.py", port, upstream], port) as origin, place.gateway() as gateway:
        ratios = []
        for turn in range(options.turns):
            ours, theirs = load(folder, gateway, 8, 2), load(folder, origin, 8, 2)
            options.note(f"origin, turn {turn + 1}: gateway {ours[0]:.0f}/s, Flask and FastAPI {theirs[0]:.0f}/s")
            ratios.append(ours[0] / theirs[0])
    yield "gateway-origin-ratio", statistics.median(ratios)


def idle_kib(gateway, n=1000):
    """Each asked once, since a connection's memory is touched with its first request."""
    clients = []
    before = gateway.pss_kib()
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", gateway.port), 5)
        s.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        if b" 200 " not in s.recv(4096):
            raise SystemExit("bench: an idle connection was not served")
        clients.append(s)
    added = gateway.pss_kib() - before
    for s in clients:
        s.close()
    return added / n


def measure_rest(names, options, backend):
    place = Place(options.folder / "rest", backend)
    values = {"gateway-start-ms": [], "gateway-rss-mb": [], "gateway-idle-kb": []}
    for _ in range(options.turns):
        port = free_port()
        command = [harness.BUILD / "src/gateway/terrafusion-gateway", "--standalone", "--port", port, "--sync-port", free_port(), "--syncd", backend]
        with Program(command, port, place.environment, "/health/live") as gateway:
            values["gateway-start-ms"].append(gateway.start_ms)
            ask(port)
            values["gateway-rss-mb"].append(gateway.pss_kib() / 1024)
            values["gateway-idle-kb"].append(idle_kib(gateway))
    for name, found in values.items():
        if name in names:
            yield name, statistics.median(found)


def measure(names, options):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    backend = compile_program(options.folder, "backend")
    for place in ("fast", "syncd", "origin", "rest"):
        (options.folder / place).mkdir(exist_ok=True)
    yield from measure_nginx(names, options, backend)
    if "gateway-origin-ratio" in names:
        yield from measure_origin(options, backend)
    if {"gateway-start-ms", "gateway-rss-mb", "gateway-idle-kb"} & set(names):
        yield from measure_rest(names, options, backend)
