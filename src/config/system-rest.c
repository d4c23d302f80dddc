/* SPDX-License-Identifier: Apache-2.0 */
#include "config/system-rest.h"

#include "basic/json.h"
#include "basic/text.h"

const char *const system_protocols[] = {"odata", "json", NULL};
const char *const system_pagings[] = {"key", "link", NULL};
static const char *const table_pagings[] = {"none", "page", "offset", "cursor", "link", NULL};
static const char *const inserts[] = {"POST", "PUT", NULL}, *const updates[] = {"PATCH", "PUT", NULL};

static const Field api_key_fields[] = {
        {"header", FIELD_TEXT, .summary = "the header that carries the key; X-API-Key"},
        {"credential", FIELD_TEXT, .required = true, .summary = "the file with the key, of the credentials folder"},
        {},
};
static const Field basic_fields[] = {
        {"user", FIELD_TEXT, .required = true},
        {"credential", FIELD_TEXT, .required = true, .summary = "the file with the password"},
        {},
};
static const Field bearer_fields[] = {
        {"credential", FIELD_TEXT, .required = true, .summary = "the file with the token"},
        {},
};
static const Field oauth2_fields[] = {
        {"token_url", FIELD_TEXT, .required = true, .summary = "where tokens are given"},
        {"client_id", FIELD_TEXT, .required = true},
        {"credential", FIELD_TEXT, .required = true, .summary = "the file with the client's secret"},
        {"scope", FIELD_TEXT, .summary = "what the token shall allow"},
        {},
};
const Field system_auth_fields[] = {
        {"api_key", FIELD_OBJECT, .members = api_key_fields},
        {"basic", FIELD_OBJECT, .members = basic_fields},
        {"bearer", FIELD_OBJECT, .members = bearer_fields},
        {"oauth2", FIELD_OBJECT, .members = oauth2_fields, .summary = "client credentials"},
        {},
};
const Field system_table_fields[] = {
        {"path", FIELD_TEXT, .summary = "below url; /NAME by default"},
        {"records", FIELD_TEXT, .summary = "pointer to the list of records in the answer; the answer itself by default"},
        {"record", FIELD_TEXT, .summary = "path of one record, with {field} of the key; needed to write"},
        {"paging", FIELD_TEXT, .choices = table_pagings},
        {"page_parameter", FIELD_TEXT, .summary = "page, offset or cursor by default"},
        {"size_parameter", FIELD_TEXT, .summary = "limit by default; sent with page_size"},
        {"first_page", FIELD_INTEGER, .summary = "0 or 1 (the default)"},
        {"cursor", FIELD_TEXT, .summary = "pointer to the next cursor, or address, in the answer"},
        {"more", FIELD_TEXT, .summary = "pointer to a boolean: is there another page"},
        {"total", FIELD_TEXT, .summary = "pointer to the number of all records, compared with those that came"},
        {"parameters", FIELD_OBJECT, .summary = "more parameters of the address"},
        {"insert", FIELD_TEXT, .choices = inserts},
        {"update", FIELD_TEXT, .choices = updates},
        {"omits_nulls", FIELD_BOOLEAN, .summary = "a record without a member means null; by default a column no record has is an error"},
        {},
};

typedef struct Check {
        const YamlDocument *document;
        Mistakes *mistakes;
} Check;

static void mistake(const Check *c, const json_t *node, const char *remedy, const char *detail) {
        mistake_add(c->mistakes, ERROR_CONFIGURATION, yaml_file(c->document), yaml_place(c->document, node), remedy, "%s", detail);
}

/* The same that connect/rest-options.c wants: http only to this machine where a secret goes with it. */
static bool url_is_own(const char *url) {
        static const char *const own[] = {"http://localhost", "http://127.0.0.1", "http://[::1]"};

        for (size_t i = 0; i < ELEMENTSOF(own); i++)
                if (text_starts_with(url, own[i]) && strchr(":/", url[strlen(own[i])]))
                        return true;
        return false;
}

