/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odata-metadata.h"
#include "../testing.h"
#include "basic/text.h"

static const char document[] =
        "<?xml version=\"1.0\"?><edmx:Edmx Version=\"4.0\" xmlns:edmx=\"e\"><edmx:DataServices>"
        "<Schema Namespace=\"a.Types\" Alias=\"T\"><EnumType Name=\"Colour\"><Member Name=\"Red\"/></EnumType>"
        "<TypeDefinition Name=\"Money\" UnderlyingType=\"Edm.Decimal\"/><ComplexType Name=\"Address\"><Property Name=\"street\" Type=\"Edm.String\"/></ComplexType>"
        "<EntityType Name=\"Base\"><Key><PropertyRef Name=\"id\"/><PropertyRef Name=\"year\"/></Key>"
        "<Property Name=\"year\" Type=\"Edm.Int16\" Nullable=\"false\"/><Property Name=\"id\" Type=\"Edm.Guid\" Nullable=\"false\"/></EntityType></Schema>"
        "<Schema Namespace=\"b\"><EntityType Name=\"Parcel\" BaseType=\"T.Base\">"
        "<Property Name=\"value\" Type=\"T.Money\" Precision=\"18\" Scale=\"2\"/><Property Name=\"colour\" Type=\"a.Types.Colour\"/>"
        "<Property Name=\"where\" Type=\"T.Address\"/><Property Name=\"tags\" Type=\"Collection(Edm.String)\"/>"
        "<Property Name=\"shape\" Type=\"Edm.GeographyPolygon\"/><Property Name=\"at\" Type=\"Edm.DateTimeOffset\" Precision=\"3\"/>"
        "<Property Name=\"made\" Type=\"Edm.Int64\" Nullable=\"false\"><Annotation Term=\"Org.OData.Core.V1.Computed\"/></Property>"
        "<Property Name=\"note\" Type=\"Edm.String\" Nullable=\"false\" DefaultValue=\"-\"/><Property Name=\"must\" Type=\"Edm.String\" Nullable=\"false\"/>"
        "<NavigationProperty Name=\"owner\" Type=\"b.Owner\"><ReferentialConstraint Property=\"owner_id\" ReferencedProperty=\"id\"/></NavigationProperty>"
        "<NavigationProperty Name=\"parts\" Type=\"Collection(b.Parcel)\"/></EntityType>"
        "<EntityType Name=\"Owner\"><Key><PropertyRef Name=\"id\"/></Key><Property Name=\"id\" Type=\"Edm.Int32\" Nullable=\"false\"/></EntityType>"
        "<Annotations Target=\"b.Parcel/at\"><Annotation Term=\"Core.Computed\" Bool=\"true\"/></Annotations>"
        "<EntityContainer Name=\"C\"><EntitySet Name=\"Parcels\" EntityType=\"b.Parcel\"/><EntitySet Name=\"Owners\" EntityType=\"b.Owner\"/></EntityContainer>"
        "</Schema></edmx:DataServices></edmx:Edmx>";

static Arena *arena;
static const ODataService *service;

static int setup(void **state) {
        return arena_new(&arena) < 0 ? -1 : odata_metadata_parse(document, strlen(document), arena, &service, NULL);
}
static int teardown(void **state) {
        arena_free(arena);
        return 0;
}

static void test_properties(void **state) {
        static const struct { const char *name; EdmType type; bool required, computed; } expected[] = {
                {"year", EDM_INTEGER, true, false},          {"id", EDM_GUID, true, false},      {"value", EDM_DECIMAL, false, false},
                {"colour", EDM_ENUM, false, false},          {"where", EDM_STRUCTURE, false, false}, {"tags", EDM_STRUCTURE, false, false},
                {"shape", EDM_GEO, false, false},            {"at", EDM_DATE_TIME_OFFSET, false, true},
                {"made", EDM_INT64, true, true},             {"note", EDM_STRING, false, false}, {"must", EDM_STRING, true, false}};
        const ODataSet *set = odata_set(service, "Parcels");

        assert_non_null(set);
        assert_string_equal(set->type_name, "b.Parcel");
        assert_int_equal(set->n_properties, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                assert_string_equal(set->properties[i].name, expected[i].name);
                assert_int_equal(set->properties[i].type, expected[i].type);
                assert_int_equal(set->properties[i].required, expected[i].required);
                assert_int_equal(set->properties[i].computed, expected[i].computed);
        }
        assert_int_equal(odata_property(set, "value")->scale, 2);
        assert_int_equal(odata_property(set, "at")->precision, 3);
        assert_int_equal(odata_property(set, "must")->precision, -1);
        assert_null(odata_property(set, "Value"));
}

