-- SPDX-License-Identifier: Apache-2.0
-- A batch's entries in one value (journal-pack.h has its layout), so that a first load does not cost a row and an index entry a record.
-- first_entry and last_entry are 0 and -1 of such a batch; table entry holds those of batches written before.
-- key_filter: a Bloom filter of the batch's keys, so that what happened to one key is found without reading every batch.

alter table batch add column n_entries integer not null default 0;
alter table batch add column key_filter blob;
alter table batch add column entries blob;
