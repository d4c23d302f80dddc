/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/xml.h"
#include "../testing.h"

/* The document as text: <name a=b> and </>. */
static char *story(const char *document, char *ret, size_t size, Error *error) {
        _cleanup_arena_ Arena *arena = NULL;
        XmlReader *reader;
        XmlElement e;
        size_t n = 0;
        int r;

        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(xml_reader_new(document, strlen(document), arena, &reader), 0);
        ret[0] = '\0';
        while ((r = xml_reader_next(reader, &e, error)) > 0) {
                n += (size_t) snprintf(ret + n, size - n, r == XML_BEGIN ? "<%s" : "</", r == XML_BEGIN ? e.name : "");
                for (size_t i = 0; r == XML_BEGIN && i < e.n_attributes; i++)
                        n += (size_t) snprintf(ret + n, size - n, " %s=%s", e.attributes[i].name, e.attributes[i].value);
                n += (size_t) snprintf(ret + n, size - n, ">");
        }
        return r < 0 ? NULL : ret;
}

static void is(const char *document, const char *expected) {
        char text[1000];
        Error error = {};

        if (!story(document, text, sizeof(text), &error))
                fail_msg("%s: %s", document, error.detail);
        assert_string_equal(text, expected);
}

static void refused(const char *document, const char *why) {
        char text[1000];
        Error error = {};

        assert_null(story(document, text, sizeof(text), &error));
        assert_int_equal(error.id, ERROR_FILE_FORMAT);
        if (!strstr(error.detail, why))
                fail_msg("%s: \"%s\" does not say \"%s\"", document, error.detail, why);
        error_done(&error);
}

static void test_documents(void **state) {
        is("<?xml version='1.0'?>\n<!-- <no> --><e:a xmlns:e=\"u\" Name='x &amp; &quot;y&#39;&#x41;'> text <b/> <![CDATA[<c>]]></e:a>\n",
           "<a e=u Name=x & \"y'A><b></></>");
        is("\xEF\xBB\xBF<a/>", "<a></>");
        is("<a b = 'é' ></a >", "<a b=é></>");
}

static void test_attribute(void **state) {
        const XmlAttribute attributes[] = {{"Name", "x"}, {"Type", "y"}};
        const XmlElement e = {.name = "a", .attributes = attributes, .n_attributes = 2};

        assert_string_equal(xml_attribute(&e, "Type"), "y");
        assert_null(xml_attribute(&e, "type"));
}

static void test_refusals(void **state) {
        static const char *const cut[] = {"", "<a>", "<a", "<a b='", "<!-- a", "<?xml", "<a><b></b>"};

        for (size_t i = 0; i < ELEMENTSOF(cut); i++)
                refused(cut[i], "ends in the middle");
        refused("{\"a\": 1}", "text outside");
        refused("<a></b>", "closes an element that is not open");
        refused("<a/><b/>", "second root");
        refused("<!DOCTYPE html><html/>", "document type");
        refused("<a b/>", "without a value");
        refused("<a b=c/>", "without quotes");
        refused("<a b='<'/>", "has a <");
        refused("<a b='&boom;'/>", "unknown entity");
        refused("<a b='&#300;'/>", "unknown entity");
        refused("<a b='&#0;'/>", "unknown entity");
        refused("<a b='\xff'/>", "UTF-8");
        refused("<1/>\n<", "second root");
        refused("<a>\n\n</b>", "(line 3)");
        refused("< a/>", "no name");
}

static void test_depth(void **state) {
        char text[1000];

        for (unsigned i = 0; i < 101; i++)
                (void) memcpy(text + 3 * i, "<a>", 3);
        text[303] = '\0';
        refused(text, "deeper than 100");
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_documents), cmocka_unit_test(test_attribute),
                                           cmocka_unit_test(test_refusals), cmocka_unit_test(test_depth)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
