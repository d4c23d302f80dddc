/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/json.h"
#include "basic/text.h"
#include "connect/odata-key.h"
#include "connect/rest-connection.h"
#include "connect/rest-value.h"

typedef struct RestReader {
        Reader base;
        RestConnection *connection;
        ReadPlan plan;
        const ODataSet *set;                    /* odata; NULL: protocol json */
        const RestTable *table;
        const ODataProperty **properties;       /* of each column */
        ssize_t *joins;                         /* of each column: index of its join, -1: none */
        const ODataNavigation **navigations;    /* of each join */
        bool *columns;                          /* which columns are read */
        RestPages pages;
        const JsonItem *record;                 /* the next one of the page */
        char **after;                           /* literals of the last record's key; NULL before the first */
        bool by_key, resumed, gone, at_end;
        bool columns_looked_for;
        uint64_t n_resumed;                     /* records before the position */
        char *position;
} RestReader;

void rest_reader_close(Reader *reader) {
        RestReader *r = (RestReader *) reader;

        rest_pages_done(&r->pages);
        strings_free(r->after);
        free(r->properties);
        free(r->joins);
        free(r->navigations);
        free(r->columns);
        free(r->position);
        free(r);
}

static void readerp(RestReader **r) {
        if (*r)
                rest_reader_close(&(*r)->base);
}

/* ---- opening ---- */

static int column_find(RestReader *r, size_t i, const ODataSet *const *joined, Error *error) {
        const MappingColumn *column = &r->plan.mapping->columns[i];
        const ODataSet *set = r->set;
        _cleanup_(table_freep) Table *table = NULL;
        int n;

        r->joins[i] = -1;
        for (size_t j = 0; j < r->plan.mapping->n_joins; j++)
                if (text_equal(r->plan.mapping->joins[j].name, column->join)) {
                        r->joins[i] = (ssize_t) j;
                        set = joined[j];
                }
        r->properties[i] = odata_property(set, column->name);
        if (!r->properties[i]) {
                n = odata_set_table(set, &table);
                n = n < 0 ? n : table_column_require(table, column->name, error);
        } else if (r->properties[i]->type == EDM_GEO || r->properties[i]->type == EDM_STREAM)
                n = error_set(error, ERROR_NOT_YET, "Leave the column out of the mapping",
                              "\"%s\": column \"%s\" is of type %s, which is not read yet", set->name, column->name,
                              r->properties[i]->type_name);
        else
                return 0;
        return r->plan.pair ? error_at(error, r->plan.pair->file, column->line, column->column) : n;
}

/* Deletes are looked for by key alone: other columns need not be fetched. */
static void columns_choose(RestReader *r) {
        const Mapping *m = r->plan.mapping;

        for (size_t i = 0; i < m->n_columns; i++)
                r->columns[i] = r->plan.scope != READ_KEYS;
        for (size_t i = 0; i < m->n_key; i++)
                if (m->fields[i].column >= 0)
                        r->columns[m->fields[i].column] = true;
}

/* A key that can be compared and written down lets a scan go on behind its last record, whatever changed meanwhile. */
static bool key_orders(const ODataSet *set) {
        for (unsigned i = 1; i <= set->n_key; i++) {
                EdmType type = odata_key(set, i)->type;

                if (type != EDM_STRING && type != EDM_INTEGER && type != EDM_INT64 && type != EDM_DECIMAL && type != EDM_DATE &&
                    type != EDM_DATE_TIME_OFFSET && type != EDM_GUID)
                        return false;
        }
        return set->n_key > 0;
}

static int odata_prepare(RestReader *r, Error *error) {
        const Mapping *m = r->plan.mapping;
        _cleanup_free_ const ODataSet **joined = calloc(m->n_joins + 1, sizeof(*joined));
        const ODataService *service;
        int n;

        r->navigations = calloc(m->n_joins + 1, sizeof(*r->navigations));
        if (!joined || !r->navigations)
                return -ENOMEM;
        n = rest_service(r->connection, &service, error);
        if (n == 0)
                n = rest_set(r->connection, m->from, &r->set, error);
        if (n < 0)
                return n;
        for (size_t i = 0; i < m->n_joins; i++) {
                n = odata_join(service, r->set, &m->joins[i], &r->navigations[i], &joined[i], error);
                if (n < 0)
                        return r->plan.pair ? error_at(error, r->plan.pair->file, m->joins[i].line, m->joins[i].column) : n;
        }
        for (size_t i = 0; i < m->n_columns; i++) {
                n = column_find(r, i, joined, error);
                if (n < 0)
                        return n;
        }
        r->by_key = r->connection->options->paging == REST_PAGING_KEY && m->strategy != DETECT_FEED && key_orders(r->set);
        return 0;
}

