-- SPDX-License-Identifier: Apache-2.0
-- Of a batch that came from the source's log: up to where (lsn, then changes behind it). A batch that was applied and not recorded is read again up to
-- there as a whole. 0 of all other batches.

alter table batch add column log_lsn integer not null default 0;
alter table batch add column log_n integer not null default 0;
