/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/rest-http.h"

#include <curl/curl.h>
#include <sodium.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "basic/credential.h"
#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text-buffer.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "connect/connector.h"
#include "connect/rest-answer.h"

#define CONNECT_MSEC       10000L
#define TIMEOUT_USEC       600000000ULL /* of a request with all its tries, where statement_timeout says nothing */
#define TRIES_USEC         15000000ULL  /* how long lost connections and 5xx are tried again; then the next attempt of the operation */
#define WAIT_USEC_MIN      250000ULL
#define WAIT_USEC_MAX      5000000ULL
#define TOKEN_EARLY_USEC   30000000LL   /* a token is asked for anew before it ends */

struct RestClient {
        const RestOptions *options;
        CURL *curl;
        char *secret;                   /* the credential */
        char *token;                    /* of oauth2; NULL: none yet */
        int64_t token_until_usec;       /* 0: not told */
        char message[CURL_ERROR_SIZE];
};

void rest_response_done(RestResponse *r) {
        free(r->body);
        free(r->content_type);
        free(r->etag);
        free(r->link);
        free(r->location);
        free(r->preference_applied);
        *r = (RestResponse){};
}

RestClient *rest_client_free(RestClient *c) {
        if (!c)
                return NULL;
        curl_easy_cleanup(c->curl);
        secret_free(c->secret);
        secret_free(c->token);
        free(c);
        return NULL;
}

