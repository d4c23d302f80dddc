/* SPDX-License-Identifier: Apache-2.0 */
/* Well-known binary, a byte before it that says what is wanted of it: whatever passes the check has one normal form, is equal to it,
 * keeps to its size, and each shape made of it is a geometry again. */
#include "fuzz.h"

#include "transform/geometry-shape.h"
#include "transform/geometry-valid.h"

static void normal_check(const char *wkb, size_t size, bool is_geometry) {
        char *normal = malloc(size + 1), *again = malloc(size + 1);
        size_t normal_size = 0, again_size = 0;
        Geometry g;

        CHECK(normal && again);
        CHECK((geometry_normalize(wkb, size, normal, &normal_size) == 0) == is_geometry);
        CHECK(geometry_equal(wkb, size, wkb, size));
        if (is_geometry) {
                CHECK(normal_size <= size && geometry_check(normal, normal_size, &g) == 0 && g.little_endian);
                CHECK(geometry_normalize(normal, normal_size, again, &again_size) == 0);
                CHECK(again_size == normal_size && memcmp(normal, again, normal_size) == 0);
                CHECK(geometry_equal(wkb, size, normal, normal_size));
        }
        free(normal);
        free(again);
}

static void shape_check(const char *wkb, size_t size, unsigned wish, Arena *arena) {
        const CastShape shape = {.type = VALUE_GEOMETRY,
                                 .geometry = {(GeometryKind) (wish % 13), wish & 0x40, wish & 0x20},
                                 .accept = wish & 0x80 ? ACCEPT_ROUNDS : ACCEPT_TRUNCATES};
        const char *reason;
        RingFault fault;
        RingPlace place;
        Geometry g;
        Value ret;
        int r;

        r = geometry_shape(wkb, size, &shape, arena, &ret, &reason);
        CHECK(r >= 0);
        if (r != CAST_EXACT)
                return;
        CHECK(geometry_check(ret.bytes, ret.size, &g) == 0);
        CHECK(shape.geometry.kind == GEOMETRY_ANY || g.kind <= (uint32_t) shape.geometry.kind);
        CHECK(geometry_rings_check(ret.bytes, ret.size, &fault, &place) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        const char *wkb = (const char *) bytes + 1;
        Arena *arena = NULL;
        Geometry g;
        bool is_geometry;

        if (size < 1 || size > 65536)
                return 0;
        CHECK(arena_new(&arena) == 0);
        is_geometry = geometry_check(wkb, size - 1, &g) == 0;
        normal_check(wkb, size - 1, is_geometry);
        if (is_geometry)
                shape_check(wkb, size - 1, bytes[0], arena);
        arena_free(arena);
        return 0;
}
