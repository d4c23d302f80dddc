-- SPDX-License-Identifier: Apache-2.0
-- state.db: operations, their attempts, and a summary that can be recomputed from the pairs' own files.

create table operation (
        id text primary key,
        sync_pair_id text not null,
        kind text not null,
        status text not null,
        created_at integer not null,
        start_time integer not null,
        end_time integer not null,
        entity_types text,
        parameters text not null,
        n_attempts integer not null,
        next_attempt_at integer not null,
        cancel_requested integer not null,
        waiting_for text,
        requested_by text,
        via text,
        request_id text,
        idempotency_key text unique,
        mapping_hash text,
        error text,
        report text
) strict, without rowid;
create index operation_pair on operation (sync_pair_id, id);
create index operation_unfinished on operation (id) where status in ('PENDING', 'RUNNING');

create table attempt (
        operation_id text not null references operation (id),
        number integer not null,
        start_time integer not null,
        end_time integer not null,
        error text,
        primary key (operation_id, number)
) strict, without rowid;

create table operation_result (
        operation_id text not null references operation (id),
        position integer not null,
        entity text not null,
        n_read integer not null,
        n_inserted integer not null,
        n_updated integer not null,
        n_deleted integer not null,
        n_unchanged integer not null,
        n_held integer not null,
        n_deletes_withheld integer not null,
        done integer not null,
        primary key (operation_id, position)
) strict, without rowid;
