-- SPDX-License-Identifier: Apache-2.0
-- What both sides of an entity looked like when it was last run, and with which version of its mapping its records were last compared in full.

-- columns: {"source": {column: declared type}, "target": {…}}, a joined table's as "join.column". mapping: columns and definitions of the fields.
-- refill: fields to be compared with the target for every record, whatever the baseline says of it; null: none. n_filled: records of the running
-- scan in which only newly mapped fields were filled in, which max_changes does not count.
create table entity_schema (
        entity text primary key,
        columns text,
        mapping text,
        refill text,
        n_filled integer not null
) strict;

-- What drifted last in each column. status: stops (until it is accepted), reported, accepted.
create table drift (
        id integer primary key autoincrement,
        entity text not null,
        side text not null,
        column_name text not null,
        kind text not null,
        old_type text,
        new_type text,
        mapped integer not null,
        status text not null,
        operation_id text not null,
        found_at integer not null,
        accepted_at integer not null,
        accepted_by text,
        unique (entity, side, column_name)
) strict;
