/* SPDX-License-Identifier: Apache-2.0 */
#include "store/server.h"
#include "basic/credential.h"
#include "basic/text.h"
#include "store/postgresql-internal.h"

#define OPTIONS_MAX 64U /* libpq 15 knows 43 */

static struct {
        char *name;
        const char *keywords[OPTIONS_MAX + 1], *values[OPTIONS_MAX + 1];
        char *owned[OPTIONS_MAX + 1];
        size_t n;
        unsigned statement_timeout_msec;
} server;

void store_server_done(void) {
        for (size_t i = 0; i < server.n; i++) {
                secret_free(server.owned[i]);
                server.owned[i] = NULL;
                server.keywords[i] = server.values[i] = NULL;
        }
        server.n = 0;
        free(TAKE_PTR(server.name));
}

bool store_server_is_used(void) { return server.n > 0; }

const char *store_server_name(void) { return server.name ? server.name : ""; }

unsigned store_server_statement_timeout_msec(void) { return server.statement_timeout_msec; }

void store_server_parameters(const char *const **ret_keywords, const char *const **ret_values) {
        *ret_keywords = server.keywords;
        *ret_values = server.values;
}

static const char *parameter(const char *keyword) {
        for (size_t i = 0; i < server.n; i++)
                if (text_equal(server.keywords[i], keyword))
                        return server.values[i];
        return NULL;
}

/* keyword is static: libpq's own or ours. */
static int parameter_add(const char *keyword, const char *value) {
        char *copy;

        if (server.n >= OPTIONS_MAX)
                return -ENOBUFS;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        server.keywords[server.n] = keyword;
        server.values[server.n] = server.owned[server.n] = copy;
        server.n++;
        return 0;
}

/* What libpq calls an option has a static name there for as long as the process lives only in PQconndefaults();
 * so ours are looked up in a table. */
static const char *const known[] = {
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "passfile",
        "sslmode",
        "sslcert",
        "sslkey",
        "sslpassword",
        "sslrootcert",
        "sslcrl",
        "sslcrldir",
        "sslsni",
        "requirepeer",
        "krbsrvname",
        "gssencmode",
        "gsslib",
        "service",
        "options",
        "channel_binding",
        "target_session_attrs",
        "keepalives",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "connect_timeout",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "sslcompression",
};

/* Taken where the URL does not say otherwise: a server that is gone is noticed, whichever way it went. */
static const char *const otherwise[][2] = {
        {"connect_timeout", "10"},    {"tcp_user_timeout", "30000"}, {"keepalives_idle", "10"},
        {"keepalives_interval", "5"}, {"keepalives_count", "3"},
};

static int option_take(const PQconninfoOption *option, Error *error) {
        if (!option->val || !*option->val)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (text_equal(known[i], option->keyword))
                        return parameter_add(known[i], option->val);
        if (text_equal(option->keyword, "application_name") ||
            text_equal(option->keyword, "client_encoding") ||
            text_equal(option->keyword, "fallback_application_name"))
                return 0; /* ours */
        return error_set(error, ERROR_CONFIGURATION, "Leave it out of SYNC_SERVICE_DB_URL.",
                         "SYNC_SERVICE_DB_URL has \"%s\", which has no use here", option->keyword);
}

static int url_refused(Error *error) {
        return error_set(
                error, ERROR_CONFIGURATION,
                "Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with % codes for characters such "
                "as @ and / in a password.",
                "SYNC_SERVICE_DB_URL cannot be read as the address of a PostgreSQL database");
}

/* libpq's own message about a URL repeats it, and the password with it. */
static int url_parse(const char *url, Error *error) {
        char *message = NULL;
        PQconninfoOption *options = PQconninfoParse(url, &message);
        int r = 0;

        if (message)
                PQfreemem(message);
        if (!options)
                return url_refused(error);
        for (const PQconninfoOption *o = options; r == 0 && o->keyword; o++)
                r = option_take(o, error);
        PQconninfoFree(options);
        return r;
}

static int defaults_add(Error *error) {
        _cleanup_secret_ char *password = NULL;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(otherwise); i++)
                if (!parameter(otherwise[i][0])) {
                        r = parameter_add(otherwise[i][0], otherwise[i][1]);
                        if (r < 0)
                                return r;
                }
        if (!parameter("password")) {
                r = credential_find("store-password", &password, error);
                if (r > 0)
                        r = parameter_add("password", password);
                if (r < 0)
                        return r;
        }
        r = parameter_add("fallback_application_name", program_invocation_short_name);
        return r < 0 ? r : parameter_add("client_encoding", "UTF8");
}

static int name_set(Error *error) {
        const char *host = parameter("host"), *port = parameter("port"), *database = parameter("dbname");
        int r;

        if (!database)
                return error_set(error, ERROR_CONFIGURATION,
                                 "Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE.",
                                 "SYNC_SERVICE_DB_URL names no database");
        if (!host)
                host = parameter("hostaddr");
        if (port && strchr(port, ',')) /* of several servers */
                r = asprintf(&server.name, "%s/%s", host ? host : "", database);
        else
                r = asprintf(&server.name, "%s:%s/%s", host ? host : "", port ? port : "5432", database);
        if (r < 0) {
                server.name = NULL;
                return -ENOMEM;
        }
        return 0;
}

int store_server_use(const char *url, unsigned statement_timeout_msec, Error *error) {
        int r;

        store_server_done();
        if (!url || !*url)
                return 0;
        server.statement_timeout_msec = statement_timeout_msec;
        if (!text_starts_with(url, "postgresql://") && !text_starts_with(url, "postgres://"))
                return url_refused(error);
        r = url_parse(url, error);
        if (r == 0)
                r = name_set(error);
        if (r == 0)
                r = defaults_add(error);
        if (r < 0) {
                store_server_done();
                (void) error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the address of the store");
        }
        return r;
}
