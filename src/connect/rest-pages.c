/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/rest-pages.h"

#include "basic/limits.h"
#include "basic/json.h"
#include "basic/text-buffer.h"
#include "basic/text.h"
#include "connect/rest-answer.h"
#include "connect/rest-connection.h"
#include "model/record.h"

const JsonItem *odata_annotation(const JsonItem *item, const char *name) {
        char text[64];
        const JsonItem *member;

        (void) snprintf(text, sizeof(text), "@odata.%s", name);
        member = json_item_member(item, text);
        (void) snprintf(text, sizeof(text), "@%s", name);
        return member ? member : json_item_member(item, text);
}

void rest_pages_done(RestPages *p) {
        rest_response_done(&p->response);
        arena_free(p->arena);
        free(p->url);
        free(p->asked);
        free(p->delta_link);
        free(p->prefer);
        *p = (RestPages){};
}

/* ---- addresses of protocol json ---- */

static int parameter_add(TextBuffer *b, const char *name, const char *value) {
        int r;

        r = text_buffer_add(b, memchr(b->bytes, '?', b->size) ? "&" : "?", 1);
        if (r == 0)
                r = text_buffer_add_url(b, name, strlen(name));
        if (r == 0)
                r = text_buffer_add(b, "=", 1);
        return r < 0 ? r : text_buffer_add_url(b, value, strlen(value));
}

static int number_add(TextBuffer *b, const char *name, int64_t number) {
        char text[24];

        (void) snprintf(text, sizeof(text), "%lld", (long long) number);
        return parameter_add(b, name, text);
}

/* cursor: NULL at the first page. */
static int table_url(const RestPages *p, const char *cursor, char **ret) {
        const RestTable *t = p->table;
        _cleanup_text_buffer_ TextBuffer b = {};
        const char *name;
        json_t *value;
        int r;

        r = text_buffer_printf(&b, "%s%s", p->options->url, t->path);
        json_object_foreach((json_t *) t->parameters, name, value)
                if (r == 0 && json_is_string(value))
                        r = parameter_add(&b, name, json_string_value(value));
        if (r == 0 && t->paging != REST_PAGING_NONE && p->options->page_size > 0)
                r = number_add(&b, t->size, p->options->page_size);
        if (r == 0 && (t->paging == REST_PAGING_PAGE || t->paging == REST_PAGING_OFFSET))
                r = number_add(&b, t->page, p->number);
        if (r == 0 && cursor)
                r = parameter_add(&b, t->page, cursor);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b.bytes);
        return 0;
}

int rest_pages_open(RestPages *p, RestClient *client, const RestOptions *options, const RestTable *table, char *url, Error *error) {
        *p = (RestPages){.client = client, .options = options, .table = table, .url = url, .total = -1};
        if (arena_new(&p->arena) < 0)
                return -ENOMEM;
        if (!table)
                return 0;
        p->number = table->paging == REST_PAGING_PAGE ? table->first_page : 0;
        return table_url(p, NULL, &p->url);
}

/* ---- what comes next ---- */

static int follow(RestPages *p, const char *link, Error *error) {
        char *url;
        int r;

        r = rest_url_follow(p->client, p->asked, link, &url, error);
        if (r < 0)
                return r;
        free(p->url);
        p->url = url;
        if (!text_equal(url, p->asked))
                return 0;
        return error_set(error, ERROR_SYSTEM_REFUSED, "Look at the service: its paging does not get on",
                         "System \"%s\": the link to the next page leads to the page itself", p->options->system->name);
}

static int odata_next(RestPages *p, const JsonItem *document, Error *error) {
        const char *link = json_item_text(odata_annotation(document, "nextLink")),
                   *delta = json_item_text(odata_annotation(document, "deltaLink"));

        p->has_more = link != NULL;
        if (link && !p->by_key)
                return follow(p, link, error);
        if (!delta)
                return 0;
        free(p->delta_link);
        p->delta_link = NULL;
        return rest_url_follow(p->client, p->asked, delta, &p->delta_link, error);
}

/* <https://…?page=2>; rel="next", <…>; rel="last" */
static char *link_next(const char *header) {
        while (header && (header = strchr(header, '<'))) {
                const char *end = strchr(header, '>'), *comma, *rel;

                if (!end)
                        return NULL;
                comma = strstr(end, ", <");
                rel = strcasestr(end, "rel=");
                if (rel && (!comma || rel < comma)) {
                        rel += 4;
                        rel += *rel == '"';
                        if (strncasecmp(rel, "next", 4) == 0 && strchr("\" ;,", rel[4]))
                                return strndup(header + 1, (size_t) (end - header - 1));
                }
                header = end;
        }
        return NULL;
}

static int cursor_next(RestPages *p, const JsonItem *document, Error *error) {
        const JsonItem *cursor = json_item_at(document, p->table->cursor);
        _cleanup_free_ char *text = NULL;

        if (!cursor || (cursor->kind != JSON_ITEM_TEXT && cursor->kind != JSON_ITEM_NUMBER) || cursor->size == 0)
                return 0;
        text = strndup(cursor->text, cursor->size);
        if (!text)
                return -ENOMEM;
        if (text_starts_with(text, "http://") || text_starts_with(text, "https://") || *text == '/')
                return follow(p, text, error);
        return table_url(p, text, &p->url);
}

