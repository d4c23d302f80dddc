/* SPDX-License-Identifier: Apache-2.0 */
/* A GeoJSON file as a target: each batch writes the whole file anew beside the old one, and commit() puts it into its place in one step. So a
 * reader, and kill -9 at any moment, find the old file or the new one. Features that are not ours, and members and properties that no
 * field is mapped to, stay as they are, byte by byte. */
#include "connect/ogr-geojson.h"

#include <endian.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <uthash.h>

#include "basic/limits.h"
#include "basic/text.h"
#include "connect/ogr-database.h"

typedef struct GeojsonWriter {
        Writer base;
        GeojsonConnection *connection;
        const Mapping *mapping;
        char *path;
        uint32_t srid;
        char *crs; /* its bytes in the file, or NULL */
        DigestScratch scratch;
        TextBuffer wkb, text;
        Arena *arena; /* of one feature */
} GeojsonWriter;

/* A key that is asked for or written. */
typedef struct Wanted {
        Key key; /* in the arena of the call */
        size_t index;
        bool met;
        UT_hash_handle hh;
} Wanted;

void geojson_writer_close(Writer *writer) {
        GeojsonWriter *w = (GeojsonWriter *) writer;

        arena_free(w->arena);
        text_buffer_done(&w->wkb);
        text_buffer_done(&w->text);
        free(w->scratch.bytes);
        free(w->path);
        free(w->crs);
        free(w);
}

static void writerp(GeojsonWriter **w) {
        if (*w)
                geojson_writer_close(&(*w)->base);
}

/* A file that is not there yet begins empty; *ret NULL. */
static int file_begin(GeojsonWriter *w, int *ret_fd, FeatureFile **ret, Error *error) {
        int fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;

        *ret = NULL;
        *ret_fd = fd;
        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Let the service read the file", "Cannot open \"%s\": %m", w->path);
        r = features_open(fd, w->path, ret, error);
        return r;
}

static int srid_settle(GeojsonWriter *w, Error *error) {
        _cleanup_(features_closep) FeatureFile *f = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *crs;
        size_t size;
        int r;

        r = file_begin(w, &fd, &f, error);
        if (r < 0)
                return r;
        w->srid = w->connection->srid ? w->connection->srid : 4326;
        if (f) {
                w->srid = geojson_file_srid(w->connection, f, w->arena);
                crs = features_crs(f, &size);
                if (crs && !(w->crs = strndup(crs, size)))
                        return -ENOMEM;
        }
        for (size_t i = 0; i < w->mapping->n_fields; i++) {
                const MappingField *field = w->mapping->fields + i;

                if (field->type == VALUE_GEOMETRY && !text_equal(field->name, "geometry"))
                        return error_set(error, ERROR_MAPPING, "Call it geometry", "Field \"%s\": the geometry of a GeoJSON feature is called \"geometry\"", field->name);
                if (field->type == VALUE_GEOMETRY && field->srid != 0 && field->srid != w->srid)
                        return error_set(error, ERROR_MAPPING, "Let the field be transformed: srid: \"EPSG:4326\", which is what RFC 7946 wants; or give the system srid:",
                                         "Field \"%s\" is of another coordinate system than \"%s\"", field->name, w->path);
        }
        return 0;
}

int geojson_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error) {
        GeojsonConnection *c = (GeojsonConnection *) connection;
        _cleanup_(writerp) GeojsonWriter *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        w->base.connector = &ogr_geojson_connector;
        w->connection = c;
        w->mapping = mapping;
        w->path = file_path(c->system, c->is_folder, mapping->to);
        if (!w->path)
                return -ENOMEM;
        r = arena_new(&w->arena);
        if (r == 0)
                r = srid_settle(w, error);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(w)->base;
        return 0;
}

/* ---- features by key ---- */

/* 1: key is of the feature's values as the fields' types have them; 0: a part of it is missing. */
static int feature_key(GeojsonWriter *w, const JsonItem *feature, Key *ret) {
        Value values[w->mapping->n_key];
        int r;

        for (size_t i = 0; i < w->mapping->n_key; i++) {
                r = geojson_column(feature, w->mapping->fields[i].name, 0, &w->wkb, values + i);
                if (r < 0 || value_is_null(values + i))
                        return r;
        }
        r = key_encode_scratch(values, w->mapping->n_key, &w->scratch, ret);
        return r < 0 ? r : 1;
}

