/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "model/geometry.h"

/* Bytes of hexadecimal digits, in a block of exactly their size, so that a sanitizer sees a read beyond
 * them. */
static char *from_hex(const char *hex, size_t *ret_size) {
        size_t size = strlen(hex) / 2;
        char *bytes = malloc(size > 0 ? size : 1);

        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++) {
                unsigned byte;

                assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
                bytes[i] = (char) byte;
        }
        *ret_size = size;
        return bytes;
}

static int check(const char *hex, Geometry *ret) {
        size_t size;
        _cleanup_free_ char *bytes = from_hex(hex, &size);

        return geometry_check(bytes, size, ret);
}

#define XY                                                                                                  \
        "000000000000F03F"                                                                                  \
        "0000000000000040"
#define XY_BIG                                                                                              \
        "3FF0000000000000"                                                                                  \
        "4000000000000000"
#define Z "0000000000000840"

static void expect_kind(const char *hex, uint32_t kind, bool has_z, bool has_m, uint32_t srid) {
        Geometry geometry;

        assert_int_equal(check(hex, &geometry), 0);
        assert_int_equal(geometry.kind, kind);
        assert_int_equal(geometry.has_z, has_z);
        assert_int_equal(geometry.has_m, has_m);
        assert_int_equal(geometry.srid, srid);
}

static void test_kinds(void **state) {
        expect_kind("0101000000" XY, 1, false, false, 0);
        expect_kind("0102000000"
                    "00000000",
                    2, false, false, 0);
        expect_kind("0102000000"
                    "02000000" XY XY,
                    2, false, false, 0);
        expect_kind("0103000000"
                    "01000000"
                    "04000000" XY XY XY XY,
                    3, false, false, 0);
        expect_kind("0104000000"
                    "01000000"
                    "0101000000" XY,
                    4, false, false, 0);
        expect_kind("0106000000"
                    "01000000"
                    "0103000000"
                    "00000000",
                    6, false, false, 0);
        expect_kind("0107000000"
                    "02000000"
                    "0101000000" XY "0102000000"
                    "00000000",
                    7, false, false, 0);
        expect_kind("0108000000"
                    "03000000" XY XY XY,
                    8, false, false, 0);
        expect_kind("0109000000"
                    "01000000"
                    "0108000000"
                    "01000000" XY,
                    9, false, false, 0);
        expect_kind("010A000000"
                    "01000000"
                    "0102000000"
                    "00000000",
                    10, false, false, 0);
        expect_kind("010F000000"
                    "01000000"
                    "0103000000"
                    "00000000",
                    15, false, false, 0);
        expect_kind("0111000000"
                    "00000000",
                    17, false, false, 0);
}

static void test_dimensions_and_srid(void **state) {
        expect_kind("01E9030000" XY Z, 1, true, false, 0);
        expect_kind("01D1070000" XY Z, 1, false, true, 0);
        expect_kind("01B90B0000" XY Z Z, 1, true, true, 0);
        expect_kind("0101000080" XY Z, 1, true, false, 0);
        expect_kind("0101000040" XY Z, 1, false, true, 0);
        expect_kind("01010000C0" XY Z Z, 1, true, true, 0);
        expect_kind("0101000020"
                    "6F0B0000" XY,
                    1, false, false, 2927);
        expect_kind("0020000001"
                    "00000B6F" XY_BIG,
                    1, false, false, 2927);
}

static void test_broken(void **state) {
        const char *const broken[] = {
                "",
                "01",
                "0101000000",
                "0101000000"
                "000000000000F03F",
                "0101000000" XY "00",
                "0201000000" XY, /* no such byte order */
                "0100000000" XY,
                "010D000000"
                "00000000",
                "0112000000"
                "00000000", /* no such kind */
                "01A10F0000" XY,
                "01E9030080" XY Z, /* no such dimension; both ways at once */
                "0102000000"
                "FFFFFFFF" XY,
                "0102000000"
                "02000000" XY, /* counts that the bytes do not bear out */
                "0103000000"
                "FFFFFFFF"
                "00000000",
                "0104000000"
                "FFFFFFFF",
                "0104000000"
                "01000000"
                "0102000000"
                "00000000", /* a line in a multipoint */
                "0106000000"
                "01000000"
                "0101000000" XY,
                "0104000000"
                "01000000"
                "0101000080" XY Z, /* a part of another dimension */
                "0101000020"
                "6F0B",
                "4750000100000000", /* GeoPackage */
        };
        Geometry geometry = { .kind = 4711 };

        for (size_t i = 0; i < ELEMENTSOF(broken); i++)
                assert_int_equal(check(broken[i], &geometry), -EBADMSG);
        assert_int_equal(geometry.kind, 4711);
}

static void test_every_cut_is_broken(void **state) {
        size_t size;
        _cleanup_free_ char *bytes = from_hex("0107000000"
                                              "02000000"
                                              "0101000000" XY "0102000000"
                                              "01000000" XY,
                                              &size);
        Geometry geometry;

        assert_int_equal(geometry_check(bytes, size, &geometry), 0);
        for (size_t n = 0; n < size; n++)
                assert_int_equal(geometry_check(bytes, n, &geometry), -EBADMSG);
}

static void test_depth(void **state) {
        static const char header[] = "\x01\x07\x00\x00\x00\x01\x00\x00\x00",
                          empty[] = "\x01\x07\x00\x00\x00\x00\x00\x00\x00";
        char bytes[9 * (GEOMETRY_DEPTH_MAX + 1)];
        Geometry geometry;

        for (unsigned n = 1; n <= GEOMETRY_DEPTH_MAX + 1; n++) {
                for (unsigned i = 0; i < n; i++)
                        memcpy(bytes + 9 * i, i + 1 < n ? header : empty, 9);
                assert_int_equal(geometry_check(bytes, 9 * n, &geometry),
                                 n <= GEOMETRY_DEPTH_MAX ? 0 : -EBADMSG);
        }
}

static void expect_little(const char *big, const char *expected) {
        size_t n_big, n_little;
        _cleanup_free_ char *bytes = from_hex(big, &n_big), *little = from_hex(expected, &n_little),
                            *turned = malloc(n_big);
        Geometry geometry;

        assert_non_null(turned);
        assert_int_equal(n_big, n_little);
        assert_int_equal(geometry_check(bytes, n_big, &geometry), 0);
        assert_false(geometry.little_endian);
        geometry_to_little_endian(bytes, n_big, turned);
        assert_memory_equal(turned, little, n_little);
        assert_int_equal(geometry_check(turned, n_big, &geometry), 0);
        assert_true(geometry.little_endian);
}

static void test_byte_order(void **state) {
        expect_little("0000000001" XY_BIG, "0101000000" XY);
        expect_little("0020000001"
                      "00000B6F" XY_BIG,
                      "0101000020"
                      "6F0B0000" XY);
        expect_little("0000000003"
                      "00000001"
                      "00000002" XY_BIG XY_BIG,
                      "0103000000"
                      "01000000"
                      "02000000" XY XY);
        /* Parts may have an order of their own. */
        expect_little("0104000000"
                      "02000000"
                      "0000000001" XY_BIG "0101000000" XY,
                      "0104000000"
                      "02000000"
                      "0101000000" XY "0101000000" XY);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),  cmocka_unit_test(test_dimensions_and_srid),
                cmocka_unit_test(test_broken), cmocka_unit_test(test_every_cut_is_broken),
                cmocka_unit_test(test_depth),  cmocka_unit_test(test_byte_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
