/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "connect/pgoutput.h"

#define BYTES(text) (text), sizeof(text) - 1

static void frames(void **state) {
        static const char message[] = "w\0\0\0\1\0\0\0\2\0\0\0\1\0\0\0\3\0\0\0\0\0\0\0\5Bxy";
        static const char keepalive[] = "k\0\0\0\0\26\263tH\0\0\0\0\0\0\0\0\1";
        PgFrame frame;

        assert_int_equal(pg_frame_decode(BYTES(message), &frame), 0);
        assert_int_equal(frame.start_lsn, 0x100000002);
        assert_int_equal(frame.end_lsn, 0x100000003);
        assert_int_equal(frame.sent_usec, 946684800000005);
        assert_int_equal(frame.size, 3);
        assert_memory_equal(frame.bytes, "Bxy", 3);
        assert_int_equal(pg_frame_decode(BYTES(keepalive), &frame), 0);
        assert_int_equal(frame.kind, PG_FRAME_KEEPALIVE);
        assert_int_equal(frame.end_lsn, 0x16b37448);
        assert_true(frame.reply_wanted);
        for (size_t size = 0; size < sizeof(keepalive) - 1; size++)
                assert_int_equal(pg_frame_decode(keepalive, size, &frame), -EBADMSG);
        for (size_t size = 0; size < 25; size++)
                assert_int_equal(pg_frame_decode(message, size, &frame), -EBADMSG);
        assert_int_equal(pg_frame_decode(BYTES("x"), &frame), -EBADMSG);
}

static void feedback(void **state) {
        char bytes[PG_FEEDBACK_SIZE];

        pg_feedback_encode(0x0102030405060708, 946684800000000 + 9, true, bytes);
        assert_memory_equal(bytes, "r\1\2\3\4\5\6\7\10\1\2\3\4\5\6\7\10\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\11\1", 34);
}

static void transactions(void **state) {
        static const char begin[] = "B\0\0\0\0\0\0\20\0\0\0\0\0\0\0\0\1\0\0\2\3",
                          commit[] = "C\0" "\0\0\0\0\0\0\20\0" "\0\0\0\0\0\0\20\60" "\0\0\0\0\0\0\0\2";
        Pgoutput p = {};

        assert_int_equal(pgoutput_decode(&p, BYTES(begin)), 0);
        assert_int_equal(p.message.kind, PGOUTPUT_BEGIN);
        assert_int_equal(p.message.lsn, 0x1000);
        assert_int_equal(p.message.commit_usec, 946684800000001);
        assert_int_equal(p.message.xid, 0x203);
        assert_int_equal(pgoutput_decode(&p, BYTES(commit)), 0);
        assert_int_equal(p.message.lsn, 0x1000);
        assert_int_equal(p.message.end_lsn, 0x1030);
        assert_int_equal(p.message.commit_usec, 946684800000002);
        assert_int_equal(pgoutput_decode(&p, begin, sizeof(begin) - 2), -EBADMSG);
        assert_int_equal(pgoutput_decode(&p, begin, sizeof(begin)), -EBADMSG); /* one byte more */
        pgoutput_done(&p);
}

static void relations(void **state) {
        static const char relation[] = "R\0\0\100\1county\0parcel\0d\0\2"
                                       "\1id\0\0\0\0\27\377\377\377\377"
                                       "\0note\0\0\0\4\23\0\0\0\16";
        Pgoutput p = {};

        assert_int_equal(pgoutput_decode(&p, BYTES(relation)), 0);
        assert_int_equal(p.message.relation, 0x4001);
        assert_string_equal(p.message.schema, "county");
        assert_string_equal(p.message.name, "parcel");
        assert_int_equal(p.message.identity, 'd');
        assert_int_equal(p.n_columns, 2);
        assert_string_equal(p.columns[0].name, "id");
        assert_true(p.columns[0].is_key);
        assert_int_equal(p.columns[0].type_oid, 23);
        assert_int_equal(p.columns[0].modifier, -1);
        assert_string_equal(p.columns[1].name, "note");
        assert_false(p.columns[1].is_key);
        assert_int_equal(p.columns[1].modifier, 14);
        for (size_t size = 0; size < sizeof(relation) - 1; size++)
                assert_int_equal(pgoutput_decode(&p, relation, size), -EBADMSG);
        pgoutput_done(&p);
}

/* What was not sent is neither null nor empty. */
static void fields_have_four_states(void **state) {
        static const char update[] = "U\0\0\0\7N\0\5b\0\0\0\4\0\0\0\52nut\0\0\0\0t\0\0\0\2hi";
        Pgoutput p = {};

        assert_int_equal(pgoutput_decode(&p, BYTES(update)), 0);
        assert_int_equal(p.message.kind, PGOUTPUT_UPDATE);
        assert_int_equal(p.message.relation, 7);
        assert_int_equal(p.message.old_kind, PGOUTPUT_OLD_NONE);
        assert_int_equal(p.old_row.n_fields, 0);
        assert_int_equal(p.new_row.n_fields, 5);
        assert_int_equal(p.new_row.fields[0].kind, PGOUTPUT_BINARY);
        assert_memory_equal(p.new_row.fields[0].bytes, "\0\0\0\52", 4);
        assert_int_equal(p.new_row.fields[1].kind, PGOUTPUT_NULL);
        assert_int_equal(p.new_row.fields[2].kind, PGOUTPUT_UNCHANGED);
        assert_null(p.new_row.fields[2].bytes);
        assert_int_equal(p.new_row.fields[3].kind, PGOUTPUT_TEXT);
        assert_int_equal(p.new_row.fields[3].size, 0);
        assert_memory_equal(p.new_row.fields[4].bytes, "hi", 2);
        for (size_t size = 0; size < sizeof(update) - 1; size++)
                assert_int_equal(pgoutput_decode(&p, update, size), -EBADMSG);
        pgoutput_done(&p);
}

