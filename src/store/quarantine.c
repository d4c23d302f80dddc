/* SPDX-License-Identifier: Apache-2.0 */
#include "store/quarantine.h"
#include "basic/json.h"
#include "basic/timestamp.h"
#include "store/files.h"

/* {"hood_cd": …, "owner.owner_id": …}: the source record's columns as the mapping names them. */
static int source_to_json(const Mapping *m, const Change *change, json_t **ret) {
        json_auto_t *object = json_object();

        for (size_t i = 0; change->source && i < m->n_columns; i++) {
                const MappingColumn *column = &m->columns[i];
                _cleanup_free_ char *name = NULL;

                if (asprintf(&name, "%s%s%s", column->join ? column->join : "", column->join ? "." : "",
                             column->name) < 0 ||
                    json_put(object, name, value_to_json(&change->source[i])) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(object);
        return 0;
}

static int quarantine_texts(const Mapping *m, const Change *change, char **ret_findings, char **ret_source) {
        json_auto_t *findings = findings_to_json(change->findings);
        json_auto_t *source = NULL;
        _cleanup_free_ char *text = NULL;

        if (!findings || source_to_json(m, change, &source) < 0)
                return -ENOMEM;
        text = json_dumps(findings, JSON_COMPACT);
        *ret_source = json_dumps(source, JSON_COMPACT);
        if (!text || !*ret_source)
                return -ENOMEM;
        *ret_findings = TAKE_PTR(text);
        return 0;
}

int quarantine_put(Database *d, const char *operation_id, const Mapping *m, const Change *change,
                   Error *error) {
        static const char sql[] =
                "insert into quarantine (entity, key, digest, operation_id, first_seen, last_seen, "
                "findings, source)"
                " values (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7) on conflict (entity, key, digest) do update set"
                " operation_id = excluded.operation_id, last_seen = excluded.last_seen, findings = "
                "excluded.findings,"
                " source = excluded.source";
        _cleanup_free_ char *findings = NULL, *source = NULL;
        Statement *s;
        int r;

        if (quarantine_texts(m, change, &findings, &source) < 0)
                return store_no_memory(error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, m->entity);
        statement_bind_bytes(s, 2, change->key.bytes, change->key.size);
        statement_bind_bytes(s, 3, change->source_digest.bytes, change->key.size > 0 ? 0 : DIGEST_SIZE);
        statement_bind_text(s, 4, operation_id);
        statement_bind_integer(s, 5, timestamp_now());
        statement_bind_text(s, 6, findings);
        statement_bind_text(s, 7, source);
        return statement_run(s, error);
}

int quarantine_release(Database *d, const char *entity, Key key, Error *error) {
        static const char sql[] = "delete from quarantine where entity = ? and key = ? and digest = ?";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, entity);
        statement_bind_bytes(s, 2, key.bytes, key.size);
        statement_bind_bytes(s, 3, NULL, 0);
        return statement_run(s, error);
}

int quarantine_has(Database *d, const char *entity, Key key, Error *error) {
        static const char sql[] = "select 1 from quarantine where entity = ? and key = ? and digest = ?";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, entity);
        statement_bind_bytes(s, 2, key.bytes, key.size);
        statement_bind_bytes(s, 3, NULL, 0);
        r = statement_step(s, error);
        statement_reset(s);
        return r;
}

int quarantine_release_stale(Database *d, const char *entity, const char *operation_id, Error *error) {
        static const char sql[] = "delete from quarantine where entity = ? and operation_id <> ?";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, entity);
        statement_bind_text(s, 2, operation_id);
        return statement_run(s, error);
}

int quarantine_count(Database *d, const char *entity, uint64_t *ret, Error *error) {
        static const char all[] = "select count(*) from quarantine";
        static const char one[] = "select count(*) from quarantine where entity = ?";
        Statement *s;
        int r;

        r = database_prepare(d, entity ? one : all, &s, error);
        if (r < 0)
                return r;
        if (entity)
                statement_bind_text(s, 1, entity);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        *ret = (uint64_t) statement_integer(s, 0);
        statement_reset(s);
        return 0;
}

static int text_to_json(const char *text, json_t **ret) {
        *ret = NULL;
        return text ? json_parse(text, strlen(text), ret, NULL) : -EBADMSG;
}

