/* SPDX-License-Identifier: Apache-2.0 */
#include "config/system-rest.h"
#include "../testing.h"
#include "basic/text.h"

static void check_is(const char *members, const char *expected) {
        _cleanup_yaml_document_ YamlDocument *document = NULL;
        _cleanup_mistakes_ Mistakes m = {};
        char *folder = test_folder_new(), *path = test_file_write(folder, "x.yaml", members);
        _cleanup_free_ char *text = NULL;

        assert_int_equal(yaml_load(path, &document, &m), 0);
        system_rest_check(document, yaml_root(document), &m);
        if (!expected)
                assert_int_equal(mistakes_count(&m), 0);
        else {
                assert_int_equal(mistakes_count(&m), 1);
                text = error_to_text(&m.errors[0]);
                if (!strstr(text, expected))
                        fail_msg("%s: %s", members, text);
        }
        free(path);
        test_folder_remove(folder);
}

static void test_good(void **state) {
        check_is("url: https://h/odata\nauth: {oauth2: {token_url: https://h/t, client_id: a, credential: b}}\npage_size: 500\n", NULL);
        check_is("url: http://localhost:8080\nauth: {basic: {user: a, credential: b}}\n", NULL);
        check_is("url: http://h/x\nprotocol: json\ntables: {a: {paging: cursor, cursor: /next}}\nheaders: {Accept-Language: en}\nca_file: /etc/ca.pem\n", NULL);
}

static void test_mistakes(void **state) {
        check_is("protocol: odata\n", "url: is missing");
        check_is("url: h/odata\n", ":1:1: \"url\" is no address");
        check_is("url: https:///odata\n", "\"url\" is no address");
        check_is("url: https://user:secret@h\n", "must not have a user or password");
        check_is("url: https://h?x=1\n", "must not have parameters");
        check_is("url: http://h\nauth: {bearer: {credential: a}}\n", "without encryption (TF-2000). Write https://");
        check_is("url: https://h\nauth: {oauth2: {token_url: http://h/t, client_id: a, credential: b}}\n", "A secret would be sent");
        check_is("url: https://h\nauth: {bearer: {credential: a}, basic: {user: a, credential: b}}\n", "names no way, or several");
        check_is("url: https://h\nheaders: {Authorization: Bearer x}\n", "must not stand in headers");
        check_is("url: https://h\nheaders: {A: [x]}\n", "a name and a single value");
        check_is("url: https://h\nca_file: ca.pem\n", "no absolute path");
        check_is("url: https://h\npage_size: 0\n", "from 1 to 100000");
        check_is("url: https://h\ntables: {a: {path: /a}}\n", "describes itself");
        check_is("url: https://h\nprotocol: json\nbatch_size: 5\n", "is of protocol: odata");
        check_is("url: https://h\nprotocol: json\ntables: {a: {paging: cursor}}\n", "where the cursor is");
        check_is("url: https://h\nprotocol: json\ntables: {a: {first_page: 2}}\n", "out of range");
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_mistakes)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
