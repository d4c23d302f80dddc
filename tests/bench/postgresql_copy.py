# SPDX-License-Identifier: Apache-2.0
"""Copying from PostgreSQL to PostgreSQL: two servers of the bench's own with fsync on, 25 mixed columns of some 250 bytes,
ten constraints (assessment.yaml); the target's table has its primary key.
  full-copy-ratio            rate of a first full sync, with conversion, constraints, baseline, journal and checkpoint, over the
                             rate of a C program that hands binary COPY from one server to the other (pipe.c), into a table
                             of the source's types without any index. Ours has its primary key to keep up
  full-copy-key-ratio        the same over the pipe into a table with the primary key: what COPY can do into our target
  full-copy-psql-ratio       over psql | psql, into the same table with its key
  full-copy-pgcopydb-ratio   over pgcopydb with one job, schema and key included; it maps, checks and remembers nothing
  full-copy-rss-mb-N         peak resident memory of the worker in a first full sync of N records
  resync-ratio               rate of a full sync that finds nothing changed, over the C program that only reads"""
import shutil
import statistics
import subprocess

from place import HERE, Place, compile_program, demand_equal, seconds_of

FIGURES = {
    "full-copy-ratio": ("ratio", ">= 0.35; >= 0.70"),
    "full-copy-key-ratio": ("ratio", ""),
    "full-copy-psql-ratio": ("ratio", ""),
    "full-copy-pgcopydb-ratio": ("ratio", "; >= 1"),
    "full-copy-rss-mb": ("MiB", "<= 128; <= 48"),
    "resync-ratio": ("ratio", ">= 0.5; >= 0.85"),
}
SERVER = HERE.parent / "servers/postgresql"
TUNING = ["shared_buffers=1GB", "max_wal_size=8GB", "min_wal_size=1GB", "checkpoint_timeout=15min", "autovacuum=off", "jit=off",
          "max_parallel_workers_per_gather=0", "maintenance_work_mem=512MB"]
SETTINGS = """\
systems:
  cad:
    kind: postgresql
    connection: "{source}"
  tax:
    kind: postgresql
    access: write
    connection: "{target}"
"""
COLUMNS = ["parcel_id", "parcel_no", "owner_name", "mail_street", "mail_city", "mail_state", "mail_zip", "situs", "class_code",
           "land_value", "building_value", "market_value", "assessed_value", "exempt_value", "acres", "living_area", "year_built",
           "bedrooms", "deed_date", "appraised_on", "active", "homestead", "legal", "created_at", "updated_at"]
TABLE = """(parcel_id bigint not null {key}, parcel_no text not null, owner_name text not null, mail_street text, mail_city text,
        mail_state text, mail_zip text, situs text, class_code text not null, land_value numeric(14,2) not null,
        building_value numeric(14,2), market_value numeric(14,2) not null, assessed_value numeric(14,2) not null,
        exempt_value numeric(14,2), acres numeric(14,4), living_area integer, year_built integer, bedrooms integer,
        deed_date date, appraised_on date not null, active boolean not null, homestead boolean, legal text,
        created_at timestamptz not null, updated_at timestamptz not null)"""