static void test_keys(void **state) {
        const ODataSet *set = odata_set(service, "Parcels");

        assert_int_equal(set->n_key, 2);
        assert_string_equal(odata_key(set, 1)->name, "id");
        assert_string_equal(odata_key(set, 2)->name, "year");
}

static void test_navigations(void **state) {
        const ODataSet *set = odata_set(service, "Parcels");

        assert_int_equal(set->n_navigations, 2);
        assert_string_equal(set->navigations[0].name, "owner");
        assert_string_equal(set->navigations[0].type_name, "b.Owner");
        assert_false(set->navigations[0].is_collection);
        assert_int_equal(set->navigations[0].n_constraints, 1);
        assert_string_equal(set->navigations[0].constraints[0].property, "owner_id");
        assert_string_equal(set->navigations[0].constraints[0].referenced, "id");
        assert_true(set->navigations[1].is_collection);
        assert_string_equal(set->navigations[1].type_name, "b.Parcel");
}

static void test_table(void **state) {
        _cleanup_(table_freep) Table *t = NULL;

        assert_int_equal(odata_set_table(odata_set(service, "Parcels"), &t), 0);
        assert_true(table_column(t, "made")->generated);
        assert_true(table_column(t, "must")->required);
        assert_string_equal(table_column(t, "value")->type, "T.Money(18,2)");
        assert_null(table_column(t, "MADE"));
}

static void test_missing(void **state) {
        _cleanup_error_ Error error = {};

        assert_null(odata_set(service, "Parcel"));
        assert_true(odata_set_missing(service, "Parcel", "erp", &error) < 0);
        assert_int_equal(error.id, ERROR_TABLE_MISSING);
        assert_string_equal(error.detail, "System \"erp\" has no entity set \"Parcel\"");
        assert_string_equal(error.remedy, "Did you mean \"Parcels\"? Correct the name in the mapping");
}

static void refused(const char *text, const char *why) {
        _cleanup_error_ Error error = {};
        const ODataService *none = NULL;

        assert_true(odata_metadata_parse(text, strlen(text), arena, &none, &error) < 0);
        assert_int_equal(error.id, ERROR_FILE_FORMAT);
        assert_non_null(strstr(error.detail, why));
}

static void test_refusals(void **state) {
        refused("<html><body>Log in</body></html>", "not a description");
        refused("{}", "text outside");
        refused("<Edmx><Schema Namespace='a'><EntitySet Name='X' EntityType='a.Y'/></Schema></Edmx>", "does not describe the type \"a.Y\"");
        refused("<Edmx><Schema Namespace='a'><EntityType Name='Y' BaseType='a.Y'/><EntitySet Name='X' EntityType='a.Y'/></Schema></Edmx>",
                "does not describe the type");
        refused("<Edmx><EntitySet Name='X'/></Edmx>", "without its name or type");
        refused("<Edmx><Schema Namespace='a'><EntityType Name='Y'><Key><PropertyRef Name='q'/></Key></EntityType>"
                "<EntitySet Name='X' EntityType='a.Y'/></Schema></Edmx>", "does not describe the type");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_properties, setup, teardown), cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
                cmocka_unit_test_setup_teardown(test_navigations, setup, teardown), cmocka_unit_test_setup_teardown(test_table, setup, teardown),
                cmocka_unit_test_setup_teardown(test_missing, setup, teardown), cmocka_unit_test_setup_teardown(test_refusals, setup, teardown)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