/* What a service without a query language does not do is refused. */
static int json_prepare(RestReader *r, Error *error) {
        const Mapping *m = r->plan.mapping;
        const char *what = m->n_joins > 0                         ? "join:"
                           : m->where                             ? "where:"
                           : r->plan.scope == READ_WATERMARK      ? "strategy: watermark"
                           : r->plan.scope == READ_CHANGES        ? "strategy: feed"
                                                                  : NULL;
        int n;

        if (!what)
                return rest_table(r->connection->options, m->from, &r->table);
        n = error_set(error, ERROR_MAPPING, m->where ? "Narrow the list with parameters: of the system's table" : "Load it into a database first",
                      "Entity \"%s\" reads a service of protocol json, which knows no %s", m->entity, what);
        return r->plan.pair ? error_at(error, r->plan.pair->file, m->line, m->column) : n;
}

static int next_url(RestReader *r, bool count, char **ret, Error *error) {
        const RestSelect select = {.set = r->set, .plan = &r->plan, .columns = r->columns, .navigations = r->navigations,
                                   .after = r->after, .in_key_order = r->plan.mapping->strategy != DETECT_FEED, .count = count};

        return odata_select_url(r->connection, &select, ret, error);
}

/* {"after": ["'A1'"], "n": 5, "total": 10} */
static int position_take(RestReader *r, Error *error) {
        _cleanup_strings_ char **after = NULL;
        json_auto_t *document = NULL;
        size_t i;
        json_t *item;
        int n = 0;

        if (!r->by_key || !r->plan.position || json_parse(r->plan.position, strlen(r->plan.position), &document, NULL) < 0 ||
            json_array_size(json_object_get(document, "after")) != r->set->n_key)
                return 0;
        json_array_foreach(json_object_get(document, "after"), i, item)
                if (n == 0 && json_is_string(item))
                        n = strings_append(&after, json_string_value(item));
        if (n < 0)
                return n;
        r->after = TAKE_PTR(after);
        r->n_resumed = (uint64_t) json_member_integer(document, "n", 0);
        r->pages.total = json_member_integer(document, "total", -1);
        r->position = strdup(r->plan.position);
        r->resumed = true;
        return r->position ? 0 : -ENOMEM;
}

static int pages_open(RestReader *r, Error *error) {
        RestConnection *c = r->connection;
        int n;

        n = rest_pages_open(&r->pages, c->client, c->options, r->table, NULL, error);
        if (n < 0 || r->table)
                return n;
        n = position_take(r, error);
        if (n < 0)
                return n;
        if (r->plan.scope == READ_CHANGES)
                r->pages.url = strdup(r->plan.position);
        else
                n = next_url(r, !r->resumed && r->plan.scope == READ_ALL && r->plan.mapping->strategy != DETECT_FEED, &r->pages.url, error);
        r->pages.by_key = r->by_key;
        return n < 0 ? n : r->pages.url ? 0 : -ENOMEM;
}

/* The first page of a feed tells whether the service still knows the link. */
static int changes_begin(RestReader *r, Error *error) {
        long status;
        int n;

        n = rest_pages_next(&r->pages, &status, error);
        if (n == -ENOENT && (!error || error->id == ERROR_NONE))
                return error_set(error, ERROR_HISTORY_GONE, "Nothing: everything is compared once, then changes are read again",
                                 "System \"%s\": the service no longer knows the changes of \"%s\" since the last run (%ld)",
                                 r->connection->options->system->name, r->plan.mapping->from, status);
        if (n > 0)
                r->record = r->pages.records->first;
        return n < 0 ? n : 0;
}

static char *prefer_make(const RestReader *r) {
        char *text = NULL;
        int64_t size = r->connection->options->page_size;
        bool tracks = r->plan.mapping->strategy == DETECT_FEED && r->plan.scope == READ_ALL;

        if (size > 0 && asprintf(&text, "odata.maxpagesize=%lld%s", (long long) size, tracks ? ",odata.track-changes" : "") < 0)
                return NULL;
        return size > 0 ? text : strdup(tracks ? "odata.track-changes" : "");
}

