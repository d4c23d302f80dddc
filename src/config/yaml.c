/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml.h"
#include "basic/limits.h"
#include "basic/text.h"
#include <yaml.h>

#define DEPTH_MAX 64U

struct YamlDocument {
        char *file;
        json_t *root;
        YamlNode *nodes; /* sorted by node */
        size_t n_nodes, capacity;
};

typedef struct Reader {
        yaml_parser_t parser;
        YamlDocument *document;
        Mistakes *mistakes;
        const char *bytes;
        size_t size;
        unsigned depth;
} Reader;

YamlDocument *yaml_document_free(YamlDocument *d) {
        if (!d)
                return NULL;
        json_decref(d->root);
        free(d->nodes);
        free(d->file);
        free(d);
        return NULL;
}

const char *yaml_file(const YamlDocument *d) { return d->file; }

const json_t *yaml_root(const YamlDocument *d) { return d->root; }

static int node_compare(const void *a, const void *b) {
        uintptr_t left = (uintptr_t) ((const YamlNode *) a)->node,
                  right = (uintptr_t) ((const YamlNode *) b)->node;

        return (left > right) - (left < right);
}

YamlNode yaml_node(const YamlDocument *d, const json_t *node) {
        YamlNode wanted = {.node = node};
        const YamlNode *found = node && d->n_nodes > 0
                                        ? bsearch(&wanted, d->nodes, d->n_nodes, sizeof wanted, node_compare)
                                        : NULL;

        return found ? *found : (YamlNode){};
}

bool yaml_is_null(const YamlDocument *d, const json_t *node) {
        const char *text = json_string_value(node);

        if (!node)
                return true;
        return text && yaml_node(d, node).plain &&
               (*text == 0 || text_equal(text, "~") || text_equal_ignoring_case(text, "null"));
}

Mark yaml_place(const YamlDocument *d, const json_t *node) {
        YamlNode n = yaml_node(d, node);

        return n.key_place.line > 0 ? n.key_place : n.place;
}

static Mark mark_of(yaml_mark_t mark) {
        return (Mark){(unsigned) mark.line + 1, (unsigned) mark.column + 1};
}

static int refuse(Reader *reader, Mark place, const char *remedy, const char *what) {
        mistake_add(reader->mistakes, ERROR_CONFIGURATION, reader->document->file, place, remedy, "%s",
                    what);
        return -EBADMSG;
}

/* Place of the byte at offset; columns count characters, as libyaml does. */
static Mark place_of_offset(const Reader *reader, size_t offset) {
        Mark place = {1, 1};

        for (size_t i = 0; i < offset && i < reader->size; i++) {
                unsigned char byte = (unsigned char) reader->bytes[i];
                if (byte == '\n')
                        place = (Mark){place.line + 1, 1};
                else if ((byte & 0xC0) != 0x80)
                        place.column++;
        }
        return place;
}

/* The line at fault starts with a tab, or one follows right at the place. */
static bool is_at_tab(const Reader *reader, size_t index) {
        while (index < reader->size && reader->bytes[index] == ' ')
                index++;
        return index < reader->size && reader->bytes[index] == '\t';
}

static int refuse_syntax(Reader *reader) {
        const yaml_parser_t *parser = &reader->parser;
        _cleanup_free_ char *what = NULL;

        if (parser->error == YAML_MEMORY_ERROR)
                return -ENOMEM;
        if (parser->error == YAML_READER_ERROR)
                return refuse(reader, place_of_offset(reader, parser->problem_offset),
                              "Remove the control character there", "A character that YAML does not allow");
        if (is_at_tab(reader, parser->problem_mark.index))
                return refuse(reader, mark_of(parser->problem_mark), "Indent with spaces",
                              "A tab stands where YAML wants spaces");
        if (asprintf(&what, "This is not YAML: %s%s%s", parser->context ? parser->context : "",
                     parser->context ? ", " : "",
                     parser->problem ? parser->problem : "unknown problem") < 0) {
                what = NULL;
                return -ENOMEM;
        }
        return refuse(reader, mark_of(parser->problem_mark),
                      "Check quotes, brackets and the indentation of this line and the one before", what);
}

static int next(Reader *reader, yaml_event_t *event) {
        return yaml_parser_parse(&reader->parser, event) ? 0 : refuse_syntax(reader);
}

static int document_note(YamlDocument *d, const json_t *node, Mark place, bool plain) {
        int r;

        r = array_grow(&d->nodes, &d->capacity, d->n_nodes + 1, sizeof *d->nodes);
        if (r < 0)
                return r;
        d->nodes[d->n_nodes++] = (YamlNode){.node = node, .place = place, .plain = plain};
        return 0;
}