# n: 1, 2, 3 …; h: a hash of it, so that values do not come in order. About one value in ten is null.
SOURCE = "create table assessment " + TABLE.format(key="primary key") + """;
insert into assessment select n, 'LC-' || lpad(n::text, 8, '0'),
        (array['BAKER', 'CARTER', 'DIXON', 'FLORES', 'HAYES', 'KELLER', 'MORGAN', 'TURNER'])[1 + h % 8] || ' ' ||
        (array['ANNA', 'BEN', 'CLARA', 'DAVID', 'ELLEN', 'FRANK'])[1 + h / 8 % 6] || case when h % 3 = 0 then ' AND SPOUSE' else '' end,
        h / 64 % 9000 || ' ' || (array['NORTH MAIN ST', 'RIVER RD', 'LAKESHORE DR', 'STATE ROUTE 2'])[1 + h / 512 % 4],
        (array['TOLEDO', 'OREGON', 'MAUMEE', 'SYLVANIA'])[1 + h / 4096 % 4], 'OH', lpad((h / 32 % 100000)::text, 5, '0'),
        case when h % 20 <> 0 then h / 128 % 9000 || ' ' || (array['CEDAR AVE', 'WALNUT ST', 'MAPLE CT'])[1 + h / 32768 % 3] end,
        (array['R', 'R', 'R', 'C', 'A', 'I'])[1 + h / 2048 % 6], (h % 16777216) / 100.0,
        case when h % 5 <> 0 then (h / 16 % 67108864) / 100.0 end, (h / 4 % 67108864) / 100.0, (h / 8 % 67108864) / 100.0,
        case when h % 4 = 0 then 100000 end, (h / 256 % 1048576) / 10000.0, case when h % 5 <> 0 then 800 + h / 1024 % 4096 end,
        case when h % 5 <> 0 then 1920 + h / 8192 % 104 end, case when h % 6 <> 0 then 1 + h / 16384 % 4 end,
        case when h % 7 <> 0 then date '1980-01-01' + (h / 64 % 16000)::integer end, date '2024-01-01' + (h / 512 % 365)::integer,
        h % 50 <> 0, case when h % 9 <> 0 then h % 2 = 0 end,
        'LOT ' || h / 32 % 64 || ' BLK ' || h / 2048 % 32 || ', ' || (array['ORIGINAL PLAT', 'RIVER BEND', 'OAK OPENINGS'])[1 + h / 262144 % 3],
        timestamptz '2015-01-01 00:00+00' + h / 8 % 300000000 * interval '1 second',
        timestamptz '2024-01-01 00:00+00' + n * interval '10 seconds' + h % 1048576 * interval '1 microsecond'
   from (select n, hashint8(n)::bigint & 2147483647 as h from generate_series(1, {records}) n) counted;
vacuum analyze assessment;
checkpoint;"""
# Of every kind of column something that a lost, doubled or bent value would change.
CHECK = """select count(*), sum(parcel_id), sum(land_value), sum(building_value), sum(exempt_value), sum(acres), sum(living_area),
        count(year_built), sum(length(owner_name) + length(parcel_no)), count(situs), sum(deed_date - date '2000-01-01'),
        count(*) filter (where active), count(*) filter (where homestead), sum(extract(epoch from updated_at)) from {table}"""


class Servers:
    """Source and target, each a server of its own."""

    def __init__(self, folder):
        self.folders = {"source": folder / "source", "target": folder / "target"}
        self.addresses = {}
        for name, path in self.folders.items():
            started = subprocess.run([SERVER, "start", path, *TUNING], check=True, capture_output=True, text=True)
            self.addresses[name] = started.stdout.strip()

    def stop(self):
        for path in self.folders.values():
            subprocess.run([SERVER, "stop", path], check=False)

    def address(self, name, database="postgres"):
        return f"{self.addresses[name]} dbname={database}"

    def sql(self, name, *statements, database="postgres"):
        command = ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", self.address(name, database)]
        done = subprocess.run([*command, *[word for one in statements for word in ("-c", one)]], check=True, capture_output=True, text=True)
        return done.stdout.strip()


