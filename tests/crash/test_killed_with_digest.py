# SPDX-License-Identifier: Apache-2.0
"""The worker is killed while it compares ranges by their sums: a range is proved only when its records and its deletes are, so that whatever the
next attempt finds equal is equal."""
import pytest
import harness
import scenario

N = 40


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return scenario.full(tmp_path_factory.mktemp("full"), "sqlite", harness.DIGEST_MAPPING)


@pytest.fixture(scope="module")
def incremental(tmp_path_factory, full):
    return scenario.incremental(tmp_path_factory.mktemp("incremental"), full)


def test_there_are_points_to_kill_at(full, incremental):
    assert sum(full.counts.values()) > 200 and sum(incremental.counts.values()) > 200
    assert full.results["parcel"][1] > 200 and incremental.results["sale"][3] > 0
    assert full.calm.rows("state/pairs/pacs_to_cama.db", "select count(*) from key_range where pending = 0") > [(1,)]


@pytest.mark.parametrize("index", range(N))
def test_killed_in_a_full_run(full, tmp_path, index):
    full.disturb(tmp_path / "county", [full.point(index, N)])


@pytest.mark.parametrize("index", range(N))
def test_killed_in_an_incremental_run(incremental, tmp_path, index):
    incremental.disturb(tmp_path / "county", [incremental.point(index, N)])


@pytest.mark.parametrize("index", range(N // 2))
def test_killed_again_in_recovery(incremental, tmp_path, index):
    first = incremental.point(index, N // 2)
    second = incremental.point(N // 2 - 1 - index, N // 2)
    incremental.disturb(tmp_path / "county", [first, (second[0], 1 + second[1] // 2)])


def test_nothing_is_left_to_find(incremental, tmp_path):
    """After a kill and its repair the sums are those of the source: a further run opens only ranges that hold records in quarantine."""
    county = incremental.before.copy(tmp_path / "county")
    operation = county.insert_operation("incremental")
    call, k = incremental.point(N // 2, N)
    county.worker(operation, harness.killed_at(call, k))
    while county.worker(operation).returncode not in (0, 3):
        pass
    again = harness.results(county, county.run("incremental"))
    assert all(row[1:4] == (0, 0, 0) for row in again.values()), again
    county.remove()