static void old_rows(void **state) {
        static const char moved[] = "U\0\0\0\7K\0\2t\0\0\0\1anN\0\2t\0\0\0\1bn",
                          gone[] = "D\0\0\0\7O\0\2t\0\0\0\1at\0\0\0\1x", insert[] = "I\0\0\0\7N\0\1n";
        Pgoutput p = {};

        assert_int_equal(pgoutput_decode(&p, BYTES(moved)), 0);
        assert_int_equal(p.message.old_kind, PGOUTPUT_OLD_KEY);
        assert_memory_equal(p.old_row.fields[0].bytes, "a", 1);
        assert_memory_equal(p.new_row.fields[0].bytes, "b", 1);
        assert_int_equal(pgoutput_decode(&p, BYTES(gone)), 0);
        assert_int_equal(p.message.kind, PGOUTPUT_DELETE);
        assert_int_equal(p.message.old_kind, PGOUTPUT_OLD_FULL);
        assert_int_equal(p.new_row.n_fields, 0);
        assert_memory_equal(p.old_row.fields[1].bytes, "x", 1);
        assert_int_equal(pgoutput_decode(&p, BYTES(insert)), 0);
        assert_int_equal(p.old_row.n_fields, 0); /* not that of the message before */
        assert_int_equal(p.new_row.fields[0].kind, PGOUTPUT_NULL);
        assert_int_equal(pgoutput_decode(&p, BYTES("D\0\0\0\7N\0\1n")), -EBADMSG);
        assert_int_equal(pgoutput_decode(&p, BYTES("I\0\0\0\7K\0\1nN\0\1n")), -EBADMSG);
        assert_int_equal(pgoutput_decode(&p, BYTES("I\0\0\0\7N\0\1x")), -EBADMSG);
        assert_int_equal(pgoutput_decode(&p, BYTES("I\0\0\0\7N\0\1t\377\377\377\377")), -EBADMSG);
        assert_int_equal(pgoutput_decode(&p, BYTES("I\0\0\0\7N\377\377")), -EBADMSG);
        pgoutput_done(&p);
}

static void others(void **state) {
        static const char truncate[] = "T\0\0\0\2\1\0\0\0\7\0\0\0\10";
        Pgoutput p = {};

        assert_int_equal(pgoutput_decode(&p, BYTES(truncate)), 0);
        assert_int_equal(p.message.n_relations, 2);
        assert_int_equal(p.relations[0], 7);
        assert_int_equal(p.relations[1], 8);
        for (size_t size = 0; size < sizeof(truncate) - 1; size++)
                assert_int_equal(pgoutput_decode(&p, truncate, size), -EBADMSG);
        assert_int_equal(pgoutput_decode(&p, BYTES("T\377\377\377\377\0")), -EBADMSG);
        assert_int_equal(pgoutput_decode(&p, BYTES("Yanything")), 0);
        assert_int_equal(pgoutput_decode(&p, BYTES("Manything")), 0);
        assert_int_equal(pgoutput_decode(&p, BYTES("S\0\0\0\1\1")), -EBADMSG); /* of version 2, which is not asked for */
        pgoutput_done(&p);
}

static void places(void **state) {
        char text[PG_LSN_TEXT_SIZE];
        uint64_t lsn = 0;

        assert_int_equal(pg_lsn_parse("16/B374D848", &lsn), 0);
        assert_int_equal(lsn, 0x16B374D848);
        pg_lsn_format(lsn, text);
        assert_string_equal(text, "16/B374D848");
        pg_lsn_format(UINT64_MAX, text);
        assert_string_equal(text, "FFFFFFFF/FFFFFFFF");
        assert_int_equal(pg_lsn_parse(text, &lsn), 0);
        assert_int_equal(lsn, UINT64_MAX);
        assert_int_equal(pg_lsn_parse("0/0", &lsn), 0);
        assert_int_equal(lsn, 0);
        assert_int_equal(pg_lsn_parse("0/", &lsn), -EBADMSG);
        assert_int_equal(pg_lsn_parse("/0", &lsn), -EBADMSG);
        assert_int_equal(pg_lsn_parse("0/0 ", &lsn), -EBADMSG);
        assert_int_equal(pg_lsn_parse("123456789/0", &lsn), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(frames),    cmocka_unit_test(feedback),
                cmocka_unit_test(transactions), cmocka_unit_test(relations),
                cmocka_unit_test(fields_have_four_states), cmocka_unit_test(old_rows),
                cmocka_unit_test(others),    cmocka_unit_test(places),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