static int reader_new(RestConnection *c, const ReadPlan *plan, RestReader **ret) {
        _cleanup_(readerp) RestReader *r = calloc(1, sizeof(*r));
        size_t n = plan->mapping->n_columns + 1;

        if (!r)
                return -ENOMEM;
        r->base.connector = &rest_connector;
        r->connection = c;
        r->plan = *plan;
        r->properties = calloc(n, sizeof(*r->properties));
        r->joins = calloc(n, sizeof(*r->joins));
        r->columns = calloc(n, sizeof(*r->columns));
        if (!r->properties || !r->joins || !r->columns)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                r->joins[i] = -1;
        *ret = TAKE_PTR(r);
        return 0;
}

int rest_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        RestConnection *c = (RestConnection *) connection;
        _cleanup_(readerp) RestReader *r = NULL;
        int n;

        n = reader_new(c, plan, &r);
        if (n < 0)
                return n;
        columns_choose(r);
        n = c->options->protocol == REST_ODATA ? odata_prepare(r, error) : json_prepare(r, error);
        if (n == 0)
                n = pages_open(r, error);
        if (n == 0 && r->set) {
                r->pages.prefer = prefer_make(r);
                n = r->pages.prefer ? 0 : -ENOMEM;
        }
        if (n == 0 && plan->scope == READ_CHANGES)
                n = changes_begin(r, error);
        if (n < 0)
                return n;
        *ret = &TAKE_PTR(r)->base;
        return 0;
}

/* ---- records ---- */

/* A column that no record of the first page has is no column: left-out members mean null only where others have them. */
static int columns_look(RestReader *r, Error *error) {
        const Mapping *m = r->plan.mapping;
        int n;

        if (r->columns_looked_for || !r->table || r->table->omits_nulls || r->pages.records->n_children == 0)
                return 0;
        r->columns_looked_for = true;
        for (size_t i = 0; i < m->n_columns; i++) {
                const MappingColumn *column = &m->columns[i];
                bool found = false;

                for (const JsonItem *record = r->pages.records->first; record && !found; record = record->next)
                        found = json_item_at(record, column->name) != NULL;
                if (found)
                        continue;
                n = error_set(error, ERROR_COLUMN_MISSING,
                              "Correct the name (a pointer such as address/street leads inwards), or say omits_nulls: true of the system's "
                              "table where the service leaves out nulls",
                              "No record on the first page of \"%s\" has a member \"%s\"", m->from, column->name);
                (void) error_field(error, column->name);
                return r->plan.pair ? error_at(error, r->plan.pair->file, column->line, column->column) : n;
        }
        return 0;
}

/* Records that came, came back or went while we read differ from either count; anything else is a list that was cut. */
static int total_check(RestReader *r, Error *error) {
        uint64_t n = r->pages.n_records + r->n_resumed;
        const char *name = r->connection->options->system->name;
        _cleanup_(rest_response_done) RestResponse response = {};
        _cleanup_free_ char *url = NULL;
        int64_t now = -1;

        if (r->pages.total < 0 || n == (uint64_t) r->pages.total)
                return 0;
        if (r->set && r->plan.mapping->where == NULL && asprintf(&url, "%s/%s/$count", r->connection->options->url, r->set->name) >= 0) {
                const RestRequest q = {.method = "GET", .url = url, .accept = "text/plain", .repeats = true};

                if (rest_client_send(r->connection->client, &q, &response, NULL) < 0 || response.status != 200 ||
                    text_to_int64(response.body + (text_starts_with(response.body, "\xEF\xBB\xBF") ? 3 : 0), 0, INT64_MAX, &now) < 0)
                        now = -1;
        }
        if (now >= 0 && (int64_t) n >= (now < r->pages.total ? now : r->pages.total) &&
            (int64_t) n <= (now > r->pages.total ? now : r->pages.total))
                return 0;
        return error_set(error, ERROR_SYSTEM_BUSY, "Nothing, if records were added or deleted meanwhile: it is read again. Else look at paging:",
                         "System \"%s\": the service counts %lld records of \"%s\" and gave %llu", name,
                         (long long) (now >= 0 ? now : r->pages.total), r->plan.mapping->from, (unsigned long long) n);
}

static bool is_complete(const RestReader *r) {
        return r->plan.scope == READ_ALL && (r->set ? r->plan.mapping->strategy != DETECT_FEED : r->table->total != NULL);
}