/* Columns: id, entity, key, operation_id, first_seen, last_seen, findings, source. */
static int row_to_json(Statement *s, const char *pair, Arena *arena, json_t **ret) {
        json_auto_t *object = json_object(), *findings = NULL, *source = NULL;
        size_t size;
        const void *bytes = statement_bytes(s, 2, &size);
        Key key = {.bytes = bytes, .size = size};
        const char *key_text = size > 0 ? key_to_text(key, arena) : NULL;

        if (text_to_json(statement_text(s, 6), &findings) < 0 ||
            text_to_json(statement_text(s, 7), &source) < 0)
                return -EBADMSG;
        if (!object || (size > 0 && !key_text) ||
            json_put(object, "id", json_integer(statement_integer(s, 0))) < 0 ||
            json_put(object, "sync_pair_id", json_text(pair)) < 0 ||
            json_put(object, "entity", json_text(statement_text(s, 1))) < 0 ||
            json_put(object, "key", json_text(key_text)) < 0 ||
            json_put(object, "operation_id", json_text(statement_text(s, 3))) < 0 ||
            json_put(object, "first_seen", json_timestamp(statement_integer(s, 4))) < 0 ||
            json_put(object, "last_seen", json_timestamp(statement_integer(s, 5))) < 0 ||
            json_put(object, "findings", TAKE_PTR(findings)) < 0 ||
            json_put(object, "source", TAKE_PTR(source)) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(object);
        return 0;
}

static int row_error(Database *d, int r, Error *error) {
        if (r == -ENOMEM)
                return store_no_memory(error);
        return error_set(error, ERROR_FILE_FORMAT, "Restore the file from a backup.",
                         "Table quarantine of \"%s\" is damaged", database_path(d));
}

/* Findings are stored as json_dumps() writes them without spaces: a rule's name between these two is its
 * member, since quotes inside of values are escaped. replace() is how both databases look for a text as it is
 * written. */
#define QUARANTINE_MATCHES                                      \
        " where (?1 is null or entity = ?1) and (?2 is null or" \
        " replace(findings, '\"rule\":\"' || ?2 || '\"', '') <> findings)"

static int list_total(Database *d, const char *entity, const char *rule, uint64_t *ret, Error *error) {
        static const char sql[] = "select count(*) from quarantine" QUARANTINE_MATCHES;
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, entity);
        statement_bind_text(s, 2, rule);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        *ret = (uint64_t) statement_integer(s, 0);
        return 0;
}

static int list_page(Database *d, const char *pair, Statement *s, json_t *array, Error *error) {
        _cleanup_arena_ Arena *arena = NULL;
        int r;

        if (arena_new(&arena) < 0)
                return store_no_memory(error);
        while ((r = statement_step(s, error)) > 0) {
                json_t *object = NULL;

                r = row_to_json(s, pair, arena, &object);
                if (r < 0)
                        return row_error(d, r, error);
                if (json_array_append_new(array, object) < 0)
                        return store_no_memory(error);
        }
        return r;
}

/* -ENOENT quietly where the pair has no file yet. */
static int pair_open(const char *state_directory, const char *pair, Database **ret, Error *error) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = store_database_path(state_directory, PART_PAIR, pair, NULL, &path, error);
        if (r < 0)
                return r;
        return database_open_read_only(path, ret, error);
}

int quarantine_list(const char *state_directory, const char *pair, const char *entity, const char *rule,
                    unsigned limit, unsigned offset, json_t **ret, uint64_t *ret_total, Error *error) {
        static const char sql[] =
                "select id, entity, key, operation_id, first_seen, last_seen, findings, source from "
                "quarantine" QUARANTINE_MATCHES " order by last_seen desc, id desc limit ?3 offset ?4";
        _cleanup_(database_closep) Database *d = NULL;
        json_auto_t *array = json_array();
        uint64_t total = 0;
        Statement *s;
        int r;

        if (!array)
                return store_no_memory(error);
        r = pair_open(state_directory, pair, &d, error);
        if (r < 0 && r != -ENOENT)
                return r;
        if (d) {
                r = list_total(d, entity, rule, &total, error);
                if (r < 0)
                        return r;
                r = database_prepare(d, sql, &s, error);
                if (r < 0)
                        return r;
                statement_bind_text(s, 1, entity);
                statement_bind_text(s, 2, rule);
                statement_bind_integer(s, 3, limit);
                statement_bind_integer(s, 4, offset);
                r = list_page(d, pair, s, array, error);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(array);
        if (ret_total)
                *ret_total = total;
        return 0;
}

static int not_found(const char *pair, int64_t id, Error *error) {
        return error_set(error, ERROR_NOT_FOUND, "List what is held with \"terrafusionctl quarantine\".",
                         "Pair \"%s\" holds no record with number %lld", pair, (long long) id);
}

int quarantine_show(const char *state_directory, const char *pair, int64_t id, json_t **ret, Error *error) {
        static const char sql[] = "select id, entity, key, operation_id, first_seen, last_seen, findings, "
                                  "source from quarantine"
                                  " where id = ?";
        _cleanup_(database_closep) Database *d = NULL;
        _cleanup_arena_ Arena *arena = NULL;
        Statement *s;
        int r;

        r = pair_open(state_directory, pair, &d, error);
        if (r < 0)
                return r == -ENOENT ? not_found(pair, id, error) : r;
        if (arena_new(&arena) < 0)
                return store_no_memory(error);
        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_integer(s, 1, id);
        r = statement_step(s, error);
        if (r <= 0)
                return r < 0 ? r : not_found(pair, id, error);
        r = row_to_json(s, pair, arena, ret);
        return r < 0 ? row_error(d, r, error) : 0;
}
