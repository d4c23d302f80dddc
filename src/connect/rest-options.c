/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/rest-options.h"

#include "basic/json.h"
#include "basic/text.h"

#define PAGE_SIZE_MAX  100000
#define BATCH_SIZE_MAX 1000
#define BATCH_SIZE     100
#define LAG_USEC       300000000ULL /* 5 min: clocks of an application's servers, and its longest transaction */

static const char *const pagings[_REST_PAGING_MAX] = {"key", "link", "none", "page", "offset", "cursor"};

RestPaging rest_paging_from_string(const char *name) {
        for (int i = 0; i < _REST_PAGING_MAX; i++)
                if (text_equal(pagings[i], name))
                        return (RestPaging) i;
        return _REST_PAGING_INVALID;
}

RestOptions *rest_options_free(RestOptions *o) {
        if (!o)
                return NULL;
        free(o->url);
        free(o->tables);
        strings_free(o->paths);
        free(o);
        return NULL;
}

static int fail(const RestOptions *o, const char *field, const char *remedy, const char *what, Error *error) {
        int r;

        r = error_set(error, ERROR_CONFIGURATION, remedy, "System \"%s\": %s", o->system->name, what);
        (void) error_field(error, field);
        (void) error_at(error, o->system->file, o->system->line, 0);
        return r;
}

bool rest_url_is_safe(const char *url) {
        static const char *const own[] = {"http://localhost", "http://127.0.0.1", "http://[::1]"};

        if (text_starts_with(url, "https://"))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(own); i++)
                if (text_starts_with(url, own[i]) && strchr(":/", url[strlen(own[i])]))
                        return true; /* strchr() finds the end of the text, too */
        return false;
}

static int url_check(const RestOptions *o, const char *url, const char *field, Error *error) {
        const char *host = url ? strstr(url, "://") : NULL;

        if (!host || !(text_starts_with(url, "https://") || text_starts_with(url, "http://")) || !host[3])
                return fail(o, field, "Write https://HOST/PATH", "the address is none", error);
        host += 3;
        if (memchr(host, '@', strcspn(host, "/?#")))
                return fail(o, field, "Put user and password into auth:, the password as a credential",
                            "the address has a user or password in it", error);
        if (strpbrk(url, "?# \t\r\n"))
                return fail(o, field, "Leave out what begins with ? or #; parameters: of a table adds some",
                            "the address has parameters or blanks in it", error);
        if (!rest_url_is_safe(url) && o->auth != REST_AUTH_NONE)
                return fail(o, field, "Use https:// (http:// carries secrets only to this machine itself)",
                            "a secret would be sent without encryption", error);
        return 0;
}

static int auth_read(RestOptions *o, Error *error) {
        static const struct { const char *name; RestAuth auth; } kinds[] = {
                {"api_key", REST_AUTH_API_KEY}, {"basic", REST_AUTH_BASIC}, {"bearer", REST_AUTH_BEARER},
                {"oauth2", REST_AUTH_OAUTH2}};
        const json_t *auth = json_object_get(o->system->options, "auth"), *member = NULL;

        if (!auth)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (json_object_get(auth, kinds[i].name)) {
                        member = json_object_get(auth, kinds[i].name);
                        o->auth = kinds[i].auth;
                }
        if (!member || json_object_size(auth) != 1)
                return fail(o, "auth", "Write one of api_key, basic, bearer, oauth2 below auth:",
                            "auth: names no way, or several", error);
        o->header = json_member_text(member, "header");
        o->user = json_member_text(member, "user");
        o->credential = json_member_text(member, "credential");
        o->token_url = json_member_text(member, "token_url");
        o->client_id = json_member_text(member, "client_id");
        o->scope = json_member_text(member, "scope");
        if (!o->header)
                o->header = "X-API-Key";
        if (!o->credential)
                return fail(o, "credential", "Add credential: with the name of a file in the credentials folder",
                            "auth: has no credential", error);
        if (o->auth == REST_AUTH_BASIC && !o->user)
                return fail(o, "user", "Add user:", "auth: basic has no user", error);
        if (o->auth != REST_AUTH_OAUTH2)
                return 0;
        if (!o->token_url || !o->client_id)
                return fail(o, "oauth2", "Add token_url: and client_id:", "auth: oauth2 has no token_url or client_id", error);
        return url_check(o, o->token_url, "token_url", error);
}

/* Numbers come as the texts that the file has. */
static int number_read(const RestOptions *o, const json_t *object, const char *name, int64_t maximum, int64_t *ret,
                       Error *error) {
        const char *text = json_member_text(object, name);

        if (!text || text_to_int64(text, 0, maximum, ret) == 0)
                return 0;
        return fail(o, name, "Write a whole number", "an option is out of range", error);
}

static const char *text_or(const json_t *object, const char *name, const char *otherwise) {
        const char *text = json_member_text(object, name);

        return text ? text : otherwise;
}