/* 1: the next record, 0: the end. */
static int record_next(RestReader *r, Error *error) {
        int n;

        if (r->at_end)
                return 0;
        while (!r->record) {
                if (r->by_key && r->pages.has_more && r->after) {
                        n = next_url(r, false, &r->pages.url, error);
                        if (n < 0)
                                return n;
                }
                n = rest_pages_next(&r->pages, NULL, error);
                if (n < 0)
                        return n;
                if (n == 0) {
                        r->at_end = true;
                        r->connection->numbers_are_texts = r->pages.numbers_are_texts;
                        return is_complete(r) ? total_check(r, error) : 0;
                }
                n = columns_look(r, error);
                if (n < 0)
                        return n;
                r->record = r->pages.records->first;
        }
        return 1;
}

static int after_take(RestReader *r, const JsonItem *record, Error *error) {
        _cleanup_strings_ char **after = NULL;
        int n = 0;

        for (unsigned place = 1; place <= r->set->n_key && n == 0; place++) {
                const ODataProperty *p = odata_key(r->set, place);
                const JsonItem *item = json_item_member(record, p->name);
                _cleanup_text_buffer_ TextBuffer literal = {};
                Value value;

                if (!item || item->kind == JSON_ITEM_NULL)
                        return error_set(error, ERROR_FILE_FORMAT, "Look at the service", "System \"%s\": a record of \"%s\" has no key \"%s\"",
                                         r->connection->options->system->name, r->set->name, p->name);
                n = rest_value_read(item, p, r->pages.arena, &value);
                if (n == 0)
                        n = odata_literal(&value, p, r->pages.arena, &literal);
                if (n == -ERANGE)
                        return error_set(error, ERROR_FILE_FORMAT, "Say paging: link of the system",
                                         "System \"%s\": a key \"%s\" of \"%s\" cannot be written into an address",
                                         r->connection->options->system->name, p->name, r->set->name);
                if (n == 0)
                        n = strings_append(&after, literal.bytes);
        }
        if (n < 0)
                return n;
        strings_free(r->after);
        r->after = TAKE_PTR(after);
        return 0;
}

static int member_absent(RestReader *r, size_t i, Value *ret, Error *error) {
        const MappingColumn *column = &r->plan.mapping->columns[i];

        *ret = r->plan.scope == READ_CHANGES ? VALUE_NONE : value_null(); /* a feed may tell only what changed */
        if (!r->set || r->plan.scope == READ_CHANGES)
                return 0;
        return error_set(error, ERROR_COLUMN_MISSING, "Look at the service: it has to give what $select asks for",
                         "System \"%s\": a record of \"%s\" comes without \"%s\"", r->connection->options->system->name, r->set->name,
                         column->name);
}

/* 1; 0: an inner join found nothing, the record is none. */
static int values_take(RestReader *r, const JsonItem *record, Value *values, Error *error) {
        const Mapping *m = r->plan.mapping;
        int n;

        for (size_t i = 0; i < m->n_joins; i++) {
                const JsonItem *joined = json_item_member(record, r->navigations[i]->name);

                if (!m->joins[i].optional && (!joined || joined->kind == JSON_ITEM_NULL))
                        return 0;
        }
        for (size_t i = 0; i < m->n_columns; i++) {
                const JsonItem *from = r->joins[i] < 0 ? record : json_item_member(record, r->navigations[r->joins[i]]->name), *item;

                values[i] = r->columns[i] ? value_null() : VALUE_NONE;
                if (!r->columns[i] || (r->joins[i] >= 0 && (!from || from->kind == JSON_ITEM_NULL)))
                        continue;
                item = r->set ? json_item_member(from, m->columns[i].name) : json_item_at(from, m->columns[i].name);
                n = item ? rest_value_read(item, r->properties[i], r->pages.arena, &values[i]) : member_absent(r, i, &values[i], error);
                if (n < 0)
                        return n;
        }
        return 1;
}