/* A key as the file can hold it: numbers, texts and booleans; what else has its text. */
static int key_plain(const Mapping *m, const Value *key, Arena *arena, Key *ret) {
        Value *plain = arena_alloc(arena, m->n_key * sizeof(Value));

        if (!plain)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_key; i++) {
                plain[i] = key[i];
                if (key[i].type != VALUE_TEXT && key[i].type != VALUE_INTEGER && key[i].type != VALUE_DECIMAL && key[i].type != VALUE_BOOLEAN) {
                        const char *text = value_to_text(key + i, arena, 0);

                        if (!text)
                                return -ENOMEM;
                        plain[i] = value_text(text, strlen(text));
                }
        }
        return key_encode(plain, m->n_key, arena, ret);
}

static int wanted_add(Wanted **table, Key key, size_t index, Arena *arena) {
        Wanted *one = arena_alloc_zero(arena, sizeof(*one)), *other = NULL;

        if (!one)
                return -ENOMEM;
        HASH_FIND(hh, *table, key.bytes, key.size, other);
        if (other)
                return -EEXIST;
        one->key = key;
        one->index = index;
        HASH_ADD_KEYPTR(hh, *table, one->key.bytes, one->key.size, one);
        return 0;
}

int geojson_count(Writer *writer, uint64_t *ret, Error *error) {
        GeojsonWriter *w = (GeojsonWriter *) writer;
        _cleanup_(features_closep) FeatureFile *f = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *bytes;
        uint64_t n = 0;
        size_t size;
        int r;

        r = file_begin(w, &fd, &f, error);
        while (f && r >= 0 && (r = features_next(f, &bytes, &size, error)) > 0)
                n++;
        *ret = n;
        return r < 0 ? r : 0;
}

static int values_take(GeojsonWriter *w, const JsonItem *feature, Arena *arena, Value **ret) {
        Value *values = arena_alloc(arena, w->mapping->n_fields * sizeof(Value)), value;
        int r = values ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < w->mapping->n_fields; i++) {
                r = geojson_column(feature, w->mapping->fields[i].name, w->srid, &w->wkb, &value);
                if (r == 0)
                        r = value_copy(&value, arena, values + i);
        }
        *ret = values;
        return r;
}

static int fetch_scan(GeojsonWriter *w, Wanted *table, Arena *arena, RecordFetch *fetches, Error *error) {
        _cleanup_(features_closep) FeatureFile *f = NULL;
        _cleanup_close_ int fd = -EBADF;
        const JsonItem *feature;
        const char *bytes;
        size_t size;
        Key key;
        int r;

        r = file_begin(w, &fd, &f, error);
        while (f && r >= 0 && (r = features_next(f, &bytes, &size, error)) > 0) {
                Wanted *one = NULL;

                arena_reset(w->arena);
                r = geojson_parse(f, w->path, bytes, size, w->arena, &feature, error);
                if (r == 0)
                        r = feature_key(w, feature, &key);
                if (r > 0)
                        HASH_FIND(hh, table, key.bytes, key.size, one);
                if (one && !one->met) {
                        one->met = true;
                        r = values_take(w, feature, arena, &fetches[one->index].values);
                }
        }
        return r < 0 ? r : 0;
}

int geojson_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error) {
        GeojsonWriter *w = (GeojsonWriter *) writer;
        Wanted *table = NULL;
        int r = 0;
        Key key;

        for (size_t i = 0; r == 0 && i < n_fetches; i++) {
                fetches[i].values = NULL;
                r = key_plain(w->mapping, fetches[i].key, arena, &key);
                if (r == 0)
                        r = wanted_add(&table, key, i, arena);
                if (r == -EEXIST) {
                        (void) error_set(&fetches[i].refusal, ERROR_RECORD_REFUSED, "Map a key that tells the records apart", "The key is that of another record");
                        r = 0;
                }
        }
        if (r == 0)
                r = fetch_scan(w, table, arena, fetches, error);
        HASH_CLEAR(hh, table);
        return r;
}

/* ---- JSON of values ---- */

static int put_text(TextBuffer *b, const char *text) { return text_buffer_add(b, text, strlen(text)); }

