-- SPDX-License-Identifier: Apache-2.0
-- pairs/PAIR.db: all that a batch makes true.

-- One row: number of the last journalled batch that is recorded here.
create table pair (
        id integer primary key check (id = 1),
        last_batch integer not null
) strict;
insert into pair (id, last_batch) values (1, 0);

-- An entity with its checkpoint. n_rows and last_number are those of its baseline.
create table entity (
        id integer primary key,
        name text not null unique,
        n_rows integer not null default 0,
        last_number integer not null default 0,
        scan_operation text,
        scan_full integer not null default 0,
        position text,
        scan_end integer not null default 0,
        low text,
        high text,
        full_at integer not null default 0,
        mapping_hash text,
        settled_batch integer not null default 0,
        n_unkeyed integer not null default 0
) strict;

-- number counts the rows of an entity as they come and is never used again: the row's bit among the seen marks.
create table baseline (
        entity integer not null,
        key blob not null,
        number integer not null,
        batch integer not null,
        source_digest blob not null,
        target_digest blob not null,
        primary key (entity, key)
) strict, without rowid;

-- Seen marks of the running scan in pieces of 32768 bits.
create table seen (
        entity integer not null,
        chunk integer not null,
        bits blob not null,
        primary key (entity, chunk)
) strict;

-- Counts of one entity in one operation.
create table result (
        id integer primary key,
        operation_id text not null,
        entity text not null,
        n_read integer not null,
        n_inserted integer not null,
        n_updated integer not null,
        n_deleted integer not null,
        n_unchanged integer not null,
        n_held integer not null,
        n_deletes_withheld integer not null,
        done integer not null,
        unique (operation_id, entity)
) strict;

-- Records kept out. Without a usable key the digest of the source record stands for it; else digest is empty.
create table quarantine (
        id integer primary key autoincrement,
        entity text not null,
        key blob not null,
        digest blob not null,
        operation_id text not null,
        first_seen integer not null,
        last_seen integer not null,
        findings text not null,
        source text not null,
        unique (entity, key, digest)
) strict;
