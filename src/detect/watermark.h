/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Watermarks as text: in the checkpoint (hex of their encoding), and widened by hours. In the worker. */
#include "model/value.h"

/* Hex of value_encode(); allocated. NULL without memory. */
char *watermark_to_hex(const Value *watermark);
/* The reverse, bytes in the arena; NULL or "" gives VALUE_NULL. -EBADMSG. */
_must_check_ int watermark_from_hex(const char *hex, Arena *arena, Value *ret);
/* Does a horizon lie before what was read already? Then a clock stepped back, or the database is another one. Also where the two are of different
 * types. low VALUE_NULL: no. */
bool watermark_went_back(const Value *low, const Value *high);
/* Moves low down to `hours` before now where it lies above that, in its own shape (ISO text; integer seconds, milliseconds or microseconds by size;
 * VALUE_TIMESTAMP, half a day further, since it may be local; VALUE_DECIMAL, a transaction's number, which knows no hours: to the beginning). A shape
 * it does not know, and VALUE_NULL, stay: the range never narrows. -ENOMEM. */
_must_check_ int watermark_widen(Value *low, int64_t hours, int64_t now_usec, Arena *arena);