/* Only the service knows its last page: an empty one, one that says so, or one that leads nowhere. A short page means nothing. */
static int json_next(RestPages *p, const JsonItem *document, Error *error) {
        const RestTable *t = p->table;
        _cleanup_free_ char *link = NULL;

        if (t->more && json_item_is(json_item_at(document, t->more), JSON_ITEM_FALSE))
                return 0;
        switch (t->paging) {
        case REST_PAGING_LINK:
                link = link_next(p->response.link);
                return link ? follow(p, link, error) : 0;
        case REST_PAGING_CURSOR: return cursor_next(p, document, error);
        case REST_PAGING_PAGE:
        case REST_PAGING_OFFSET:
                if (p->records->n_children == 0 || (p->total >= 0 && p->n_records >= (uint64_t) p->total))
                        return 0;
                p->number += t->paging == REST_PAGING_PAGE ? 1 : (int64_t) p->records->n_children;
                return table_url(p, NULL, &p->url);
        default: return 0;
        }
}

/* ---- one page ---- */

static void total_take(RestPages *p, const JsonItem *item) {
        Decimal d;

        if (p->total < 0 && item && (item->kind == JSON_ITEM_NUMBER || item->kind == JSON_ITEM_TEXT) &&
            decimal_parse(item->text, item->size, &d) == 0 && (decimal_to_integer(&d, &p->total) < 0 || p->total < 0))
                p->total = -1;
}

/* Brent's way: one earlier page is remembered, ever later ones, so that a circle of any length is met. */
static int circle_check(RestPages *p, Error *error) {
        Digest digest;

        if (p->records->n_children == 0)
                return 0;
        bytes_digest(p->records->text, p->records->size, &digest);
        if (p->mark_at > 0 && digest_equal(&digest, &p->mark))
                return error_set(error, ERROR_SYSTEM_REFUSED,
                                 "Look at paging: and its parameters; the service may not know them and give its first page for ever",
                                 "System \"%s\": pages %llu and %llu of %s have the same records", p->options->system->name,
                                 (unsigned long long) p->mark_at, (unsigned long long) p->n_pages, p->table ? p->table->name : "the entity set");
        if ((p->n_pages & (p->n_pages - 1)) == 0) {
                p->mark = digest;
                p->mark_at = p->n_pages;
        }
        return 0;
}

static int records_find(RestPages *p, const JsonItem *document, Error *error) {
        const char *pointer = p->table ? p->table->records : "/value";

        p->records = json_item_at(document, pointer);
        if (json_item_is(p->records, JSON_ITEM_ARRAY))
                return 0;
        return error_set(error, ERROR_FILE_FORMAT, p->table ? "Say in records: where the list of records is, as in /data/items"
                                                            : "Check url: it has to lead to an OData v4 service",
                         "System \"%s\": the answer has no list of records at \"%s\"", p->options->system->name, pointer);
}

static bool numbers_are_texts(const RestResponse *r) {
        return r->content_type && strcasestr(r->content_type, "IEEE754Compatible=true");
}

static int page_take(RestPages *p, const RestRequest *q, Error *error) {
        const JsonItem *document;
        int r;

        r = rest_response_json(p->client, q, &p->response, p->arena, &document, error);
        if (r == 0)
                r = records_find(p, document, error);
        if (r < 0)
                return r;
        p->n_pages++;
        p->n_records += p->records->n_children;
        p->numbers_are_texts = numbers_are_texts(&p->response);
        p->date_usec = p->response.date_usec;
        total_take(p, p->table ? p->table->total ? json_item_at(document, p->table->total) : NULL : odata_annotation(document, "count"));
        r = circle_check(p, error);
        if (r < 0)
                return r;
        return p->table ? json_next(p, document, error) : odata_next(p, document, error);
}

int rest_pages_next(RestPages *p, long *ret_status, Error *error) {
        RestRequest q = {.method = "GET", .accept = p->table ? NULL : REST_ACCEPT_ODATA, .prefer = p->prefer && *p->prefer ? p->prefer : NULL, .repeats = true};
        int r;

        p->records = NULL;
        p->has_more = false;
        if (!p->url)
                return 0;
        free(p->asked);
        p->asked = TAKE_PTR(p->url);
        q.url = p->asked;
        arena_reset(p->arena);
        r = rest_client_send(p->client, &q, &p->response, error);
        if (r < 0)
                return r;
        if (ret_status && (p->response.status == 404 || p->response.status == 410)) {
                *ret_status = p->response.status;
                return -ENOENT;
        }
        if (p->response.status / 100 != 2) {
                r = rest_response_error(p->client, &q, &p->response, error);
                if (p->response.status == 400 && !p->table && error && !error->remedy)
                        error->remedy = strdup("Look at where: of the mapping: it is the service's own $filter");
                return r;
        }
        r = page_take(p, &q, error);
        return r < 0 ? r : 1;
}