class Assessment(Place):
    def __init__(self, folder, servers, records):
        settings = SETTINGS.format(source=servers.address("source"), target=servers.address("target"))
        super().__init__(folder / f"postgresql-{records}", settings, "assessment.yaml")
        self.servers, self.records = servers, records
        servers.sql("source", "drop table if exists assessment", *SOURCE.format(records=records).split(";\n"))
        self.expected = servers.sql("source", CHECK.format(table="assessment"))
        self.query = f"select {', '.join(COLUMNS)} from assessment"

    def make(self, table, key):
        self.servers.sql("target", f"drop table if exists {table}", f"create table {table} " + TABLE.format(key="primary key" if key else ""),
                         "checkpoint")

    def check(self, what, table, database="postgres"):
        demand_equal(what, self.servers.sql("target", CHECK.format(table=table), database=database), self.expected)

    def first_sync(self):
        self.forget()
        self.make("bench_assessment", True)
        result = self.sync()
        self.check("what the sync wrote", "bench_assessment")
        return result

    def pipe(self, program, key):
        self.make("piped", key)
        seconds = seconds_of([program, self.servers.address("source"), self.query, self.servers.address("target"), "piped"])
        self.check("what the pipe copied", "piped")
        return seconds

    def psql(self):
        self.make("piped", True)
        seconds = seconds_of(["bash", "-c", 'set -o pipefail; psql -qX "$1" -c "copy ($2) to stdout (format binary)" | '
                              'psql -qX "$3" -c "copy piped from stdin (format binary)"', "psql",
                              self.servers.address("source"), self.query, self.servers.address("target")])
        self.check("what psql copied", "piped")
        return seconds

    def pgcopydb(self):
        self.servers.sql("target", "drop database if exists copied", "create database copied", "checkpoint")
        folder = self.folder / "pgcopydb"
        shutil.rmtree(folder, ignore_errors=True)
        command = ["pgcopydb", "clone", "--source", self.servers.address("source"), "--target", self.servers.address("target", "copied"),
                   "--table-jobs", "1", "--index-jobs", "1", "--not-consistent", "--dir", folder]
        seconds = seconds_of(command, stderr=subprocess.DEVNULL)
        self.check("what pgcopydb copied", "assessment", "copied")
        return seconds

    def read(self, program):
        return seconds_of([program, self.servers.address("source"), self.query, "-"])


def measure_copies(place, names, options):
    """Every turn: ours, then each of the others; so all ratios are of one and the same run."""
    program = compile_program(options.folder, "pipe", "-D_GNU_SOURCE", "-I/usr/include/postgresql", "-lpq")
    others = {
        "full-copy-ratio": lambda: place.pipe(program, False),
        "full-copy-key-ratio": lambda: place.pipe(program, True),
        "full-copy-psql-ratio": place.psql,
        "full-copy-pgcopydb-ratio": place.pgcopydb,
    }
    if "full-copy-pgcopydb-ratio" in names and not shutil.which("pgcopydb"):
        options.note("pgcopydb is not installed: full-copy-pgcopydb-ratio is left out")
        del others["full-copy-pgcopydb-ratio"]
    others = {name: other for name, other in others.items() if name in names}
    ratios = {name: [] for name in others}
    place.first_sync()      # warm
    for _ in range(options.turns):
        ours, memory = place.first_sync()
        text = f"first sync {ours:.2f} s ({place.records / ours:,.0f} records/s, {memory:.0f} MiB)"
        for name, other in others.items():
            theirs = other()
            text += f"; {name.removeprefix('full-copy-').removesuffix('ratio').rstrip('-') or 'pipe'} {theirs:.2f} s"
            ratios[name].append(theirs / ours)
        options.note(text)
    for name, values in ratios.items():
        yield name, statistics.median(values)


def measure_resync(place, options):
    program = compile_program(options.folder, "pipe", "-D_GNU_SOURCE", "-I/usr/include/postgresql", "-lpq")
    ratios = []
    place.first_sync()
    for _ in range(options.turns):
        ours, memory = place.sync()
        theirs = place.read(program)
        options.note(f"nothing changed {ours:.2f} s ({place.records / ours:,.0f} records/s, {memory:.0f} MiB); read {theirs:.2f} s")
        ratios.append(theirs / ours)
    place.check("the target after syncs that had nothing to do", "bench_assessment")
    return statistics.median(ratios)


def measure(names, options):
    servers = Servers(options.folder)
    try:
        place = Assessment(options.folder, servers, options.records) if set(names) - {"full-copy-rss-mb"} else None
        if any(name.startswith("full-copy") and name != "full-copy-rss-mb" for name in names):
            yield from measure_copies(place, names, options)
        if "resync-ratio" in names:
            yield "resync-ratio", measure_resync(place, options)
        if "full-copy-rss-mb" in names:
            for records in sorted({min(100_000, options.records), options.records}):
                yield f"full-copy-rss-mb-{records}", Assessment(options.folder / "rss", servers, records).first_sync()[1]
    finally:
        servers.stop()