static int read_value(Reader *reader, yaml_event_t *event, json_t **ret);

static int read_scalar(Reader *reader, const yaml_event_t *event, json_t **ret) {
        const char *text = (const char *) event->data.scalar.value;
        json_auto_t *scalar = NULL;
        int r;

        if (event->data.scalar.anchor || event->data.scalar.tag)
                return refuse(reader, mark_of(event->start_mark), "Write the value without & and !",
                              "Anchors and tags are not supported");
        if (memchr(text, 0, event->data.scalar.length))
                return refuse(reader, mark_of(event->start_mark), "Remove the \\0", "A text holds a NUL");
        scalar = json_stringn(text, event->data.scalar.length);
        if (!scalar)
                return -ENOMEM;
        r = document_note(reader->document, scalar, mark_of(event->start_mark),
                          event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(scalar);
        return 0;
}

/* Reads the items after a sequence's start. */
static int read_sequence(Reader *reader, Mark place, json_t **ret) {
        json_auto_t *array = json_array();
        int r;

        if (!array)
                return -ENOMEM;
        r = document_note(reader->document, array, place, false);
        if (r < 0)
                return r;
        for (;;) {
                _cleanup_(yaml_event_delete) yaml_event_t event = {};
                json_t *item = NULL;
                r = next(reader, &event);
                if (r < 0)
                        return r;
                if (event.type == YAML_SEQUENCE_END_EVENT)
                        break;
                r = read_value(reader, &event, &item);
                if (r < 0)
                        return r;
                if (json_array_append_new(array, item) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(array);
        return 0;
}

static YamlNode *document_last(YamlDocument *d, const json_t *node) {
        for (size_t i = d->n_nodes; i > 0; i--)
                if (d->nodes[i - 1].node == node)
                        return &d->nodes[i - 1];
        return NULL;
}

static void refuse_double(Reader *reader, const json_t *object, const char *key, Mark place) {
        const YamlNode *first = NULL;

        /* The search is long in a long file: not for mistakes that nobody sees. */
        if (reader->mistakes->n_errors < CONFIG_MISTAKES_MAX)
                first = document_last(reader->document, json_object_get(object, key));
        mistake_add(reader->mistakes, ERROR_CONFIGURATION, reader->document->file, place, "Keep one of them",
                    "\"%s\" stands here twice, first in line %u", key, first ? first->key_place.line : 0);
}

/* Reads the value of a key and sets it; of doubled keys the first stays. */
static int read_member(Reader *reader, json_t *object, const yaml_event_t *key_event) {
        _cleanup_(yaml_event_delete) yaml_event_t event = {};
        const char *key = (const char *) key_event->data.scalar.value;
        Mark place = mark_of(key_event->start_mark);
        json_t *value = NULL;
        size_t index;
        int r;

        r = next(reader, &event);
        if (r < 0)
                return r;
        index = reader->document->n_nodes; /* of the value: its own node is noted before those within */
        r = read_value(reader, &event, &value);
        if (r < 0)
                return r;
        reader->document->nodes[index].key_place = place;
        if (json_object_get(object, key)) {
                refuse_double(reader, object, key, place);
                reader->document->n_nodes = index;
                json_decref(value);
                return 0;
        }
        return json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
}

static int read_mapping(Reader *reader, Mark place, json_t **ret) {
        json_auto_t *object = json_object();
        int r;

        if (!object)
                return -ENOMEM;
        r = document_note(reader->document, object, place, false);
        if (r < 0)
                return r;
        for (;;) {
                _cleanup_(yaml_event_delete) yaml_event_t event = {};
                r = next(reader, &event);
                if (r < 0)
                        return r;
                if (event.type == YAML_MAPPING_END_EVENT)
                        break;
                if (event.type != YAML_SCALAR_EVENT || event.data.scalar.anchor || event.data.scalar.tag ||
                    memchr(event.data.scalar.value, 0, event.data.scalar.length))
                        return refuse(reader, mark_of(event.start_mark), "Write a name followed by a colon",
                                      "The key of a member has to be a plain text");
                r = read_member(reader, object, &event);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(object);
        return 0;
}

static int read_collection(Reader *reader, const yaml_event_t *event, json_t **ret) {
        bool is_sequence = event->type == YAML_SEQUENCE_START_EVENT;
        Mark place = mark_of(event->start_mark);
        int r;

        if (is_sequence ? event->data.sequence_start.anchor || event->data.sequence_start.tag
                        : event->data.mapping_start.anchor || event->data.mapping_start.tag)
                return refuse(reader, place, "Write the value without & and !",
                              "Anchors and tags are not supported");
        if (reader->depth >= DEPTH_MAX)
                return refuse(reader, place, NULL, "Lists and members are nested more than 64 deep");
        reader->depth++;
        r = is_sequence ? read_sequence(reader, place, ret) : read_mapping(reader, place, ret);
        reader->depth--;
        return r;
}

static int read_value(Reader *reader, yaml_event_t *event, json_t **ret) {
        if (event->type == YAML_ALIAS_EVENT)
                return refuse(reader, mark_of(event->start_mark),
                              "Write the value out, or put quotes around it",
                              "An alias (*name) is not supported");
        return event->type == YAML_SCALAR_EVENT ? read_scalar(reader, event, ret)
                                                : read_collection(reader, event, ret);
}

/* Passes over the stream's and the document's start. *ret_end: there is no document (any more). */
static int read_start(Reader *reader, yaml_event_t *event, bool *ret_end) {
        int r;

        for (;;) {
                r = next(reader, event);
                if (r < 0)
                        return r;
                if (event->type != YAML_STREAM_START_EVENT && event->type != YAML_DOCUMENT_START_EVENT &&
                    event->type != YAML_DOCUMENT_END_EVENT) {
                        *ret_end = event->type == YAML_STREAM_END_EVENT;
                        return 0;
                }
                yaml_event_delete(event);
        }
}

static int read_document(Reader *reader) {
        _cleanup_(yaml_event_delete) yaml_event_t event = {}, after = {};
        YamlDocument *d = reader->document;
        bool end;
        int r;

        r = read_start(reader, &event, &end);
        if (r < 0)
                return r;
        if (end) {
                d->root = json_object();
                return d->root ? document_note(d, d->root, (Mark){1, 1}, false) : -ENOMEM;
        }
        r = read_value(reader, &event, &d->root);
        if (r < 0)
                return r;
        r = read_start(reader, &after, &end);
        if (r < 0)
                return r;
        if (!end)
                return refuse(reader, mark_of(after.start_mark), "Put it into a file of its own",
                              "A second document begins here");
        return 0;
}

static int check_utf8(Reader *reader) {
        size_t offset = 0;

        if (text_is_utf8(reader->bytes, reader->size))
                return 0;
        /* The place: the longest valid start, line by line, then within the line. */
        for (const char *end; (end = memchr(reader->bytes + offset, '\n', reader->size - offset));) {
                size_t length = (size_t) (end - reader->bytes) + 1 - offset;
                if (!text_is_utf8(reader->bytes + offset, length))
                        break;
                offset += length;
        }
        for (size_t length = 1; offset < reader->size; offset += length, length = 1) {
                while (length < 4 && offset + length < reader->size &&
                       !text_is_utf8(reader->bytes + offset, length))
                        length++;
                if (!text_is_utf8(reader->bytes + offset, length))
                        break;
        }
        return refuse(reader, place_of_offset(reader, offset), "Save the file as UTF-8",
                      "A character is not valid UTF-8");
}

int yaml_parse(const char *bytes, size_t size, const char *file, YamlDocument **ret, Mistakes *mistakes) {
        _cleanup_yaml_document_ YamlDocument *d = calloc(1, sizeof *d);
        Reader reader = {.document = d, .mistakes = mistakes, .bytes = bytes, .size = size};
        int r;

        if (!d || !(d->file = strdup(file)))
                return -ENOMEM;
        r = check_utf8(&reader);
        if (r < 0)
                return r;
        if (!yaml_parser_initialize(&reader.parser))
                return -ENOMEM;
        yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&reader.parser, (const unsigned char *) bytes, size);
        r = read_document(&reader);
        yaml_parser_delete(&reader.parser);
        if (r < 0)
                return r;
        qsort(d->nodes, d->n_nodes, sizeof *d->nodes, node_compare);
        *ret = TAKE_PTR(d);
        return 0;
}

int yaml_load(const char *path, YamlDocument **ret, Mistakes *mistakes) {
        _cleanup_free_ char *bytes = NULL;
        size_t size;
        int r;

        r = file_read(path, MAPPING_FILE_BYTES_MAX, &bytes, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                if (r == -EFBIG)
                        mistake_add(mistakes, ERROR_CONFIGURATION, path, (Mark){}, "Split the file",
                                    "The file has more than %u MiB", MAPPING_FILE_BYTES_MAX >> 20);
                else
                        mistake_add(mistakes, ERROR_CONFIGURATION, path, (Mark){},
                                    "Check that the file exists and may be read",
                                    "The file cannot be read: %s", strerror(-r));
                return -EBADMSG;
        }
        return yaml_parse(bytes, size, path, ret, mistakes);
}
