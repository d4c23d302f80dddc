/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes end: in as many ends as beginnings, or in an error with its line. */
#include "fuzz.h"

#include "basic/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_error_ Error error = {};
        size_t n_begins = 0, n_ends = 0;
        XmlReader *reader;
        XmlElement e;
        int r;

        CHECK(arena_new(&arena) == 0);
        CHECK(xml_reader_new((const char *) bytes, size, arena, &reader) == 0);
        while ((r = xml_reader_next(reader, &e, &error)) > 0) {
                n_begins += r == XML_BEGIN;
                n_ends += r == XML_END;
                CHECK(n_ends <= n_begins);
                CHECK(r != XML_BEGIN || (e.name && strlen(e.name) <= size));
        }
        CHECK(r == 0 ? n_begins == n_ends && n_begins > 0 : error.id == ERROR_FILE_FORMAT);
        return 0;
}