int rest_client_new(const RestOptions *options, RestClient **ret, Error *error) {
        _cleanup_(rest_client_freep) RestClient *c = calloc(1, sizeof(*c));
        static bool is_ready;
        int r;

        if (!c)
                return -ENOMEM;
        if (!is_ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return error_set(error, ERROR_INTERNAL, NULL, "libcurl cannot be started");
        is_ready = true;
        c->options = options;
        if (options->auth != REST_AUTH_NONE) {
                r = credential_need(options->credential, &c->secret, error);
                if (r < 0)
                        return r;
        }
        c->curl = curl_easy_init();
        if (!c->curl)
                return -ENOMEM;
        *ret = TAKE_PTR(c);
        return 0;
}

const RestOptions *rest_client_options(const RestClient *c) { return c->options; }

static void mask(char *text, const char *secret) {
        for (char *at; secret && *secret && (at = strstr(text, secret));)
                (void) memset(at, '*', strlen(secret));
}

void rest_client_mask(const RestClient *c, char *text) {
        mask(text, c->secret);
        mask(text, c->token);
}

/* ---- the answer ---- */

typedef struct Answer {
        RestResponse *response;
        bool too_large, no_memory;
} Answer;

static size_t on_body(char *bytes, size_t size, size_t n, void *user) {
        Answer *a = user;
        RestResponse *r = a->response;

        n *= size;
        a->too_large = r->size + n > REST_PAGE_BYTES_MAX;
        if (a->too_large)
                return 0;
        a->no_memory = array_grow(&r->body, &r->capacity, r->size + n + 1, 1) < 0;
        if (a->no_memory)
                return 0;
        (void) memcpy(r->body + r->size, bytes, n);
        r->size += n;
        r->body[r->size] = '\0';
        return n;
}

/* The value of a header of this name, or NULL; borrowed, *ret_size without blanks around it. */
static const char *header_value(const char *line, size_t size, const char *name, size_t *ret_size) {
        size_t n = strlen(name);

        if (size <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
                return NULL;
        line += n + 1;
        size -= n + 1;
        for (; size > 0 && strchr(" \t", *line); size--)
                line++;
        while (size > 0 && strchr(" \t\r\n", line[size - 1]))
                size--;
        *ret_size = size;
        return line;
}

static bool header_take(const char *line, size_t size, const char *name, char **place, bool *ret_no_memory) {
        const char *value = header_value(line, size, name, &size);

        if (!value)
                return false;
        free(*place);
        *place = strndup(value, size);
        *ret_no_memory = !*place;
        return true;
}

/* Seconds, or a date. */
static void retry_after_take(const char *line, size_t size, RestResponse *r) {
        char text[64];
        int64_t seconds;
        time_t date;

        (void) snprintf(text, sizeof(text), "%.*s", (int) size, line);
        date = curl_getdate(text, NULL);
        if (text_to_int64(text, 0, 1000000, &seconds) == 0)
                r->retry_after_usec = seconds * USEC_PER_SEC;
        else if (date >= 0)
                r->retry_after_usec = (int64_t) date * USEC_PER_SEC > timestamp_now() ? (int64_t) date * USEC_PER_SEC - timestamp_now() : 0;
}

static void date_take(const char *line, size_t size, RestResponse *r) {
        char text[64];
        time_t date;

        (void) snprintf(text, sizeof(text), "%.*s", (int) size, line);
        date = curl_getdate(text, NULL);
        r->date_usec = date > 0 ? (int64_t) date * USEC_PER_SEC : 0;
}

static size_t on_header(char *line, size_t size, size_t n, void *user) {
        Answer *a = user;
        RestResponse *r = a->response;
        const struct { const char *name; char **place; } kept[] = {
                {"content-type", &r->content_type}, {"etag", &r->etag}, {"link", &r->link}, {"location", &r->location},
                {"preference-applied", &r->preference_applied}};
        const char *value;
        size_t value_size;

        n *= size;
        for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                if (header_take(line, n, kept[i].name, kept[i].place, &a->no_memory))
                        return a->no_memory ? 0 : n;
        if ((value = header_value(line, n, "retry-after", &value_size)))
                retry_after_take(value, value_size, r);
        else if ((value = header_value(line, n, "date", &value_size)))
                date_take(value, value_size, r);
        return n;
}

static int response_reset(RestResponse *r) {
        free(r->content_type);
        free(r->etag);
        free(r->link);
        free(r->location);
        free(r->preference_applied);
        *r = (RestResponse){.body = r->body, .capacity = r->capacity, .retry_after_usec = -1};
        if (array_grow(&r->body, &r->capacity, 1, 1) < 0)
                return -ENOMEM;
        r->body[0] = '\0';
        return 0;
}

/* ---- the request ---- */

static int header_add(struct curl_slist **list, const char *format, ...) _printf_(2, 3);
static int header_add(struct curl_slist **list, const char *format, ...) {
        _cleanup_secret_ char *line = NULL;
        struct curl_slist *longer;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&line, format, arguments);
        va_end(arguments);
        if (n < 0) {
                line = NULL;
                return -ENOMEM;
        }
        longer = curl_slist_append(*list, line);
        if (!longer)
                return -ENOMEM;
        *list = longer;
        return 0;
}

/* libcurl keeps copies of headers with secrets: they are overwritten before they are freed. */
static void headers_free(struct curl_slist *list) {
        for (struct curl_slist *i = list; i; i = i->next)
                sodium_memzero(i->data, strlen(i->data));
        curl_slist_free_all(list);
}

static int auth_header_add(const RestClient *c, struct curl_slist **list) {
        switch (c->options->auth) {
        case REST_AUTH_API_KEY: return header_add(list, "%s: %s", c->options->header, c->secret);
        case REST_AUTH_BEARER: return header_add(list, "Authorization: Bearer %s", c->secret);
        case REST_AUTH_OAUTH2: return c->token ? header_add(list, "Authorization: Bearer %s", c->token) : 0;
        default: return 0; /* basic is libcurl's own */
        }
}

static int headers_make(const RestClient *c, const RestRequest *q, bool with_auth, struct curl_slist **list) {
        const char *name, *text;
        json_t *value;
        int r;

        r = header_add(list, "Accept: %s", q->accept ? q->accept : "application/json");
        if (r == 0 && q->body)
                r = header_add(list, "Content-Type: %s", q->content_type ? q->content_type : "application/json");
        if (r == 0)
                r = header_add(list, "Expect:"); /* a service that does not know it costs a second */
        if (r == 0 && q->if_match)
                r = header_add(list, "If-Match: %s", q->if_match);
        if (r == 0 && q->prefer)
                r = header_add(list, "Prefer: %s", q->prefer);
        if (r < 0 || !with_auth)
                return r;
        json_object_foreach((json_t *) c->options->headers, name, value) {
                text = json_string_value(value);
                r = text ? header_add(list, "%s: %s", name, text) : 0;
                if (r < 0)
                        return r;
        }
        return auth_header_add(c, list);
}

static void request_set(RestClient *c, const RestRequest *q, bool with_auth, struct curl_slist *headers, long timeout_msec,
                        Answer *answer) {
        const RestOptions *o = c->options;
        CURL *h = c->curl;

        curl_easy_reset(h);
        c->message[0] = '\0';
        (void) curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->message);
        (void) curl_easy_setopt(h, CURLOPT_URL, q->url);
        (void) curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
        (void) curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MSEC < timeout_msec ? CONNECT_MSEC : timeout_msec);
        (void) curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, timeout_msec);
        (void) curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L); /* a key does not follow */
        (void) curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
        (void) curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
        (void) curl_easy_setopt(h, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
        if (o->ca_file)
                (void) curl_easy_setopt(h, CURLOPT_CAINFO, o->ca_file);
        (void) curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
        (void) curl_easy_setopt(h, CURLOPT_USERAGENT, connector_name());
        (void) curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
        (void) curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, q->method);
        if (q->body) {
                (void) curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) q->body_size);
                (void) curl_easy_setopt(h, CURLOPT_POSTFIELDS, q->body);
        }
        if (!q->repeats) /* libcurl sends again what an old connection lost */
                (void) curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, 1L);
        if (o->auth == REST_AUTH_BASIC && with_auth) {
                (void) curl_easy_setopt(h, CURLOPT_USERNAME, o->user);
                (void) curl_easy_setopt(h, CURLOPT_PASSWORD, c->secret);
        }
        (void) curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
        (void) curl_easy_setopt(h, CURLOPT_WRITEDATA, answer);
        (void) curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
        (void) curl_easy_setopt(h, CURLOPT_HEADERDATA, answer);
}

