-- SPDX-License-Identifier: Apache-2.0
-- Where the pair is in its source's log of changes: the slot it reads from, and each entity's place (model/log.h). Places in the log are numbers
-- of bytes; they stay below 2^63.

create table log_slot (
        id integer primary key check (id = 1),
        system_id text not null,
        timeline integer not null,
        name text not null
) strict;

create table log_mark (
        entity text primary key,
        lsn integer not null,
        n integer not null,
        replay_lsn integer not null,
        replay_n integer not null,
        group_batch integer not null,
        reread_until integer not null
) strict;
