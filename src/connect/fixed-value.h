/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One field of a fixed-width record as a value. Pure; in the worker. */
#include "model/layout.h"

typedef enum FixedFault {
        FIXED_FINE,
        FIXED_POINT,    /* a point is written where the layout has an implied one: which of them counts would be a guess */
        FIXED_ENCODING, /* bytes that the layout's encoding does not have */
} FixedFault;

/* bytes: the field's own. text: room for 3 × (to - from) bytes, where a value's text may be put; the value borrows from it or from bytes. */
FixedFault fixed_value(const LayoutField *field, TextEncoding encoding, const char *bytes, char *text, Value *ret);