static bool was_not_sent(CURLcode code) {
        return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT ||
               code == CURLE_SSL_CONNECT_ERROR;
}

/* No time will mend it. */
static bool is_tls_fault(CURLcode code) {
        return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CIPHER ||
               code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_INVALIDCERTSTATUS;
}

static int transfer_error(const RestClient *c, const RestRequest *q, CURLcode code, const Answer *a, Error *error) {
        const char *message = c->message[0] ? c->message : curl_easy_strerror(code), *system = c->options->system->name;
        _cleanup_free_ char *shown = rest_url_shown(q->url);

        if (a->no_memory || !shown || code == CURLE_OUT_OF_MEMORY)
                return -ENOMEM;
        if (a->too_large)
                return error_set(error, ERROR_FILE_FORMAT, "Let the service answer in pages, or ask for smaller ones with page_size:",
                                 "System \"%s\": the answer to %s %s is larger than %u MiB", system, q->method, shown,
                                 REST_PAGE_BYTES_MAX / 1024 / 1024);
        if (is_tls_fault(code))
                return error_set(error, ERROR_SYSTEM_REFUSED,
                                 "Check the host in url:, and name the authority that signed its certificate with ca_file:",
                                 "System \"%s\": the service cannot prove who it is: %s", system, message);
        if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
                return error_set(error, ERROR_CONFIGURATION, "Correct url:", "System \"%s\": %s", system, message);
        if (code == CURLE_BAD_CONTENT_ENCODING)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Look at the service, or at a proxy before it",
                                 "System \"%s\": the answer to %s %s cannot be unpacked: %s", system, q->method, shown, message);
        if (code == CURLE_PARTIAL_FILE)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Look at the service, or at a proxy before it",
                                 "System \"%s\": the answer to %s %s was cut off: %s", system, q->method, shown, message);
        return error_set(error, ERROR_SYSTEM_UNAVAILABLE, was_not_sent(code) ? "Check url:, and that the service runs" : NULL,
                         "System \"%s\": %s %s: %s", system, q->method, shown, message);
}

/* ---- trying again ---- */

static uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static void sleep_usec(uint64_t usec) {
        const struct timespec t = {.tv_sec = (time_t) (usec / 1000000), .tv_nsec = (long) (usec % 1000000 * 1000)};

        (void) nanosleep(&t, NULL); /* a signal wakes us: the try that follows does no harm */
}

/* Decorrelated jitter: between the least wait and three times the last. */
static uint64_t wait_next(uint64_t last) {
        uint64_t most = last * 3 < WAIT_USEC_MAX ? last * 3 : WAIT_USEC_MAX, random = 0;

        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
                random = last;
        return most <= WAIT_USEC_MIN ? WAIT_USEC_MIN : WAIT_USEC_MIN + random % (most - WAIT_USEC_MIN);
}

static uint64_t timeout_usec(const RestClient *c) {
        uint64_t usec = c->options->system->statement_timeout_usec;

        return usec > 0 ? usec : TIMEOUT_USEC;
}

