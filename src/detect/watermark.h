/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Watermarks as text: in the checkpoint (hex of their encoding), and widened by hours. In the worker. */
#include "model/value.h"

/* Hex of value_encode(); allocated. NULL without memory. */
char *watermark_to_hex(const Value *watermark);
/* The reverse, bytes in the arena; NULL or "" gives VALUE_NULL. -EBADMSG. */
_must_check_ int watermark_from_hex(const char *hex, Arena *arena, Value *ret);
/* Moves low down to `hours` before now where it lies above that, in its own shape (ISO text; integer seconds, milliseconds or microseconds by size). A shape it
 * does not know, and VALUE_NULL, stay: the range never narrows. -ENOMEM. */
_must_check_ int watermark_widen(Value *low, int64_t hours, int64_t now_usec, Arena *arena);
