/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/rest-answer.h"
#include "../testing.h"
#include "basic/text.h"

static System erp = {.name = (char *) "erp"};
static RestOptions options = {.system = &erp, .url = (char *) "https://h/odata"};
static RestClient *client;

static int setup(void **state) { return rest_client_new(&options, &client, NULL); }
static int teardown(void **state) {
        rest_client_free(client);
        return 0;
}

static void words_are(const char *body, const char *expected) {
        _cleanup_free_ char *words = rest_words(body, strlen(body));

        assert_string_equal(words, expected);
}

static void test_words(void **state) {
        char text[400] = "";

        words_are("", "");
        words_are("<!DOCTYPE html><html><head><style>p {x: y}</style><title>Log  in</title></head>\n<body><p>Enter your password</body>",
                  "Log in Enter your password");
        words_are("<script>if (a < b) c();</script>ok", "ok");
        words_are("a < b", "a < b");
        words_are("\x01\x02 x\ty", "x y");
        words_are("\xff\xfe\xfd\xfc\xfb\xfa", "");
        for (unsigned i = 0; i < 100; i++)
                (void) memcpy(text + 2 * i, "é", 3);
        words_are(text, "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé…");
}

static void test_shown(void **state) {
        static const char *const urls[][2] = {{"https://u.example/odata/A('x')?$filter=secret", "/odata/A('x')"}, {"https://h", "/"},
                                              {"Accounts('A1')?$select=a", "Accounts('A1')"}};

        for (size_t i = 0; i < ELEMENTSOF(urls); i++) {
                _cleanup_free_ char *shown = rest_url_shown(urls[i][0]);

                assert_string_equal(shown, urls[i][1]);
        }
}

static void error_is(long status, const char *body, const char *location, ErrorId id, const char *detail) {
        _cleanup_error_ Error error = {};
        const RestRequest q = {.method = "GET", .url = "https://h/odata/A?$filter=x"};
        const RestResponse r = {.status = status, .body = (char *) body, .size = strlen(body), .location = (char *) location};

        assert_int_equal(rest_response_error(client, &q, &r, &error), error_errno(id));
        assert_int_equal(error.id, id);
        assert_string_equal(error.detail, detail);
}

static void test_errors(void **state) {
        error_is(400, "{\"error\":{\"code\":\"1\",\"message\":\"No such property\"}}", NULL, ERROR_SYSTEM_REFUSED,
                 "System \"erp\": GET /odata/A is answered with 400: No such property");
        error_is(401, "", NULL, ERROR_SYSTEM_REFUSED, "System \"erp\": GET /odata/A is answered with 401");
        error_is(429, "slow down", NULL, ERROR_SYSTEM_BUSY, "System \"erp\": GET /odata/A is answered with 429: slow down");
        error_is(503, "<h1>Bad</h1>", NULL, ERROR_SYSTEM_UNAVAILABLE, "System \"erp\": GET /odata/A is answered with 503: Bad");
        error_is(302, "", "https://sso.example/login?token=x", ERROR_SYSTEM_REFUSED,
                 "System \"erp\": GET /odata/A is answered with 302, it leads to /login");
}

static void json_is(const char *body, const char *type, ErrorId id, const char *detail) {
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_error_ Error error = {};
        const RestRequest q = {.method = "GET", .url = "https://h/odata/A"};
        const RestResponse r = {.status = 200, .body = (char *) body, .size = strlen(body), .content_type = (char *) type};
        const JsonItem *document;

        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(rest_response_json(client, &q, &r, arena, &document, &error), error_errno(id));
        assert_int_equal(error.id, id);
        assert_string_equal(error.detail, detail);
        assert_non_null(error.remedy);
}

static void test_json(void **state) {
        json_is(" <html><body>Log in</body></html>", NULL, ERROR_SYSTEM_REFUSED,
                "System \"erp\": GET /odata/A is answered with a page instead of JSON: Log in");
        json_is("Log in", "text/html; charset=utf-8", ERROR_SYSTEM_REFUSED,
                "System \"erp\": GET /odata/A is answered with a page instead of JSON: Log in");
        json_is("{\"value\":[{\"a\":1}", NULL, ERROR_FILE_FORMAT,
                "System \"erp\": GET /odata/A is answered with \"{\"value\":[{\"a\":1}\": The JSON document ends in the middle (byte 17 of 17)");
        json_is("", NULL, ERROR_FILE_FORMAT, "System \"erp\": GET /odata/A is answered with \"\": The JSON document ends in the middle (byte 0 of 0)");
}

static void follow_is(const char *link, const char *expected) {
        _cleanup_error_ Error error = {};
        _cleanup_free_ char *url = NULL;

        if (!expected) {
                assert_true(rest_url_follow(client, "https://h/odata/A?x=1", link, &url, &error) < 0);
                assert_int_equal(error.id, ERROR_SYSTEM_REFUSED);
                return;
        }
        assert_int_equal(rest_url_follow(client, "https://h/odata/A?x=1", link, &url, &error), 0);
        assert_string_equal(url, expected);
}

static void test_links(void **state) {
        follow_is("A?$skiptoken=2", "https://h/odata/A?$skiptoken=2");
        follow_is("?page=2", "https://h/odata/A?page=2");
        follow_is("/other", "https://h/other");
        follow_is("https://h:443/x", "https://h:443/x");
        follow_is("https://evil.example/x", NULL);
        follow_is("http://h/x", NULL);
        follow_is("https://h:8443/x", NULL);
        follow_is("//evil.example/x", NULL);
        follow_is("file:///etc/passwd", NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_shown), cmocka_unit_test(test_errors),
                                           cmocka_unit_test(test_json), cmocka_unit_test(test_links)};

        return cmocka_run_group_tests(tests, setup, teardown);
}
