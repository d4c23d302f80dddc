-- SPDX-License-Identifier: Apache-2.0
-- The first batch of the scan under way. A scan that has to begin anew counts what it meets anew, but not the records that it wrote itself.

alter table entity add column scan_batch integer not null default 0;
