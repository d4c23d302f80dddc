# SPDX-License-Identifier: Apache-2.0
"""Bringing changes to a PostgreSQL target that holds its records already: the servers and the table of the copy's measurement, and an index
on updated_at, by which the source is asked for what changed. A turn changes one record in ten and adds one in a hundred.
  apply-upsert-rows-s        changed records a second in an incremental sync: found by watermark, converted, checked, fetched (their
                             before images), journalled, written, remembered; the worker's start included
  apply-upsert-ratio         that rate over one prepared INSERT … ON CONFLICT a record and round trip (prepared.c), in commits of 1,000,
                             which keeps no before image
  apply-noop-ratio           rate of a full sync that remembers nothing and finds every record at the target as it should be, over reading
                             both sides by a C program (pipe.c), one after the other"""
import statistics

import postgresql_copy
from place import compile_program, seconds_of

FIGURES = {
    "apply-upsert-rows-s": ("1/s", ">= 45000"),
    "apply-upsert-ratio": ("ratio", ">= 5"),
    "apply-noop-ratio": ("ratio", ">= 0.7"),
}


class Roll(postgresql_copy.Assessment):
    """Both sides with the same records, and what changes them."""

    def __init__(self, folder, servers, records):
        super().__init__(folder / "apply", servers, records)
        file = self.folder / "etc/mappings/bench.yaml"
        file.write_text(file.read_text().replace("    fields:\n", "    detect: {strategy: watermark, column: updated_at}\n"
                                                 "    deletes: ignore\n    fields:\n", 1))
        servers.sql("source", "create index on assessment (updated_at)")
        self.turn, self.since = 0, None

    def change(self):
        """Gives how many records are another."""
        self.turn += 1
        self.since = self.servers.sql("source", "select clock_timestamp()")
        n_added = self.records // 100
        columns = ", ".join("parcel_id + %d" % (self.turn * self.records) if name == "parcel_id" else "now()" if name == "updated_at" else name
                            for name in postgresql_copy.COLUMNS)
        changed = self.servers.sql(
            "source",
            f"with c as (update assessment set land_value = land_value + 1, legal = 'CHANGED ' || {self.turn}, updated_at = now() "
            f"where parcel_id % 10 = {self.turn % 10} and parcel_id <= {self.records} returning 1) select count(*) from c",
            f"insert into assessment select {columns} from assessment where parcel_id <= {n_added}",
            "analyze assessment", "checkpoint")
        self.servers.sql("target", "checkpoint")
        # The horizon lies two seconds behind the clock: what is to be found has to be older.
        self.servers.sql("source", "select pg_sleep(2.1)")
        self.expected = self.servers.sql("source", postgresql_copy.CHECK.format(table="assessment"))
        return int(changed) + n_added

    def incremental(self):
        result = self.sync("incremental")
        self.check("what the incremental sync left", "bench_assessment")
        return result

    def prepared(self, program):
        """Seconds of the peer, which writes the same records into a copy of the target's table."""
        self.servers.sql("target", "drop table if exists prepared", "create table prepared (like bench_assessment including all)",
                         "insert into prepared select * from bench_assessment", "vacuum analyze prepared", "checkpoint")
        query = f"select {', '.join(postgresql_copy.COLUMNS)} from assessment where updated_at >= '{self.since}'"
        seconds = seconds_of([program, self.servers.address("source"), query, self.servers.address("target"), "prepared"])
        self.check("what the peer wrote", "prepared")
        return seconds


def measure_upserts(place, names, options):
    program = compile_program(options.folder, "prepared", "-D_GNU_SOURCE", "-I/usr/include/postgresql", "-lpq")
    rates, ratios = [], []
    for _ in range(options.turns):
        n = place.change()
        peer = place.prepared(program) if "apply-upsert-ratio" in names else 0
        seconds, memory = place.incremental()
        rates.append(n / seconds)
        if peer:
            ratios.append(peer / seconds)
        options.note(f"{n} changes in {seconds:.2f} s ({n / seconds:,.0f}/s, {memory:.0f} MiB); prepared round trips {peer:.2f} s")
    if "apply-upsert-rows-s" in names:
        yield "apply-upsert-rows-s", statistics.median(rates)
    if ratios:
        yield "apply-upsert-ratio", statistics.median(ratios)


def measure_noop(place, options):
    program = compile_program(options.folder, "pipe", "-D_GNU_SOURCE", "-I/usr/include/postgresql", "-lpq")
    target = f"select {', '.join(postgresql_copy.COLUMNS)} from bench_assessment"
    ratios = []
    place.servers.sql("target", "vacuum analyze bench_assessment")
    for _ in range(options.turns):
        place.forget()
        seconds, memory = place.sync(allow=["first_write"])
        theirs = place.read(program) + seconds_of([program, place.servers.address("target"), target, "-"])
        options.note(f"nothing differs {seconds:.2f} s ({memory:.0f} MiB); reading both sides {theirs:.2f} s")
        ratios.append(theirs / seconds)
    place.check("the target after syncs that found nothing", "bench_assessment")
    return statistics.median(ratios)


def measure(names, options):
    servers = postgresql_copy.Servers(options.folder / "apply")
    try:
        place = Roll(options.folder, servers, options.records)
        place.first_sync()
        if "apply-noop-ratio" in names:
            yield "apply-noop-ratio", measure_noop(place, options)
        if set(names) & {"apply-upsert-rows-s", "apply-upsert-ratio"}:
            yield from measure_upserts(place, names, options)
    finally:
        servers.stop()