static void url_check(const Check *c, const json_t *node, const char *name, bool has_secret) {
        const char *url = json_string_value(node), *host;

        if (!url)
                return;
        host = text_starts_with(url, "https://") ? url + 8 : text_starts_with(url, "http://") ? url + 7 : "";
        if (!*host || *host == '/' || strpbrk(url, " \t\r\n"))
                mistake(c, node, "Write https://HOST/PATH", text_equal(name, "url") ? "\"url\" is no address" : "\"token_url\" is no address");
        else if (memchr(host, '@', strcspn(host, "/?#")))
                mistake(c, node, "Write auth: {basic: {user: …, credential: …}} instead", "An address must not have a user or password in it");
        else if (strpbrk(url, "?#"))
                mistake(c, node, "Leave out what begins with ? or #; a table's parameters: adds some", "An address must not have parameters");
        else if (has_secret && *url == 'h' && url[4] == ':' && !url_is_own(url))
                mistake(c, node, "Write https://; http:// carries secrets only to this machine itself", "A secret would be sent without encryption");
}

static void headers_check(const Check *c, const json_t *headers) {
        const char *name;
        json_t *value;

        json_object_foreach((json_t *) headers, name, value) {
                const char *text = json_string_value(value);

                if (!text || strpbrk(text, "\r\n") || strpbrk(name, ": \t\r\n"))
                        mistake(c, value, "Write headers: {Name: value}", "A header wants a name and a single value");
                else if (text_equal_ignoring_case(name, "authorization") || text_equal_ignoring_case(name, "x-api-key"))
                        mistake(c, value, "Write auth: {api_key: {header: …, credential: …}} instead, the key as a credential",
                                "A secret must not stand in headers:");
        }
}

static void tables_check(const Check *c, const json_t *tables) {
        const char *name;
        json_t *table;

        json_object_foreach((json_t *) tables, name, table) {
                const char *paging = json_member_text(table, "paging"), *first = json_member_text(table, "first_page");

                if (text_equal(paging, "cursor") && !json_object_get(table, "cursor"))
                        mistake(c, table, "Add cursor: with the pointer to the next cursor, as in /meta/next",
                                "paging: cursor does not say where the cursor is");
                if (first && !text_equal(first, "0") && !text_equal(first, "1"))
                        mistake(c, json_object_get(table, "first_page"), "Write 0 or 1", "\"first_page\" is out of range");
        }
}

static void member_refuse(const Check *c, const json_t *node, const char *name, const char *detail) {
        if (json_object_get(node, name))
                mistake(c, json_object_get(node, name), "Leave it out", detail);
}

static void number_check(const Check *c, const json_t *node, const char *name, int64_t maximum, const char *detail) {
        const char *text = json_member_text(node, name);
        int64_t number;

        if (text && check_scalar(json_object_get(node, name), FIELD_INTEGER) && text_to_int64(text, 1, maximum, &number) < 0)
                mistake(c, json_object_get(node, name), "Write a number of that range", detail);
}

void system_rest_check(const YamlDocument *d, const json_t *node, Mistakes *mistakes) {
        const Check c = {.document = d, .mistakes = mistakes};
        const json_t *auth = json_object_get(node, "auth"), *url = json_object_get(node, "url");
        const char *ca_file = json_member_text(node, "ca_file");
        bool is_json = text_equal(json_member_text(node, "protocol"), "json");

        if (!url)
                mistake(&c, node, "Add url: https://HOST/PATH", "url: is missing from a system of kind \"rest\"");
        url_check(&c, url, "url", auth != NULL);
        url_check(&c, json_object_get(json_object_get(auth, "oauth2"), "token_url"), "token_url", true);
        if (json_is_object(auth) && json_object_size(auth) != 1)
                mistake(&c, auth, "Write one of api_key, basic, bearer, oauth2", "\"auth\" names no way, or several");
        if (ca_file && *ca_file != '/')
                mistake(&c, json_object_get(node, "ca_file"), "Write the whole path of the file", "\"ca_file\" is no absolute path");
        headers_check(&c, json_object_get(node, "headers"));
        tables_check(&c, json_object_get(node, "tables"));
        number_check(&c, node, "page_size", 100000, "\"page_size\" has to be from 1 to 100000");
        number_check(&c, node, "batch_size", 1000, "\"batch_size\" has to be from 1 to 1000");
        if (is_json) {
                member_refuse(&c, node, "batch_size", "\"batch_size\" is of protocol: odata");
                member_refuse(&c, node, "paging", "\"paging\" of the system is of protocol: odata; with json it is said of each table");
                member_refuse(&c, node, "lag", "\"lag\" is of protocol: odata");
        } else
                member_refuse(&c, node, "tables", "\"tables\" is of protocol: json; an OData service describes itself");
}
