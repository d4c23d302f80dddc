# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
pytest.register_assert_rewrite("machine")
import machine as rig  # noqa: E402 (the path comes first)

SAMPLE = "/var/lib/terrafusion/sample"
SHARE = "/usr/local/share/terrafusion"
BIG = "/srv/county"
BIG_PARCELS = 45000             # some 200,000 records

SETTINGS = f"""\
systems:
  pacs: {{kind: sqlite, path: {SAMPLE}/pacs.db}}
  gis: {{kind: sqlite, path: {SAMPLE}/gis.db}}
  cama: {{kind: sqlite, path: {SAMPLE}/cama.db, access: write}}
  erp: {{kind: sqlite, path: {SAMPLE}/erp.db, access: write}}
  big_pacs: {{kind: sqlite, path: {BIG}/pacs.db}}
  big_cama: {{kind: sqlite, path: {BIG}/cama.db, access: write}}
"""


def county_make(machine):
    """The sample county, and a big one of which a pair `big` is made like pacs_to_cama."""
    machine.write("/etc/terrafusion/terrafusion.yaml", SETTINGS)
    machine.write("/etc/terrafusion/environment", "TERRAFUSION_BATCH_RECORDS=500\n")       # many batches to be killed in
    machine.shell(f"""
        for folder in {SAMPLE} {BIG}; do install -d -o terrafusion -g terrafusion -m 0750 $folder; done
        setpriv --reuid=terrafusion --regid=terrafusion --init-groups terrafusion-sample create {SAMPLE}
        setpriv --reuid=terrafusion --regid=terrafusion --init-groups terrafusion-sample generate {BIG} --parcels {BIG_PARCELS}
        cp -r {SHARE}/mappings/codes /etc/terrafusion/mappings/
        sed 's/^pair: .*/pair: big/; s/^source: .*/source: big_pacs/; s/^target: .*/target: big_cama/; /^aliases:/d' \
            {SHARE}/mappings/pacs_to_cama.yaml >/etc/terrafusion/mappings/big.yaml""")


@pytest.fixture(scope="session")
def machine():
    reason = rig.why_not()
    if reason:
        pytest.skip(reason)
    m = rig.Machine("terrafusion-test")
    try:
        m.make_overlay().install().boot()
        m.run("systemd-sysusers")
        m.run("systemd-tmpfiles", "--create", "terrafusion.conf")
        m.run("systemctl", "daemon-reload")
        m.run("systemctl", "reload", "dbus.service")
        county_make(m)
        m.run("systemctl", "start", "terrafusion.target")
        m.ready()
        print(f"\nbooted in {m.boot_seconds:.1f} s")
        yield m
    finally:
        m.close()
