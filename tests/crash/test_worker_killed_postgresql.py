# SPDX-License-Identifier: Apache-2.0
"""The same with the state in a PostgreSQL database; sendto() is how libpq writes. TERRAFUSION_CRASH_POINTS: how many of each, for a deep run."""
import os

import pytest
import scenario

N_FULL = int(os.environ.get("TERRAFUSION_CRASH_POINTS", 40))
N_INCREMENTAL, N_TWICE = N_FULL, (N_FULL + 1) // 2


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return scenario.full(tmp_path_factory.mktemp("full"), "postgresql")


@pytest.fixture(scope="module")
def incremental(tmp_path_factory, full):
    return scenario.incremental(tmp_path_factory.mktemp("incremental"), full)


def test_there_are_points_to_kill_at(full, incremental):
    assert sum(full.counts.values()) > 200 and sum(incremental.counts.values()) > 200
    assert full.results["parcel"][1] > 200 and incremental.results["sale"][3] > 0
    assert full.counts["sendto"] > 100          # to the store: the county itself is in files



@pytest.mark.parametrize("index", range(N_FULL))
def test_killed_in_a_full_run(full, tmp_path, index):
    full.disturb(tmp_path / "county", [full.point(index, N_FULL)])


@pytest.mark.parametrize("index", range(N_INCREMENTAL))
def test_killed_in_an_incremental_run(incremental, tmp_path, index):
    incremental.disturb(tmp_path / "county", [incremental.point(index, N_INCREMENTAL)])


@pytest.mark.parametrize("index", range(N_TWICE))
def test_killed_again_in_recovery(incremental, tmp_path, index):
    first = incremental.point(index, N_TWICE)
    second = incremental.point(N_TWICE - 1 - index, N_TWICE)
    incremental.disturb(tmp_path / "county", [first, (second[0], 1 + second[1] // 2)])