static CURLcode transfer(RestClient *c, const RestRequest *q, bool with_auth, uint64_t deadline, RestResponse *ret, Answer *a) {
        struct curl_slist *headers = NULL;
        uint64_t now = now_usec();
        CURLcode code;

        *a = (Answer){.response = ret};
        if (response_reset(ret) < 0 || headers_make(c, q, with_auth, &headers) < 0) {
                headers_free(headers);
                return CURLE_OUT_OF_MEMORY;
        }
        request_set(c, q, with_auth, headers, deadline > now ? (long) ((deadline - now) / 1000) + 1 : 1, a);
        code = curl_easy_perform(c->curl);
        if (code == CURLE_OK)
                (void) curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &ret->status);
        (void) curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
        headers_free(headers);
        return code;
}

/* How long to wait before the same request is sent again; 0: it is not. *is_late: it would be, but the time is up. */
static uint64_t wait_for(const RestRequest *q, CURLcode code, const RestResponse *r, uint64_t last, uint64_t now, uint64_t begun,
                         uint64_t deadline, bool *is_late) {
        bool is_told = code == CURLE_OK && (r->status == 429 || (r->status == 503 && r->retry_after_usec >= 0));
        uint64_t wait = is_told && r->retry_after_usec >= 0 ? (uint64_t) r->retry_after_usec : wait_next(last),
                 until = is_told ? deadline : begun + TRIES_USEC < deadline ? begun + TRIES_USEC : deadline;
        bool is_server_fault = code == CURLE_OK && (r->status == 408 || (r->status >= 502 && r->status <= 504));

        *is_late = false;
        if (!is_told && !(is_server_fault && q->repeats) && !(code != CURLE_OK && (q->repeats || was_not_sent(code))))
                return 0;
        *is_late = now + wait >= until;
        return *is_late ? 0 : wait > 0 ? wait : WAIT_USEC_MIN;
}

static int late_error(const RestClient *c, const RestRequest *q, const RestResponse *r, Error *error) {
        _cleanup_free_ char *shown = rest_url_shown(q->url);

        return error_set(error, ERROR_SYSTEM_BUSY, "Ask for its limits, or give it more time with limits: statement_timeout",
                         "System \"%s\": the service answers %ld to %s %s and wants to be asked later%s", c->options->system->name,
                         r->status, q->method, shown ? shown : "", r->retry_after_usec > 0 ? " than we may wait" : "");
}

static int send_until(RestClient *c, const RestRequest *q, bool with_auth, RestResponse *ret, Error *error) {
        uint64_t begun = now_usec(), deadline = begun + timeout_usec(c), wait = WAIT_USEC_MIN;
        CURLcode code;
        bool is_late;
        Answer a;

        for (;;) {
                code = transfer(c, q, with_auth, deadline, ret, &a);
                if (a.too_large || a.no_memory || is_tls_fault(code) || code == CURLE_OUT_OF_MEMORY)
                        return transfer_error(c, q, code, &a, error);
                wait = wait_for(q, code, ret, wait, now_usec(), begun, deadline, &is_late);
                if (wait == 0)
                        break;
                sleep_usec(wait);
        }
        if (code != CURLE_OK)
                return transfer_error(c, q, code, &a, error);
        return is_late && (ret->status == 429 || ret->status == 503) ? late_error(c, q, ret, error) : 0;
}

/* ---- tokens ---- */

static int token_body(const RestClient *c, TextBuffer *b) {
        const struct { const char *name, *value; } members[] = {
                {"grant_type", "client_credentials"}, {"client_id", c->options->client_id}, {"client_secret", c->secret},
                {"scope", c->options->scope}};
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(members) && r == 0; i++) {
                if (!members[i].value)
                        continue;
                r = text_buffer_printf(b, "%s%s=", b->size > 0 ? "&" : "", members[i].name);
                if (r == 0)
                        r = text_buffer_add_url(b, members[i].value, strlen(members[i].value));
        }
        return r;
}

static int token_take(RestClient *c, const RestRequest *q, const RestResponse *response, Error *error) {
        _cleanup_arena_ Arena *arena = NULL;
        const JsonItem *document, *expires;
        const char *token;
        int64_t seconds = 0;
        int r;

        r = arena_new(&arena);
        if (r == 0)
                r = rest_response_json(c, q, response, arena, &document, error);
        if (r < 0)
                return r;
        token = json_item_text(json_item_member(document, "access_token"));
        if (!token || !*token || strpbrk(token, "\r\n"))
                return error_set(error, ERROR_SYSTEM_REFUSED, "Check token_url:",
                                 "System \"%s\": the token service answers without an access_token", c->options->system->name);
        expires = json_item_member(document, "expires_in");
        if (expires && (expires->kind == JSON_ITEM_NUMBER || expires->kind == JSON_ITEM_TEXT)) {
                _cleanup_free_ char *text = strndup(expires->text, expires->size);

                if (!text || text_to_int64(text, 1, 100000000, &seconds) < 0)
                        seconds = 0;
        }
        c->token = strdup(token);
        c->token_until_usec = seconds > 0 ? timestamp_now() + seconds * USEC_PER_SEC : 0;
        return c->token ? 0 : -ENOMEM;
}