/* {"@removed": {…}, "@id": "Accounts('A1')"} of 4.01, {"@odata.context": "…/$deletedEntity", "id": "Accounts('A1')"} of 4.0. */
static int gone_take(RestReader *r, const JsonItem *record, Value *values, bool *ret, Error *error) {
        const JsonItem *context = odata_annotation(record, "context"), *id = odata_annotation(record, "id");
        _cleanup_free_ Value *key = calloc(r->set->n_key + 1, sizeof(Value));
        int n;

        *ret = odata_annotation(record, "removed") || (json_item_text(context) && strstr(context->text, "$deletedEntity"));
        if (!*ret)
                return 0;
        if (!key)
                return -ENOMEM;
        if (!id)
                id = json_item_member(record, "id");
        for (size_t i = 0; i < r->plan.mapping->n_columns; i++)
                values[i] = VALUE_NONE;
        n = json_item_text(id) ? odata_key_parse(id->text, r->set, r->pages.arena, key) : -EBADMSG;
        for (size_t i = 0; i < r->plan.mapping->n_columns && n != -ENOMEM; i++) {
                const ODataProperty *p = r->joins[i] < 0 ? r->properties[i] : NULL;
                const JsonItem *item = p ? json_item_member(record, p->name) : NULL;

                if (item) /* keys may stand there, too */
                        n = rest_value_read(item, p, r->pages.arena, &values[i]) < 0 ? -ENOMEM : n == -EBADMSG ? 0 : n;
                else if (p && p->key_place > 0 && n == 0)
                        values[i] = key[p->key_place - 1];
        }
        if (n != -EBADMSG)
                return n;
        return error_set(error, ERROR_FILE_FORMAT, "Look at the service: a deleted record has to be named by its id",
                         "System \"%s\": the service tells of a deleted record of \"%s\" without its key",
                         r->connection->options->system->name, r->set->name);
}

int rest_reader_next(Reader *reader, Value *values, Error *error) {
        RestReader *r = (RestReader *) reader;
        const JsonItem *record;
        int n;

        r->gone = false;
        do {
                n = record_next(r, error);
                if (n <= 0)
                        return n;
                record = r->record;
                r->record = record->next;
                if (record->kind != JSON_ITEM_OBJECT)
                        return error_set(error, ERROR_FILE_FORMAT, "Say in records: where the list of records is",
                                         "System \"%s\": the list of \"%s\" holds something that is no record",
                                         r->connection->options->system->name, r->plan.mapping->from);
                if (r->by_key) {
                        n = after_take(r, record, error);
                        if (n < 0)
                                return n;
                }
                if (r->plan.scope == READ_CHANGES) {
                        n = gone_take(r, record, values, &r->gone, error);
                        if (n < 0 || r->gone)
                                return n < 0 ? n : 1;
                }
                n = values_take(r, record, values, error);
        } while (n == 0);
        return n;
}

/* ---- places ---- */

bool rest_reader_resumed(const Reader *reader) { return ((const RestReader *) reader)->resumed; }

bool rest_reader_is_gone(const Reader *reader) { return ((const RestReader *) reader)->gone; }

/* How many records of the page lie behind the place. */
static uint64_t n_left(const RestReader *r) {
        uint64_t n = 0;

        for (const JsonItem *item = r->record; item; item = item->next)
                n++;
        return n;
}

static char *key_position(const RestReader *r) {
        json_auto_t *document = json_object();
        json_t *after = json_array();
        uint64_t n = r->n_resumed + r->pages.n_records - n_left(r);

        if (json_put(document, "after", after) < 0)
                return NULL;
        for (char *const *literal = r->after; *literal; literal++)
                if (json_array_append_new(after, json_string(*literal)) < 0)
                        return NULL;
        if (json_put(document, "n", json_integer((json_int_t) n)) < 0 ||
            json_put(document, "total", json_integer((json_int_t) r->pages.total)) < 0)
                return NULL;
        return json_dumps(document, JSON_COMPACT);
}

/* Of a feed: the page at hand, from its begin; behind its last record the next one, or the new delta link. */
static const char *changes_position(const RestReader *r) {
        if (r->record)
                return r->pages.asked;
        return r->pages.url ? r->pages.url : r->pages.delta_link ? r->pages.delta_link : r->pages.asked;
}

const char *rest_reader_position(Reader *reader) {
        RestReader *r = (RestReader *) reader;

        if (r->plan.scope == READ_CHANGES)
                return changes_position(r);
        if (!r->by_key || !r->after)
                return NULL;
        free(r->position);
        r->position = key_position(r);
        return r->position;
}

const char *rest_reader_changes_from(Reader *reader) {
        RestReader *r = (RestReader *) reader;

        return r->at_end ? r->pages.delta_link : NULL;
}

/* Is the mapping's key the entity's own? Field by field, without anything made of it that could make two alike. */
bool rest_reader_keys_are_unique(const Reader *reader) {
        const RestReader *r = (const RestReader *) reader;
        const Mapping *m = r->plan.mapping;
        size_t n_found = 0;

        if (!r->set || m->n_joins > 0)
                return false;
        for (size_t i = 0; i < m->n_key; i++) {
                const MappingField *f = &m->fields[i];

                n_found += f->column >= 0 && r->properties[f->column]->key_place > 0 && !f->trim && !f->lookup && !f->null_values;
        }
        return r->set->n_key > 0 && n_found == r->set->n_key;
}
