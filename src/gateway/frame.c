/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/frame.h"

#include <errno.h>
#include <strings.h>

#include "api/over-http.h"
#include "basic/text.h"
#include "gateway/answer.h"

typedef struct Frame {
        char *bytes;
        size_t size, capacity;
        int r;                  /* the first failure; what comes after it does nothing */
} Frame;

static void frame_add(Frame *f, const char *bytes, size_t size) {
        if (f->r >= 0 && f->size + size > f->capacity)
                f->r = array_grow(&f->bytes, &f->capacity, f->size + size + 512, 1);
        if (f->r < 0)
                return;
        memcpy(f->bytes + f->size, bytes, size);
        f->size += size;
}

static void frame_text(Frame *f, const char *text) {
        frame_add(f, text, strlen(text));
}

static void frame_header(Frame *f, const char *name, const char *value) {
        frame_text(f, name);
        frame_text(f, ": ");
        frame_text(f, value);
        frame_text(f, "\r\n");
}

static int frame_take(Frame *f, char **ret, size_t *ret_size) {
        if (f->r < 0) {
                free(f->bytes);
                return f->r;
        }
        *ret = f->bytes;
        *ret_size = f->size;
        return 0;
}

/* What the client may not say itself, and what only concerns us. */
static bool header_is_ours(const char *name) {
        static const char *const names[] = { IDENTITY_HEADER, "X-API-Key", "Authorization", "X-Request-Id", "X-Forwarded-For" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcasecmp(name, names[i]) == 0)
                        return true;
        return header_is_of_hop(name, strlen(name));
}

int frame_request(const HttpRequest *q, const char *path, const char *identity, char **ret, size_t *ret_size) {
        const char *query = http_request_query(q), *method = http_request_method(q), *body;
        char length[32];
        size_t body_size;
        Frame f = {};

        body = http_request_body(q, &body_size);
        frame_text(&f, text_equal(method, "HEAD") ? "GET" : method);
        frame_text(&f, " ");
        frame_text(&f, path);
        if (*query) {
                frame_text(&f, "?");
                frame_text(&f, query);
        }
        frame_text(&f, " HTTP/1.1\r\nHost: terrafusion\r\n");
        for (size_t i = 0; i < http_request_n_headers(q); i++) {
                const char *name, *value;

                http_request_header_at(q, i, &name, &value);
                if (!header_is_ours(name))
                        frame_header(&f, name, value);
        }
        frame_header(&f, IDENTITY_HEADER, identity);
        frame_header(&f, "X-Request-Id", http_request_id(q));
        frame_header(&f, "X-Forwarded-For", http_request_peer(q));
        (void) snprintf(length, sizeof(length), "%zu", body_size);
        if (body_size > 0 || (!text_equal(method, "GET") && !text_equal(method, "HEAD")))
                frame_header(&f, "Content-Length", length);
        frame_text(&f, "\r\n");
        frame_add(&f, body, body_size);
        return frame_take(&f, ret, ret_size);
}

int frame_question(const char *path, char **ret, size_t *ret_size) {
        Frame f = {};

        frame_text(&f, "GET ");
        frame_text(&f, path);
        frame_text(&f, " HTTP/1.1\r\nHost: terrafusion\r\n");
        frame_header(&f, IDENTITY_HEADER, "gateway;read");
        frame_text(&f, "\r\n");
        return frame_take(&f, ret, ret_size);
}
