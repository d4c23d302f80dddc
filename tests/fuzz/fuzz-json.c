/* SPDX-License-Identifier: Apache-2.0 */
/* What parses prints to a text that parses to the same; what does not says where; any bytes make a valid
 * text. */
#include "fuzz.h"

#include "basic/json.h"
#include "basic/text.h"

static void document_check(const char *bytes, size_t size) {
        _cleanup_error_ Error error = {};
        json_auto_t *document = NULL, *back = NULL;
        char *printed;

        if (json_parse(bytes, size, &document, &error) < 0) {
                CHECK(!document && error.id == ERROR_BAD_REQUEST && error.line > 0 && error.column > 0);
                return;
        }
        CHECK(document && error.id == ERROR_NONE);
        printed = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);
        CHECK(printed);
        CHECK(json_parse(printed, strlen(printed), &back, NULL) == 0);
        CHECK(json_equal(document, back));
        free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        const char *text = (const char *) bytes;
        json_t *made;

        document_check(text, size);
        made = json_text_n(text, size);
        CHECK(made);
        CHECK(text_is_utf8(json_string_value(made), json_string_length(made)));
        CHECK(strlen(json_string_value(made)) == json_string_length(made));
        if (text_is_utf8(text, size) && (size == 0 || !memchr(text, '\0', size)))
                CHECK(json_string_length(made) == size &&
                      (size == 0 || memcmp(json_string_value(made), text, size) == 0));
        json_decref(made);
        return 0;
}
