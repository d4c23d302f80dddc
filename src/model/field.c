/* SPDX-License-Identifier: Apache-2.0 */
#include "model/field.h"

const char *field_type_to_string(FieldType type) {
        static const char *const names[] = {
                [FIELD_NONE] = "nothing",
                [FIELD_TEXT] = "a text",
                [FIELD_NAME] = "a name",
                [FIELD_INTEGER] = "a whole number",
                [FIELD_BOOLEAN] = "true or false",
                [FIELD_DURATION] = "a duration such as 10min",
                [FIELD_SIZE] = "a size such as 512M",
                [FIELD_SCALAR] = "a single value",
                [FIELD_TEXTS] = "a list of texts",
                [FIELD_OBJECT] = "members with names",
                [FIELD_ARRAY] = "a list",
                [FIELD_MAP] = "a map of names",
                [FIELD_ANY] = "anything",
                [FIELD_NUMBER] = "a number",
                [FIELD_TIMESTAMP] = "a time such as 2026-11-24T08:00:00Z",
        };

        return type >= 0 && (size_t) type < ELEMENTSOF(names) ? names[type] : "unknown";
}
