/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* HTTP/1.1 on sd-event by libmicrohttpd's external epoll: requests come whole (body collected), are answered now or later,
 * from memory: bodies are at most 1 MiB, and neither way is streamed.
 * In both daemons. Knows no commands. */
#include "basic/alloc.h"
#include "basic/error.h"
#include "http/plane.h"
#include <jansson.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct HttpServer HttpServer;
typedef struct HttpRequest HttpRequest;

/* Called once per whole, well-formed request. Must see to it that the request is answered exactly once, now or later (then it
 * keeps a reference). A request whose last reference goes unanswered gets 500. */
typedef void (*http_handler_t)(HttpRequest *request, void *userdata);

_must_check_ int http_server_new(sd_event *event, http_handler_t handler, void *userdata, HttpServer **ret);
/* Answers what is open with 503 and closes every connection; takes NULL. The listening descriptors are closed too. */
HttpServer *http_server_free(HttpServer *server);
DEFINE_CLEANUP(HttpServer, http_server_free)
/* Serves a listening stream socket (TCP or unix); takes fd over on success. */
_must_check_ int http_server_listen(HttpServer *server, int fd, Error *error);
Plane *http_server_plane(HttpServer *server);   /* borrowed: for other sockets of the same data plane, gone before the server */
size_t http_server_n_requests(const HttpServer *server);        /* answered since the start */
size_t http_server_n_open(const HttpServer *server);            /* waiting for an answer */

/* Opens a listening TCP socket, non-blocking. address: "127.0.0.1", "::" (then IPv4 too). ERROR_ADDRESS_IN_USE names port and remedy. */
_must_check_ int http_listen_tcp(const char *address, uint16_t port, int *ret_fd, Error *error);
/* The same for a unix socket; replaces a socket nobody listens on, ERROR_ADDRESS_IN_USE where somebody does. */
_must_check_ int http_listen_unix(const char *path, unsigned mode, int *ret_fd, Error *error);

HttpRequest *http_request_ref(HttpRequest *request);
HttpRequest *http_request_unref(HttpRequest *request);
DEFINE_CLEANUP(HttpRequest, http_request_unref)
#define _cleanup_http_request_ _cleanup_(http_request_unrefp)

/* All borrowed, valid as long as the request. */
const char *http_request_method(const HttpRequest *request);    /* "GET"; HEAD is given as it is */
const char *http_request_path(const HttpRequest *request);      /* raw, without the query */
const char *http_request_query(const HttpRequest *request);     /* raw, after the '?'; "" where none */
const char *http_request_header(const HttpRequest *request, const char *name);  /* any case; NULL where absent */
size_t http_request_n_headers(const HttpRequest *request);
void http_request_header_at(const HttpRequest *request, size_t i, const char **ret_name, const char **ret_value);
const char *http_request_body(const HttpRequest *request, size_t *ret_size);    /* NUL-terminated */
const char *http_request_peer(const HttpRequest *request);      /* "127.0.0.1", "unix:UID" */
bool http_request_is_loopback(const HttpRequest *request);      /* by TCP from this machine, or by unix socket */
bool http_request_peer_uid(const HttpRequest *request, uid_t *ret_uid); /* false: not a unix socket */
const char *http_request_id(const HttpRequest *request);        /* X-Request-Id where it is sane, else a new UUID */

/* Adds a header to the answer to come; an unsafe value is dropped. */
void http_reply_header(HttpRequest *request, const char *name, const char *value);
void http_reply_header_sized(HttpRequest *request, const char *name, size_t name_size, const char *value, size_t value_size);
/* Each answers once; a second answer is ignored. To HEAD the same headers go without a body. Bodies are copied. */
void http_reply_bytes(HttpRequest *request, int status, const char *content_type, const void *bytes, size_t size);
/* The same without copying: bytes is allocated, and taken over. NULL (no memory) answers 503. */
void http_reply_take(HttpRequest *request, int status, const char *content_type, char *bytes, size_t size);
void http_reply_text(HttpRequest *request, int status, const char *content_type, const char *text);
void http_reply_json(HttpRequest *request, int status, const json_t *value);
void http_reply_problem(HttpRequest *request, const Error *error);      /* Retry-After with 429 and 503 unless set */
void http_reply_redirect(HttpRequest *request, const char *location);   /* 302 */
bool http_request_is_answered(const HttpRequest *request);
