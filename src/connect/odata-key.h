/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The key in a record's id: ".../Accounts('A1')", "Lines(account_no='A1',line=3)". Pure; in the worker. */
#include "connect/odata-metadata.h"
#include "model/value.h"

/* ret: n_key values in the key's order. -EBADMSG: the id has no such key. */
_must_check_ int odata_key_parse(const char *id, const ODataSet *set, Arena *arena, Value *ret);
