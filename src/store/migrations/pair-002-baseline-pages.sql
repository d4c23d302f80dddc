-- SPDX-License-Identifier: Apache-2.0
-- Baseline rows in pages of some 70 (baseline-page.h has their layout), sorted by key: a row of the table per record cost more than
-- anything else of a first load. A page holds the keys from low up to the next page's low; an entity's first one begins at the empty key.
-- Table baseline holds rows that an earlier version wrote, until their entity is next opened.

create table baseline_page (
        id integer primary key,
        entity integer not null,
        low blob not null,
        n_rows integer not null,
        body blob not null,
        unique (entity, low)
) strict;
