/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/xml.h"

#include "basic/text.h"

#define DEPTH_MAX      100U
#define ATTRIBUTES_MAX 64U

struct XmlReader {
        Arena *arena;
        const char *at, *end;
        unsigned line;
        struct { const char *name; size_t size; } open[DEPTH_MAX];  /* as written, with prefixes */
        unsigned depth;
        bool closes;            /* the element just given has no content: its end comes next */
        bool any;               /* there was an element */
        const char *fault;
};

static int fault(XmlReader *r, const char *what) {
        r->fault = what;
        return -EBADMSG;
}

int xml_reader_new(const char *bytes, size_t size, Arena *arena, XmlReader **ret) {
        XmlReader *r = arena_alloc_zero(arena, sizeof(*r));

        if (!r)
                return -ENOMEM;
        *r = (XmlReader){.arena = arena, .at = bytes, .end = bytes + size, .line = 1};
        if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
                r->at += 3;
        *ret = r;
        return 0;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool is_name(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (unsigned char) c >= 0x80 || (c != '\0' && strchr("_:.-", c));
}

static void step(XmlReader *r) {
        r->line += *r->at == '\n';
        r->at++;
}

static void blanks_skip(XmlReader *r) {
        while (r->at < r->end && is_blank(*r->at))
                step(r);
}

static bool begins(const XmlReader *r, const char *text) {
        size_t size = strlen(text);

        return (size_t) (r->end - r->at) >= size && memcmp(r->at, text, size) == 0;
}

/* Up to and over a mark. */
static int skip_over(XmlReader *r, const char *mark) {
        while (r->at < r->end && !begins(r, mark))
                step(r);
        if (r->at == r->end)
                return fault(r, "ends in the middle");
        r->at += strlen(mark);
        return 0;
}

static int name_take(XmlReader *r, const char **ret, size_t *ret_size) {
        const char *from = r->at;

        while (r->at < r->end && is_name(*r->at))
                r->at++;
        if (r->at == from)
                return fault(r, r->at == r->end ? "ends in the middle" : "has no name where one must be");
        *ret = from;
        *ret_size = (size_t) (r->at - from);
        return 0;
}

static const char *name_copy(XmlReader *r, const char *name, size_t size) {
        const char *colon = memchr(name, ':', size);

        if (colon) {
                size -= (size_t) (colon + 1 - name);
                name = colon + 1;
        }
        return arena_printf(r->arena, "%.*s", (int) size, name);
}

/* &#65; and &#x41;, of one byte: longer characters stand in attributes as they are. */
static int number_take(const char *text, size_t size, char *ret) {
        unsigned base = size > 0 && *text == 'x' ? 16 : 10, number = 0;

        for (size_t i = base == 16; i < size; i++) {
                unsigned char c = (unsigned char) text[i];
                unsigned digit = c >= '0' && c <= '9'   ? c - 48U
                                 : c >= 'a' && c <= 'f' ? c - 87U
                                 : c >= 'A' && c <= 'F' ? c - 55U
                                                        : 99;

                if (digit >= base || number > 127)
                        return -EBADMSG;
                number = number * base + digit;
        }
        if (number == 0 || number > 127)
                return -EBADMSG;
        *ret = (char) number;
        return 0;
}

/* Behind the ampersand. */
static int entity_take(XmlReader *r, char *ret) {
        static const struct { const char *name; char c; } entities[] = {
                {"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}};
        const char *end = memchr(r->at, ';', (size_t) (r->end - r->at));

        for (size_t i = 0; i < ELEMENTSOF(entities); i++)
                if (begins(r, entities[i].name)) {
                        r->at += strlen(entities[i].name);
                        *ret = entities[i].c;
                        return 0;
                }
        if (!end || *r->at != '#' || number_take(r->at + 1, (size_t) (end - r->at - 1), ret) < 0)
                return fault(r, "has an unknown entity");
        r->at = end + 1;
        return 0;
}

static int value_take(XmlReader *r, const char **ret) {
        char quote, *text, *to;
        const char *end;
        int e;

        blanks_skip(r);
        if (r->at == r->end || *r->at != '=')
                return fault(r, "has an attribute without a value");
        r->at++;
        blanks_skip(r);
        if (r->at == r->end || (*r->at != '"' && *r->at != '\''))
                return fault(r, "has an attribute without quotes");
        quote = *r->at++;
        end = memchr(r->at, quote, (size_t) (r->end - r->at));
        if (!end)
                return fault(r, "ends in the middle");
        text = to = arena_alloc(r->arena, (size_t) (end - r->at) + 1);
        if (!text)
                return -ENOMEM;
        while (r->at < end) {
                if (*r->at == '&') {
                        r->at++;
                        e = entity_take(r, to++);
                        if (e < 0)
                                return e;
                } else if (*r->at == '<' || *r->at == '\0')
                        return fault(r, "has a < in an attribute");
                else {
                        *to++ = *r->at;
                        step(r);
                }
        }
        *to = '\0';
        r->at = end + 1;
        *ret = text;
        return text_is_utf8(text, (size_t) (to - text)) ? 0 : fault(r, "is not in UTF-8");
}

/* Behind an element's name, over its closing bracket. */
static int attributes_take(XmlReader *r, XmlElement *e) {
        XmlAttribute attributes[ATTRIBUTES_MAX];
        const char *name;
        size_t size;
        int n;

        for (;;) {
                blanks_skip(r);
                if (r->at == r->end)
                        return fault(r, "ends in the middle");
                if (*r->at == '>' || begins(r, "/>"))
                        break;
                if (e->n_attributes == ATTRIBUTES_MAX)
                        return fault(r, "has an element with more than 64 attributes");
                n = name_take(r, &name, &size);
                if (n == 0)
                        n = value_take(r, &attributes[e->n_attributes].value);
                if (n < 0)
                        return n;
                attributes[e->n_attributes].name = name_copy(r, name, size);
                if (!attributes[e->n_attributes++].name)
                        return -ENOMEM;
        }
        r->closes = *r->at == '/';
        r->at += r->closes ? 2 : 1;
        e->attributes = arena_copy(r->arena, attributes, e->n_attributes * sizeof(XmlAttribute));
        return e->attributes ? 0 : -ENOMEM;
}

static int element_begin(XmlReader *r, XmlElement *ret) {
        XmlElement e = {.line = r->line};
        const char *name;
        size_t size;
        int n;

        if (r->depth == 0 && r->any)
                return fault(r, "has a second root element");
        if (r->depth == DEPTH_MAX)
                return fault(r, "is nested deeper than 100");
        r->at++;
        n = name_take(r, &name, &size);
        if (n == 0)
                n = attributes_take(r, &e);
        if (n < 0)
                return n;
        e.name = name_copy(r, name, size);
        if (!e.name)
                return -ENOMEM;
        r->open[r->depth].name = name;
        r->open[r->depth++].size = size;
        r->any = true;
        *ret = e;
        return XML_BEGIN;
}

static int element_end(XmlReader *r) {
        const char *name;
        size_t size;
        int n;

        r->at += 2;
        n = name_take(r, &name, &size);
        if (n < 0)
                return n;
        blanks_skip(r);
        if (r->at == r->end || *r->at != '>')
                return fault(r, "has an end tag without its bracket");
        r->at++;
        if (r->depth == 0 || r->open[r->depth - 1].size != size ||
            memcmp(r->open[r->depth - 1].name, name, size) != 0)
                return fault(r, "closes an element that is not open");
        r->depth--;
        return XML_END;
}

static int event_next(XmlReader *r, XmlElement *ret) {
        int n = 0;

        if (r->closes) {
                r->closes = false;
                r->depth--;
                return XML_END;
        }
        while (n == 0) {
                while (r->at < r->end && *r->at != '<') {
                        if (r->depth == 0 && !is_blank(*r->at))
                                return fault(r, "has text outside of its root element");
                        step(r);
                }
                if (r->at == r->end)
                        return r->depth > 0 || !r->any ? fault(r, "ends in the middle") : XML_END_OF_DOCUMENT;
                if (begins(r, "<?"))
                        n = skip_over(r, "?>");
                else if (begins(r, "<!--"))
                        n = skip_over(r, "-->");
                else if (begins(r, "<![CDATA["))
                        n = skip_over(r, "]]>");
                else if (begins(r, "<!"))
                        n = fault(r, "has a document type, which is not read");
                else
                        return begins(r, "</") ? element_end(r) : element_begin(r, ret);
        }
        return n;
}

int xml_reader_next(XmlReader *r, XmlElement *ret, Error *error) {
        int n;

        n = event_next(r, ret);
        if (n != -EBADMSG)
                return n;
        return error_set(error, ERROR_FILE_FORMAT, NULL, "The XML document %s (line %u)", r->fault, r->line);
}

const char *xml_attribute(const XmlElement *e, const char *name) {
        for (size_t i = 0; i < e->n_attributes; i++)
                if (text_equal(e->attributes[i].name, name))
                        return e->attributes[i].value;
        return NULL;
}