static int table_add(RestOptions *o, const char *name, const json_t *node, Error *error) {
        const char *paging = json_member_text(node, "paging"), *page;
        _cleanup_free_ char *path = NULL;
        RestTable *t;
        int r;

        r = array_grow(&o->tables, &o->tables_capacity, o->n_tables + 1, sizeof(RestTable));
        if (r < 0)
                return r;
        if (asprintf(&path, "/%s", name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = strings_append(&o->paths, path);
        if (r < 0)
                return r;
        t = &o->tables[o->n_tables];
        *t = (RestTable){.name = name,
                         .path = text_or(node, "path", o->paths[strings_count(o->paths) - 1]),
                         .records = text_or(node, "records", ""),
                         .record = json_member_text(node, "record"),
                         .paging = paging ? rest_paging_from_string(paging) : REST_PAGING_NONE,
                         .first_page = 1,
                         .cursor = json_member_text(node, "cursor"),
                         .more = json_member_text(node, "more"),
                         .total = json_member_text(node, "total"),
                         .parameters = json_object_get(node, "parameters"),
                         .insert_method = text_or(node, "insert", "POST"),
                         .update_method = text_or(node, "update", "PATCH"),
                         .omits_nulls = text_equal(json_member_text(node, "omits_nulls"), "true")};
        page = t->paging == REST_PAGING_OFFSET ? "offset" : t->paging == REST_PAGING_CURSOR ? "cursor" : "page";
        t->page = text_or(node, "page_parameter", page);
        t->size = text_or(node, "size_parameter", "limit");
        if ((int) t->paging < 0 || t->paging == REST_PAGING_KEY)
                return fail(o, "paging", "Write none, page, offset, cursor or link", "a table's paging is unknown", error);
        if (t->paging == REST_PAGING_CURSOR && !t->cursor)
                return fail(o, "cursor", "Add cursor: with the pointer to the next cursor, as in /meta/next",
                            "paging: cursor does not say where the cursor is", error);
        r = number_read(o, node, "first_page", 1, &t->first_page, error);
        if (r == 0)
                o->n_tables++;
        return r;
}

static int tables_read(RestOptions *o, Error *error) {
        const json_t *tables = json_object_get(o->system->options, "tables");
        const char *name;
        json_t *node;
        int r;

        json_object_foreach((json_t *) tables, name, node) {
                r = table_add(o, name, node, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int rest_table(RestOptions *o, const char *name, const RestTable **ret) {
        int r;

        for (size_t i = 0; i < o->n_tables; i++)
                if (text_equal(o->tables[i].name, name)) {
                        *ret = &o->tables[i];
                        return 0;
                }
        r = table_add(o, name, NULL, NULL);
        if (r == 0)
                *ret = &o->tables[o->n_tables - 1];
        return r;
}

static int members_read(RestOptions *o, Error *error) {
        const json_t *options = o->system->options;
        const char *text = json_member_text(options, "protocol"), *paging = json_member_text(options, "paging");
        int r;

        o->protocol = text_equal(text, "json") ? REST_JSON : REST_ODATA;
        if (text && !text_equal(text, "json") && !text_equal(text, "odata"))
                return fail(o, "protocol", "Write protocol: odata or protocol: json", "the protocol is unknown", error);
        o->headers = json_object_get(options, "headers");
        o->ca_file = json_member_text(options, "ca_file");
        o->paging = text_equal(paging, "link") ? REST_PAGING_LINK : REST_PAGING_KEY;
        if (paging && !text_equal(paging, "link") && !text_equal(paging, "key"))
                return fail(o, "paging", "Write paging: key or paging: link", "the paging is unknown", error);
        o->batch_size = BATCH_SIZE;
        o->lag_usec = LAG_USEC;
        text = json_member_text(options, "lag");
        if (text && text_to_duration(text, &o->lag_usec) < 0)
                return fail(o, "lag", "Write a duration such as 5min", "the lag is no duration", error);
        r = number_read(o, options, "page_size", PAGE_SIZE_MAX, &o->page_size, error);
        if (r == 0)
                r = number_read(o, options, "batch_size", BATCH_SIZE_MAX, &o->batch_size, error);
        if (r == 0 && o->batch_size == 0)
                o->batch_size = 1;
        return r;
}

int rest_options_read(const System *system, RestOptions **ret, Error *error) {
        _cleanup_(rest_options_freep) RestOptions *o = calloc(1, sizeof(*o));
        const char *url = json_member_text(system->options, "url");
        size_t size;
        int r;

        if (!o)
                return -ENOMEM;
        o->system = system;
        r = auth_read(o, error);
        if (r == 0)
                r = url_check(o, url, "url", error);
        if (r == 0)
                r = members_read(o, error);
        if (r == 0)
                r = tables_read(o, error);
        if (r < 0)
                return r;
        size = strlen(url);
        while (url[size - 1] == '/')
                size--;
        o->url = strndup(url, size);
        if (!o->url)
                return -ENOMEM;
        *ret = TAKE_PTR(o);
        return 0;
}