static int value_put(TextBuffer *b, const Value *v, Arena *arena) {
        const char *text;

        if (value_is_null(v))
                return put_text(b, "null");
        if (v->type == VALUE_TEXT)
                return text_buffer_add_json(b, v->bytes, v->size);
        if (v->type == VALUE_JSON)
                return text_buffer_add(b, v->bytes, v->size);
        text = value_to_text(v, arena, 0);
        if (!text)
                return -ENOMEM;
        if (v->type == VALUE_INTEGER || v->type == VALUE_DECIMAL || v->type == VALUE_BOOLEAN)
                return put_text(b, text);
        return text_buffer_add_json(b, text, strlen(text));
}

typedef struct Walk {
        const char *p;
        TextBuffer *out;
        unsigned n_dimensions;
} Walk;

static uint32_t take(Walk *w) {
        uint32_t number;

        memcpy(&number, w->p, sizeof(number));
        w->p += sizeof(number);
        return le32toh(number);
}

/* The shortest decimal that gives the float back. */
static int position_put(Walk *w) {
        char text[REAL_TEXT_MAX], decimal[DECIMAL_TEXT_MAX];
        uint64_t word;
        double number;
        Value v;
        int r;

        r = put_text(w->out, "[");
        for (unsigned i = 0; r == 0 && i < w->n_dimensions; i++, w->p += sizeof(word)) {
                memcpy(&word, w->p, sizeof(word));
                word = le64toh(word);
                memcpy(&number, &word, sizeof(number));
                if (!isfinite(number)) /* JSON has no word for it */
                        return -EOPNOTSUPP;
                value_from_real(number, text, &v);
                if (v.type == VALUE_DECIMAL)
                        (void) decimal_format(&v.decimal, decimal);
                r = i > 0 ? put_text(w->out, ",") : 0;
                if (r == 0)
                        r = v.type == VALUE_DECIMAL ? put_text(w->out, decimal) : text_buffer_add(w->out, v.bytes, v.size);
        }
        return r == 0 ? put_text(w->out, "]") : r;
}

/* Of an empty point all ordinates are NaN; here it has none. */
static bool point_pass_empty(Walk *w) {
        uint64_t word;
        double number;

        for (unsigned i = 0; i < w->n_dimensions; i++) {
                memcpy(&word, w->p + i * sizeof(word), sizeof(word));
                word = le64toh(word);
                memcpy(&number, &word, sizeof(number));
                if (!isnan(number))
                        return false;
        }
        w->p += w->n_dimensions * sizeof(word);
        return true;
}

static int positions_put(Walk *w) {
        uint32_t n = take(w);
        int r;

        r = put_text(w->out, "[");
        for (uint32_t i = 0; r == 0 && i < n; i++) {
                r = i > 0 ? put_text(w->out, ",") : 0;
                if (r == 0)
                        r = position_put(w);
        }
        return r == 0 ? put_text(w->out, "]") : r;
}

static int geometry_put(Walk *w, bool is_part);

static int coordinates_put(Walk *w, uint32_t kind) {
        uint32_t n;
        int r;

        if (kind == GEOMETRY_POINT)
                return point_pass_empty(w) ? put_text(w->out, "[]") : position_put(w);
        if (kind == GEOMETRY_LINE_STRING)
                return positions_put(w);
        n = take(w);
        r = put_text(w->out, "[");
        for (uint32_t i = 0; r == 0 && i < n; i++) {
                r = i > 0 ? put_text(w->out, ",") : 0;
                if (r == 0)
                        r = kind == GEOMETRY_POLYGON ? positions_put(w) : geometry_put(w, kind != GEOMETRY_COLLECTION);
        }
        return r == 0 ? put_text(w->out, "]") : r;
}

