-- SPDX-License-Identifier: Apache-2.0
-- Whether an entity's log or feed no longer reached back, so that every record was compared.

alter table operation_result add column diverged integer not null default 0;
