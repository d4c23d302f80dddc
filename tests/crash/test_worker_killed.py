# SPDX-License-Identifier: Apache-2.0
"""Campaign C1 and C2, sampled: the worker is killed at system calls of a full run, of an incremental run, and again in recovery.
Afterwards the target equals an undisturbed run's, and counts and journal add up."""
import shutil

import harness
import pytest

N_FULL, N_INCREMENTAL, N_TWICE = 120, 120, 60


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
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    return Scenario(folder, "full", harness.County.create(folder / "before"))


@pytest.fixture(scope="module")
def incremental(tmp_path_factory, full):
    folder = tmp_path_factory.mktemp("incremental")
    before = full.calm.copy(folder / "before")
    harness.change_source(before.folder / "pacs.db")
    return Scenario(folder, "incremental", before)


def point(scenario, index, n):
    chosen = harness.points(scenario.counts, n)
    return chosen[index % len(chosen)]


def test_there_are_points_to_kill_at(full, incremental):
    assert sum(full.counts.values()) > 200 and sum(incremental.counts.values()) > 200
    assert full.results["parcel"][1] > 200 and incremental.results["sale"][3] > 0


@pytest.mark.parametrize("index", range(N_FULL))
def test_killed_in_a_full_run(full, tmp_path, index):
    full.disturb(tmp_path / "county", [point(full, index, N_FULL)])


@pytest.mark.parametrize("index", range(N_INCREMENTAL))
def test_killed_in_an_incremental_run(incremental, tmp_path, index):
    incremental.disturb(tmp_path / "county", [point(incremental, index, N_INCREMENTAL)])


@pytest.mark.parametrize("index", range(N_TWICE))
def test_killed_again_in_recovery(incremental, tmp_path, index):
    first = point(incremental, index, N_TWICE)
    second = point(incremental, N_TWICE - 1 - index, N_TWICE)
    incremental.disturb(tmp_path / "county", [first, (second[0], 1 + second[1] // 2)])
