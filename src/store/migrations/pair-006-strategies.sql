-- SPDX-License-Identifier: Apache-2.0
-- How the scan under way reads, what its sweep for deletes did, and what strategies keep from run to run.

-- Which records the scan asks for (0: all, 1: by watermark); its deletes are those that a sweep of keys did not meet.
alter table entity add column scan_scope integer not null default 0;
alter table entity add column swept integer not null default 0;
-- When the source was last searched for keys that are gone; where its log or feed goes on; the digest of its content.
alter table entity add column keys_at integer not null default 0;
alter table entity add column changes_from text;
alter table entity add column content text;
update entity set scan_scope = 1 where scan_full = 0;

-- Ranges of the source's identities with the sums that its records had when they were last read. pending: of the scan under way; opened:
-- it read them. A number of records below 0: not known, the range differs from every other.
create table key_range (
        entity integer not null,
        pending integer not null,
        number integer not null,
        until text,
        n_records integer not null,
        sum_1 integer not null,
        sum_2 integer not null,
        opened integer not null,
        primary key (entity, pending, number)
) strict;
alter table result add column diverged integer not null default 0;
