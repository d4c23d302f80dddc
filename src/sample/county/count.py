# SPDX-License-Identifier: Apache-2.0
"""Plain SQL counts of both sides, by nothing that the service itself uses; and one bad record on purpose."""
import json
from pathlib import Path

from county import schema
from county.schema import SampleError

ACTIVE = ("from {0} t join prop_supp_assoc a on a.owner_tax_yr = t.prop_val_yr and a.sup_num = t.sup_num "
          "and a.prop_id = t.prop_id")
CENTS = "coalesce(sum(cast(round(cast({0} as real) * 100) as integer)), 0)"
# What is counted, where it comes from, where it goes to.
COUNTS = (
    ("parcels", "pacs", "select count(*) from property", "cama", "select count(*) from parcel"),
    ("assessments", "pacs", "select count(*) " + ACTIVE.format("property_val"),
     "cama", "select count(*) from assessment"),
    ("assessed dollars", "pacs", "select coalesce(sum(t.assessed_val), 0) " + ACTIVE.format("property_val"),
     "cama", "select " + CENTS.format("assessed_value") + " / 100 from assessment"),
    ("land lines", "pacs", "select count(*) " + ACTIVE.format("land_detail"),
     "cama", "select count(*) from land"),
    ("buildings", "pacs", "select count(*) " + ACTIVE.format("imprv"),
     "cama", "select count(*) from improvement"),
    ("sales", "pacs", "select count(*) from sale", "cama", "select count(*) from sale"),
    ("sale dollars", "pacs", "select coalesce(sum(sl_price), 0) from sale",
     "cama", "select " + CENTS.format("price") + " / 100 from sale"),
    ("points", "gis", "select count(*) from parcel_point", "cama", "select count(*) from parcel_location"),
    ("charges", "pacs", "select count(*) from bill", "erp", "select count(*) from charge"),
    ("charged cents", "pacs", "select " + CENTS.format("amount_due") + " from bill",
     "erp", "select " + CENTS.format("principal") + " from charge"),
)


def counts(folder: Path) -> list:
    db = {name: schema.connect(folder / f"{name}.db") for name in ("pacs", "gis", "cama", "erp")}
    return [{"what": what, "source": source, "source_count": db[source].execute(left).fetchone()[0],
             "target": target, "target_count": db[target].execute(right).fetchone()[0]}
            for what, source, left, target, right in COUNTS]


def count(folder: Path, as_json: bool) -> tuple:
    """The text, and whether both sides are equal."""
    rows = counts(folder)
    equal = all(row["source_count"] == row["target_count"] for row in rows)
    if as_json:
        return json.dumps({"equal": equal, "counts": rows}, indent=2), equal
    lines = [f"{'':<17}{'source':>20}    {'target':>20}"]
    for row in rows:
        same = "" if row["source_count"] == row["target_count"] else "   differs"
        lines.append(f"{row['what']:<17}{row['source']:>5} {row['source_count']:>14,}    "
                     f"{row['target']:>5} {row['target_count']:>14,}{same}")
    broken = broken_record(folder)
    if broken:
        lines.append(f"{broken['geo_id']} was broken on purpose: its old values stay in the target "
                     "until it is mended.")
    return "\n".join(lines), equal


def broken_record(folder: Path):
    text = schema.state_get(schema.connect(folder / "pacs.db"), "broken")
    return text and json.loads(text)


def break_one(folder: Path) -> str:
    """A value below nothing and a use that no code table knows, in one record that is on the roll."""
    pacs = schema.connect(folder / "pacs.db")
    with schema.writing(pacs) as stamp:
        if schema.state_get(pacs, "broken"):
            raise SampleError("A record is broken already: mend it with "
                              f"'terrafusion-sample break --mend {folder}'")
        row = pacs.execute(
            "select t.prop_val_yr, t.sup_num, t.prop_id, t.property_use_cd, t.assessed_val, p.geo_id "
            + ACTIVE.format("property_val") + " join property p on p.prop_id = t.prop_id "
            "where t.prop_inactive_dt is null order by t.prop_val_yr desc, t.prop_id limit 1").fetchone()
        if not row:
            raise SampleError(f"{folder}/pacs.db has no record on its roll that could be broken")
        set_value(pacs, row[:3], "XXX", -1, stamp)
        schema.state_set(pacs, "broken", json.dumps(dict(zip(
            ("prop_val_yr", "sup_num", "prop_id", "property_use_cd", "assessed_val", "geo_id"), row))))
    return (f"Broke {row[5]} in PACS: assessed_val {row[4]:,} became -1, "
            f"property_use_cd {row[3]} became XXX. "
            f"Mend it with 'terrafusion-sample break --mend {folder}'.")


def mend(folder: Path) -> str:
    pacs = schema.connect(folder / "pacs.db")
    with schema.writing(pacs) as stamp:
        text = schema.state_get(pacs, "broken")
        if not text:
            return "No record is broken: nothing to mend."
        old = json.loads(text)
        set_value(pacs, (old["prop_val_yr"], old["sup_num"], old["prop_id"]),
                  old["property_use_cd"], old["assessed_val"], stamp)
        pacs.execute("delete from sample_state where name = 'broken'")
    return (f"Mended {old['geo_id']}: assessed_val is {old['assessed_val']:,} again, "
            f"property_use_cd {old['property_use_cd']}.")


def set_value(pacs, key: tuple, use: str, value: int, stamp: str):
    pacs.execute("update property_val set property_use_cd = ?, assessed_val = ?, last_update_dt = ? "
                 "where prop_val_yr = ? and sup_num = ? and prop_id = ?", (use, value, stamp, *key))
