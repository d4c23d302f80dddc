/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "connect/copy-binary.h"

static void there_and_back(void **state) {
        CopyBuffer b = {};
        CopyField fields[3];
        size_t used = 0;

        assert_int_equal(copy_put_header(&b), 0);
        assert_int_equal(b.size, 19);
        assert_int_equal(copy_put_count(&b, 3), 0);
        assert_int_equal(copy_put_field(&b, "abc", 3), 0);
        assert_int_equal(copy_put_null(&b), 0);
        assert_int_equal(copy_put_field(&b, "", 0), 0);
        assert_int_equal(copy_header_skip(b.bytes, b.size, &used), 0);
        assert_int_equal(used, 19);
        assert_int_equal(copy_record_split(b.bytes + used, b.size - used, fields, 3), 1);
        assert_int_equal(fields[0].size, 3);
        assert_memory_equal(fields[0].bytes, "abc", 3);
        assert_int_equal(fields[1].size, -1);
        assert_int_equal(fields[2].size, 0);
        used = b.size;
        assert_int_equal(copy_put_trailer(&b), 0);
        assert_int_equal(copy_record_split(b.bytes + used, b.size - used, fields, 3), 0);
        copy_buffer_done(&b);
}

static void broken_ones_are_told(void **state) {
        static const char record[] = "\0\2\0\0\0\1x\377\377\377\377";
        char header[19 + 4] = "PGCOPY\n\377\r\n";
        CopyField fields[2];
        size_t used;

        assert_int_equal(copy_record_split(record, 11, fields, 2), 1);
        for (size_t size = 0; size < 11; size++)
                assert_int_equal(copy_record_split(record, size, fields, 2), -EBADMSG);
        assert_int_equal(copy_record_split(record, 12, fields, 2), -EBADMSG); /* more than the record */
        assert_int_equal(copy_record_split(record, 11, fields, 1), -EBADMSG);
        assert_int_equal(copy_record_split("\0\1\377\377\377\376", 6, fields, 1), -EBADMSG);
        assert_int_equal(copy_record_split("\377\377x", 3, fields, 1), -EBADMSG);
        assert_int_equal(copy_header_skip(header, 19, &used), 0);
        assert_int_equal(copy_header_skip(header, 18, &used), -EBADMSG);
        header[18] = 4; /* an extension */
        assert_int_equal(copy_header_skip(header, 19, &used), -EBADMSG);
        assert_int_equal(copy_header_skip(header, 23, &used), 0);
        assert_int_equal(used, 23);
        header[12] = 1; /* object ids, which no server sends any more */
        assert_int_equal(copy_header_skip(header, 23, &used), -EBADMSG);
        assert_int_equal(copy_header_skip("PGCOPX\n\377\r\n\0\0\0\0\0\0\0\0", 19, &used), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(broken_ones_are_told)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