static int token_get(RestClient *c, Error *error) {
        _cleanup_response_ RestResponse response = {};
        TextBuffer body = {};
        RestRequest q = {.method = "POST", .url = c->options->token_url, .repeats = true,
                         .content_type = "application/x-www-form-urlencoded"};
        int r;

        c->token = secret_free(c->token);
        r = token_body(c, &body);
        q.body = body.bytes;
        q.body_size = body.size;
        if (r == 0)
                r = send_until(c, &q, false, &response, error);
        if (body.bytes)
                sodium_memzero(body.bytes, body.size);
        text_buffer_done(&body);
        if (r == 0 && (response.status == 400 || response.status == 401))
                r = error_set(error, ERROR_SYSTEM_REFUSED, "Check client_id: and the secret in the file of the credential",
                              "System \"%s\": the token service refuses the client (%ld)", c->options->system->name, response.status);
        else if (r == 0 && response.status / 100 != 2)
                r = rest_response_error(c, &q, &response, error);
        if (r == 0)
                r = token_take(c, &q, &response, error);
        if (response.body)
                sodium_memzero(response.body, response.size);
        return r;
}

int rest_client_send(RestClient *c, const RestRequest *q, RestResponse *ret, Error *error) {
        bool is_oauth2 = c->options->auth == REST_AUTH_OAUTH2;
        bool is_old = c->token_until_usec > 0 && timestamp_now() + TOKEN_EARLY_USEC > c->token_until_usec;
        int r;

        if (is_oauth2 && (!c->token || is_old)) {
                r = token_get(c, error);
                if (r < 0)
                        return r;
        }
        r = send_until(c, q, true, ret, error);
        if (r < 0 || ret->status != 401 || !is_oauth2)
                return r;
        r = token_get(c, error); /* it was taken back before its time */
        return r < 0 ? r : send_until(c, q, true, ret, error);
}

/* ---- addresses ---- */

static bool part_equal(CURLU *a, CURLU *b, CURLUPart part, unsigned flags) {
        char *of_a = NULL, *of_b = NULL;
        bool equal = curl_url_get(a, part, &of_a, flags) == CURLUE_OK && curl_url_get(b, part, &of_b, flags) == CURLUE_OK &&
                     strcasecmp(of_a, of_b) == 0;

        curl_free(of_a);
        curl_free(of_b);
        return equal;
}

int rest_url_follow(const RestClient *c, const char *from, const char *link, char **ret, Error *error) {
        CURLU *at = curl_url(), *own = curl_url();
        char *url = NULL;
        bool ok, same;
        int r = 0;

        ok = at && own && curl_url_set(own, CURLUPART_URL, c->options->url, 0) == CURLUE_OK &&
             curl_url_set(at, CURLUPART_URL, from, 0) == CURLUE_OK && curl_url_set(at, CURLUPART_URL, link, CURLU_URLENCODE) == CURLUE_OK &&
             curl_url_get(at, CURLUPART_URL, &url, 0) == CURLUE_OK;
        same = ok && part_equal(at, own, CURLUPART_SCHEME, 0) && part_equal(at, own, CURLUPART_HOST, 0) &&
               part_equal(at, own, CURLUPART_PORT, CURLU_DEFAULT_PORT);
        if (!ok)
                r = error_set(error, ERROR_SYSTEM_REFUSED, "Look at the service: its links to further pages are wrong",
                              "System \"%s\": the service gives a link that is no address", c->options->system->name);
        else if (!same)
                r = error_set(error, ERROR_SYSTEM_REFUSED,
                              "Write in url: the address that the service gives itself, or let its proxy rewrite links",
                              "System \"%s\": the service's link to the next page leads to another host", c->options->system->name);
        else if (!(*ret = strdup(url)))
                r = -ENOMEM;
        curl_free(url);
        curl_url_cleanup(at);
        curl_url_cleanup(own);
        return r;
}
