# SPDX-License-Identifier: Apache-2.0
"""Following the log of a PostgreSQL source: the servers, table and mapping of the copy's measurement (100,000 records of it), strategy log.
  log-apply-rows-s           changes a second of a backlog of small transactions (one update each, every record once): decoded, converted, checked,
                             fetched, journalled, written, remembered; the worker's start included
  log-latency-p50-ms         from commit at the source to the reply to the durable COMMIT at the target, under 1,000 transactions a second from
  log-latency-p99-ms         four sessions: a continuous operation's own times
  log-latency-p50-ratio      these over those of native logical replication in the same run, taking turns: from commit at the source to when its
  log-latency-p99-ratio      subscription writes the row, before it commits"""
import json
import shutil
import socket
import statistics
import subprocess
import threading
import time

import harness
import postgresql_copy

FIGURES = {
    "log-apply-rows-s": ("1/s", ">= 16000"),
    "log-latency-p50-ms": ("ms", "<= 3"),
    "log-latency-p99-ms": ("ms", "<= 10"),
    "log-latency-p50-ratio": ("ratio", "<= 2"),
    "log-latency-p99-ratio": ("ratio", "<= 2"),
}
RECORDS, BACKLOG, RATE, SESSIONS = 100_000, 20_000, 1000, 4
SMALL = """
create or replace procedure small_transactions(from_id bigint, to_id bigint) language plpgsql as $$
begin
        for i in from_id .. to_id loop
                update assessment set land_value = land_value + 1, updated_at = now() where parcel_id = i;
                commit;
        end loop;
end $$"""


class Followed(postgresql_copy.Assessment):
    def __init__(self, folder, servers):
        super().__init__(folder / "log", servers, RECORDS)
        file = self.folder / "etc/mappings/bench.yaml"
        file.write_text(file.read_text().replace("    fields:\n", "    detect: {strategy: log}\n    fields:\n", 1))
        servers.sql("source", SMALL)
        self.next = 1

    def backlog(self, seconds):
        """Seconds of an incremental run over that many small transactions."""
        if self.next + BACKLOG > RECORDS:
            self.next = 1
        self.servers.sql("source", "set synchronous_commit = off", f"call small_transactions({self.next}, {self.next + BACKLOG - 1})")
        self.next += BACKLOG
        elapsed, memory = self.sync("incremental", allow=["max_changes"])
        seconds.append(elapsed)
        return memory

    def equal(self):
        self.expected = self.servers.sql("source", postgresql_copy.CHECK.format(table="assessment"))
        self.check("what the log left", "bench_assessment")


def load(address, seconds):
    """RATE transactions a second, of one update each."""
    import psycopg2     # only here: all other figures are measured without it

    def session(number):
        db = psycopg2.connect(address)
        db.autocommit = True
        begin, i = time.monotonic(), 0
        with db.cursor() as cursor:
            while time.monotonic() < begin + seconds:
                cursor.execute("update assessment set land_value = land_value + 1, updated_at = now() where parcel_id = %s",
                               (1 + (i * SESSIONS + number) * 7919 % RECORDS,))
                i += 1
                wait = begin + i * SESSIONS / RATE - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
        done.append(i)

    done = []
    threads = [threading.Thread(target=session, args=(number,)) for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


class Listener(threading.Thread):
    """What the worker would tell syncd."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.last = {}

    def run(self):
        while True:
            try:
                hint = json.loads(self.socket.recv(65536))
            except OSError:
                return
            if "log" in hint:
                self.last = hint["log"]


def ours(place, seconds, options):
    path = place.folder / "run/progress.sock"
    path.unlink(missing_ok=True)
    listener = Listener(path)
    listener.start()
    operation = harness.insert_operation(place.folder / "state", place.environment(), "continuous", "bench", {"allow": ["max_changes"]})
    worker = subprocess.Popen([harness.WORKER, operation], env=place.environment())
    while not listener.last:
        time.sleep(0.05)
    rate = load(place.servers.address("source"), seconds)
    time.sleep(1.5)
    last = listener.last
    worker.terminate()
    worker.wait()
    place.equal()
    options.note(f"ours at {rate:.0f}/s: p50 {last['p50_usec'] / 1000:.2f} ms, p99 {last['p99_usec'] / 1000:.2f} ms")
    return last["p50_usec"] / 1000, last["p99_usec"] / 1000


def native(servers, seconds, options):
    """A subscription of the target's server. What it commits carries the source's time of commit, so a trigger notes when it writes."""
    servers.sql("source", "drop publication if exists native", "create publication native for table assessment")
    servers.sql("target", "drop table if exists assessment")
    servers.sql("target", "create table assessment " + postgresql_copy.TABLE.format(key="primary key"),
                "alter table assessment add column applied_at timestamptz",
                "create or replace function note_time() returns trigger language plpgsql as "
                "$$ begin new.applied_at = clock_timestamp(); return new; end $$",
                "create trigger note_time before update on assessment for each row execute function note_time()",
                "alter table assessment enable always trigger note_time")
    servers.sql("target", f"create subscription native connection '{servers.address('source')}' publication native")
    while servers.sql("target", "select count(*) from pg_subscription_rel where srsubstate <> 'r'") != "0":
        time.sleep(0.1)
    begin = servers.sql("source", "select clock_timestamp()")
    rate = load(servers.address("source"), seconds)
    time.sleep(1.5)
    times = {}
    for name, time_of in (("source", "pg_xact_commit_timestamp(xmin)"), ("target", "applied_at")):
        rows = servers.sql(name, f"select parcel_id, extract(epoch from {time_of}) from assessment where updated_at > '{begin}'")
        times[name] = dict(row.split("|") for row in rows.splitlines())
    delays = sorted(float(at) - float(times["source"][key]) for key, at in times["target"].items())
    servers.sql("target", "drop subscription native", "drop table assessment")
    servers.sql("source", "drop publication native")
    p50, p99 = delays[len(delays) // 2] * 1000, delays[len(delays) * 99 // 100] * 1000
    options.note(f"native at {rate:.0f}/s: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    return p50, p99


def measure_latency(place, servers, options):
    seconds = 5 if options.turns <= 2 else 8
    mine, theirs = [], []
    for _ in range(min(options.turns, 3)):
        mine.append(ours(place, seconds, options))
        theirs.append(native(servers, seconds, options))
    for i, name in enumerate(("p50", "p99")):
        yield f"log-latency-{name}-ms", statistics.median(one[i] for one in mine)
        yield f"log-latency-{name}-ratio", statistics.median(a[i] / b[i] for a, b in zip(mine, theirs))


def measure(names, options):
    tuning, postgresql_copy.TUNING = postgresql_copy.TUNING, [*postgresql_copy.TUNING, "track_commit_timestamp=on"]
    servers = postgresql_copy.Servers(options.folder / "log")
    postgresql_copy.TUNING = tuning
    try:
        place = Followed(options.folder, servers)
        place.make("bench_assessment", True)
        place.sync("incremental")
        place.equal()
        if "log-apply-rows-s" in names:
            seconds = []
            for _ in range(min(options.turns, 5)):
                memory = place.backlog(seconds)
                options.note(f"{BACKLOG} small transactions in {seconds[-1]:.2f} s ({BACKLOG / seconds[-1]:,.0f}/s, {memory:.0f} MiB)")
            place.equal()
            yield "log-apply-rows-s", BACKLOG / statistics.median(seconds)
        if any(name.startswith("log-latency") for name in names):
            for name, value in measure_latency(place, servers, options):
                if name in names:
                    yield name, value
    finally:
        servers.stop()
        shutil.rmtree(options.folder / "log", ignore_errors=True)