static int geometry_put(Walk *w, bool is_part) {
        static const char *const types[] = {"", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"};
        Geometry g = {0};
        uint32_t number;
        int r;

        w->p++;
        number = take(w);
        if (number & EWKB_SRID)
                (void) take(w);
        if (geometry_kind_split(number, &g) < 0 || g.kind > GEOMETRY_COLLECTION || g.has_m)
                return -EOPNOTSUPP;
        w->n_dimensions = 2U + g.has_z;
        if (is_part)
                return coordinates_put(w, g.kind);
        r = text_buffer_printf(w->out, "{\"type\":\"%s\",\"%s\":", types[g.kind], g.kind == GEOMETRY_COLLECTION ? "geometries" : "coordinates");
        if (r == 0)
                r = coordinates_put(w, g.kind);
        return r == 0 ? put_text(w->out, "}") : r;
}

/* 0, or ERROR_RECORD_REFUSED: arcs, M and numbers that are none are nothing that GeoJSON has. */
static int geojson_put(GeojsonWriter *w, const Value *v, Error *error) {
        Walk walk = {.p = v->bytes, .out = &w->text};
        Geometry g;
        int r;

        if (value_is_null(v))
                return put_text(&w->text, "null");
        r = v->type == VALUE_GEOMETRY ? geometry_check(v->bytes, v->size, &g) : -EBADMSG;
        if (r == 0 && g.little_endian && (g.srid == 0 || g.srid == w->srid))
                r = geometry_put(&walk, false);
        else if (r == 0)
                r = -EOPNOTSUPP;
        if (r == -ENOMEM || r == 0)
                return r;
        r = error_set(error, ERROR_RECORD_REFUSED, "Give the field type: geometry, and a kind: without arcs and M; its numbers have to be finite",
                      "\"%s\": GeoJSON cannot hold the geometry", w->path);
        (void) error_field(error, "geometry");
        return r;
}

/* ---- writing ---- */

static ssize_t field_of(const GeojsonWriter *w, const char *name) { return mapping_field_index(w->mapping, name); }

static const Value *changed_value(const Change *change, ssize_t field) {
        if (field < 0 || change->target[field].type == VALUE_ABSENT || (change->changed && !change->changed[field]))
                return NULL;
        return change->target + field;
}

static bool is_property(const MappingField *field, const JsonItem *feature) {
        return !text_equal(field->name, "geometry") && (!text_equal(field->name, "id") || json_item_member(json_item_member(feature, "properties"), "id"));
}

/* The properties of a feature, as they were but for what changed; then what it has not had. */
static int properties_put(GeojsonWriter *w, const JsonItem *feature, const Change *change, Arena *arena) {
        const JsonItem *properties = json_item_member(feature, "properties");
        const char *comma = "";
        int r;

        r = put_text(&w->text, "{");
        for (const JsonItem *p = properties ? properties->first : NULL; r == 0 && p; p = p->next, comma = ",") {
                const Value *v = changed_value(change, field_of(w, p->name)), old = json_value(p);

                r = put_text(&w->text, comma);
                if (r == 0)
                        r = text_buffer_add_json(&w->text, p->name, strlen(p->name));
                if (r == 0)
                        r = put_text(&w->text, ":");
                if (r == 0 && (v || p->kind == JSON_ITEM_TEXT))
                        r = value_put(&w->text, v ? v : &old, arena);
                else if (r == 0)
                        r = p->kind == JSON_ITEM_NUMBER ? text_buffer_add(&w->text, p->text, p->size) : value_put(&w->text, &old, arena);
        }
        for (size_t i = 0; r == 0 && i < w->mapping->n_fields; i++) {
                const Value *v = changed_value(change, (ssize_t) i);
                const char *name = w->mapping->fields[i].name;

                if (!v || !is_property(w->mapping->fields + i, feature) || json_item_member(properties, name))
                        continue;
                r = put_text(&w->text, comma);
                comma = ",";
                if (r == 0)
                        r = text_buffer_add_json(&w->text, name, strlen(name));
                if (r == 0)
                        r = put_text(&w->text, ":");
                if (r == 0)
                        r = value_put(&w->text, v, arena);
        }
        return r == 0 ? put_text(&w->text, "}") : r;
}

/* feature NULL: a new one. */
static int feature_make(GeojsonWriter *w, const JsonItem *feature, const Change *change, Arena *arena, Error *error) {
        const Value *geometry = changed_value(change, field_of(w, "geometry")), *id = changed_value(change, field_of(w, "id"));
        const JsonItem *old = json_item_member(feature, "geometry"), *old_id = json_item_member(feature, "id");
        const Value old_value = json_value(old_id);
        int r;

        text_buffer_reset(&w->text);
        r = put_text(&w->text, "{\"type\":\"Feature\",");
        if (r == 0 && (id || old_id) && (old_id || !json_item_member(json_item_member(feature, "properties"), "id"))) {
                r = put_text(&w->text, "\"id\":");
                if (r == 0)
                        r = value_put(&w->text, id ? id : &old_value, arena);
                if (r == 0)
                        r = put_text(&w->text, ",");
        }
        if (r == 0)
                r = put_text(&w->text, "\"properties\":");
        if (r == 0)
                r = properties_put(w, feature, change, arena);
        if (r == 0)
                r = put_text(&w->text, ",\"geometry\":");
        if (r == 0)
                r = geometry ? geojson_put(w, geometry, error)
                    : old && old->kind == JSON_ITEM_OBJECT ? text_buffer_add(&w->text, old->text, old->size)
                                                           : put_text(&w->text, "null");
        return r == 0 ? put_text(&w->text, "}") : r;
}

static int change_key(const GeojsonWriter *w, const Change *change, Arena *arena, Key *ret) {
        const Value *key = change->before ? change->before : change->target;
        Value *decoded;
        int r;

        if (!key) {
                decoded = arena_alloc_zero(arena, w->mapping->n_key * sizeof(Value));
                r = decoded ? key_decode(change->key, arena, decoded, w->mapping->n_key) : -ENOMEM;
                if (r < 0)
                        return r;
                key = decoded;
        }
        return key_plain(w->mapping, key, arena, ret);
}

static int refuse(const GeojsonWriter *w, RecordWrite *write, const char *what) {
        (void) error_set(&write->refusal, ERROR_RECORD_REFUSED, "Run the pair again: it compares anew", "\"%s\" %s", w->path, what);
        return 1;
}

typedef struct Output {
        FILE *file;
        bool any;
} Output;

static void feature_write(Output *o, const char *bytes, size_t size) {
        (void) fputs(o->any ? ",\n" : "\n", o->file);
        (void) fwrite(bytes, 1, size, o->file);
        o->any = true;
}

/* One feature of the old file: unchanged, changed, or left out. Gives how many records were refused, or a negative errno. */
static int old_feature(GeojsonWriter *w, Output *o, const char *bytes, size_t size, const JsonItem *feature, RecordWrite *write, Arena *arena) {
        int r;

        if (!write) {
                feature_write(o, bytes, size);
                return 0;
        }
        if (write->change->kind == CHANGE_DELETE)
                return 0;
        if (write->change->kind == CHANGE_INSERT) {
                feature_write(o, bytes, size);
                return refuse(w, write, "has a feature of this key already");
        }
        r = feature_make(w, feature, write->change, arena, &write->refusal);
        if (r < 0)
                return write->refusal.id != ERROR_NONE ? 1 : r;
        feature_write(o, w->text.bytes, w->text.size);
        return 0;
}

static int old_features(GeojsonWriter *w, Output *o, Wanted *table, RecordWrite *writes, Error *error) {
        _cleanup_(features_closep) FeatureFile *f = NULL;
        _cleanup_close_ int fd = -EBADF;
        const JsonItem *feature;
        int n_refused = 0, r;
        const char *bytes;
        size_t size;
        Key key;

        r = file_begin(w, &fd, &f, error);
        while (f && r >= 0 && (r = features_next(f, &bytes, &size, error)) > 0) {
                Wanted *one = NULL;

                arena_reset(w->arena);
                r = geojson_parse(f, w->path, bytes, size, w->arena, &feature, error);
                if (r == 0)
                        r = feature_key(w, feature, &key);
                if (r > 0)
                        HASH_FIND(hh, table, key.bytes, key.size, one);
                if (r >= 0 && one)
                        one->met = true;
                if (r >= 0)
                        r = old_feature(w, o, bytes, size, feature, one ? writes + one->index : NULL, w->arena);
                if (r > 0)
                        n_refused += r;
        }
        return r < 0 ? r : n_refused;
}

static int new_features(GeojsonWriter *w, Output *o, Wanted *table, RecordWrite *writes) {
        int n_refused = 0, r;

        for (Wanted *one = table; one; one = one->hh.next) {
                RecordWrite *write = writes + one->index;

                if (one->met)
                        continue;
                if (write->change->kind != CHANGE_INSERT) {
                        n_refused += refuse(w, write, "has no feature of this key any more");
                        continue;
                }
                arena_reset(w->arena);
                r = feature_make(w, NULL, write->change, w->arena, &write->refusal);
                if (r == 0)
                        feature_write(o, w->text.bytes, w->text.size);
                else if (write->refusal.id != ERROR_NONE)
                        n_refused++;
                else
                        return r;
        }
        return n_refused;
}

static int file_write(GeojsonWriter *w, Wanted *table, RecordWrite *writes, Error *error) {
        GeojsonConnection *c = w->connection;
        Output o = {0};
        int n_old, n_new = 0;
        bool failed;

        if (asprintf(&c->new_path, "%s.new", w->path) < 0 || !(c->path = strdup(w->path))) {
                c->new_path = NULL;
                return -ENOMEM;
        }
        o.file = fopen(c->new_path, "we");
        if (!o.file)
                return error_set(error, errno == ENOSPC ? ERROR_DISK_FULL : ERROR_SYSTEM_READ_ONLY, "Let the service write into the folder",
                                 "Cannot write \"%s\": %m", c->new_path);
        (void) fputs("{\"type\":\"FeatureCollection\",", o.file);
        if (w->crs)
                (void) fprintf(o.file, "\"crs\":%s,", w->crs);
        else if (w->srid != 4326)
                (void) fprintf(o.file, "\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"urn:ogc:def:crs:%s::%u\"}},",
                               w->srid <= 32767 ? "EPSG" : "ESRI", w->srid);
        (void) fputs("\"features\":[", o.file);
        n_old = old_features(w, &o, table, writes, error);
        if (n_old >= 0)
                n_new = new_features(w, &o, table, writes);
        (void) fputs("\n]}\n", o.file);
        failed = fflush(o.file) != 0 || ferror(o.file) || (n_old >= 0 && n_new >= 0 && fsync(fileno(o.file)) < 0);
        if (fclose(o.file) != 0 || failed)
                return error_set(error, errno == ENOSPC ? ERROR_DISK_FULL : ERROR_IO, "Make room on the disk", "Cannot write \"%s\": %m", c->new_path);
        return n_old < 0 ? n_old : n_new < 0 ? n_new : n_old + n_new;
}

int geojson_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error) {
        GeojsonWriter *w = (GeojsonWriter *) writer;
        _cleanup_arena_ Arena *arena = NULL;
        Wanted *table = NULL;
        int n_refused = 0, r;
        Key key;

        r = arena_new(&arena);
        for (size_t i = 0; r >= 0 && i < n_writes; i++) {
                r = change_key(w, writes[i].change, arena, &key);
                if (r == 0)
                        r = wanted_add(&table, key, i, arena);
                if (r == -EEXIST) {
                        n_refused += refuse(w, writes + i, "would have two features of this key");
                        r = 0;
                }
        }
        if (r >= 0)
                r = file_write(w, table, writes, error);
        HASH_CLEAR(hh, table);
        return r < 0 ? r : r + n_refused;
}

/* ---- the transaction ---- */

int geojson_begin(Connection *connection, Error *error) { return 0; }

static void transaction_done(GeojsonConnection *c) {
        free(c->path);
        free(c->new_path);
        c->path = c->new_path = NULL;
}

int geojson_rollback(Connection *connection) {
        GeojsonConnection *c = (GeojsonConnection *) connection;

        if (c->new_path)
                (void) unlink(c->new_path);
        transaction_done(c);
        return 0;
}

static int folder_sync(const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *folder = slash ? strndup(path, (size_t) (slash - path) + 1) : strdup(".");
        _cleanup_close_ int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;

        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int geojson_commit(Connection *connection, Error *error) {
        GeojsonConnection *c = (GeojsonConnection *) connection;
        struct stat st;
        int r = 0;

        if (!c->new_path)
                return 0;
        if (stat(c->path, &st) == 0) /* who could read it before can read it still */
                (void) chmod(c->new_path, st.st_mode & 07777);
        if (rename(c->new_path, c->path) < 0 || folder_sync(c->path) < 0)
                r = error_set(error, ERROR_IO, "Look at the disk", "Cannot put \"%s\" into its place: %m", c->path);
        transaction_done(c);
        return r;
}
