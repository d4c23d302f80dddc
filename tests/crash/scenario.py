# SPDX-License-Identifier: Apache-2.0
"""A run that is killed, and what must be true afterwards."""
import harness


class Scenario:
    """A county before a run, what an undisturbed run of it gives, and the points to kill it at."""

    def __init__(self, folder, kind, before):
        self.kind = kind
        self.before = before
        calm = before.copy(folder / "calm")
        self.operation = calm.run(kind)
        self.snapshot = harness.snapshot(calm)
        self.results = harness.results(calm, self.operation)
        harness.check(calm, self.operation, self.results)
        harness.check_against_source(calm, deletes_seen=True)
        counted = before.copy(folder / "counted")
        self.counts = harness.count_calls(counted, counted.insert_operation(kind))
        self.calm = calm

    def disturb(self, folder, kills):
        county = self.before.copy(folder)
        operation = county.insert_operation(self.kind)
        for call, k in kills:
            county.worker(operation, harness.killed_at(call, k))
        for _ in range(3):
            status = county.rows("state/state.db", "select status from operation where id = ?", operation)
            if status == [("COMPLETED",)]:
                break
            done = county.worker(operation)
            assert done.returncode in (0, 3, 75), done.stderr
        harness.check(county, operation, self.results)
        assert harness.snapshot(county) == self.snapshot
        county.remove()

    def point(self, index, n):
        chosen = harness.points(self.counts, n)
        return chosen[index % len(chosen)]


def full(folder, store, mapping=harness.MAPPING):
    return Scenario(folder, "full", harness.County.create(folder / "before", store, mapping))


def incremental(folder, full_run):
    before = full_run.calm.copy(folder / "before")
    harness.change_source(before.folder / "pacs.db")
    return Scenario(folder, "incremental", before)
