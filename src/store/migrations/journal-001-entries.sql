-- SPDX-License-Identifier: Apache-2.0
-- journals/PAIR-YYYY-MM.db: before and after of each changed field.

create table entity (
        id integer primary key,
        name text not null unique
) strict;

-- A batch's entries are those from first_entry to last_entry. fields: names of the mapping's fields then, a JSON array that entries point into.
-- number is not unique: it starts again where a pair's own file was made anew.
create table batch (
        id integer primary key autoincrement,
        number integer not null,
        operation_id text not null,
        entity integer not null references entity (id),
        written_at integer not null,
        first_entry integer not null,
        last_entry integer not null,
        fields text not null
) strict;
create index batch_operation on batch (operation_id);

-- kind: 1 insert, 2 update, 3 delete. changes: for each field its index (two bytes, little-endian), then before and, for updates, after, as value_encode() writes them.
create table entry (
        id integer primary key,
        entity integer not null,
        key blob not null,
        kind integer not null,
        source_digest blob,
        target_digest blob,
        changes blob
) strict;
create index entry_key on entry (entity, key);
