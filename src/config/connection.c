/* SPDX-License-Identifier: Apache-2.0 */
#include "config/connection.h"

#include "basic/text.h"
#include "config/check.h"

/* PostgreSQL 17 manual, "Parameter Key Words"; a later one is told by the library itself. */
static const char *const keywords[] = {
        "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "fallback_application_name", "gssdelegation",
        "gssencmode", "gsslib", "host", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname",
        "load_balance_hosts", "options", "passfile", "password", "port", "replication", "require_auth", "requirepeer", "service", "ssl_max_protocol_version",
        "ssl_min_protocol_version", "sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslmode", "sslnegotiation",
        "sslpassword", "sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout", "user",
};

static int tell(char **ret_detail, char **ret_remedy, char *remedy, const char *format, ...) _printf_(4, 5);

static int tell(char **ret_detail, char **ret_remedy, char *remedy, const char *format, ...) {
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(ret_detail, format, arguments);
        va_end(arguments);
        if (n < 0) {
                free(remedy);
                return -ENOMEM;
        }
        *ret_remedy = remedy;
        return 1;
}

static bool is_digits(const char *text, size_t size) {
        return size > 0 && strspn(text, "0123456789,") >= size;
}

/* A name that is followed by a sign is no value, so it may be shown. */
static int option_check(const char *name, size_t n_name, const char *value, size_t n_value, char **ret_detail, char **ret_remedy) {
        _cleanup_free_ char *copy = strndup(name, n_name);

        if (!copy)
                return -ENOMEM;
        if (text_equal(copy, "port") && !is_digits(value, n_value))
                return tell(ret_detail, ret_remedy, strdup("Write a number, such as port=5432"), "connection: the option \"port\" is no number");
        for (size_t i = 0; i < ELEMENTSOF(keywords); i++)
                if (text_equal(copy, keywords[i]))
                        return 0;
        return tell(ret_detail, ret_remedy, check_suggestion(copy, keywords, ELEMENTSOF(keywords)), "connection: there is no option \"%.40s\"", copy);
}

/* Behind a value: bare up to a blank, or in single quotes; a backslash keeps the next character. NULL: its quote has no end. */
static const char *value_end(const char *at, bool quoted) {
        for (; *at && (quoted ? *at != '\'' : *at != ' ' && *at != '\t' && *at != '\n'); at++)
                if (*at == '\\' && at[1])
                        at++;
        return quoted && !*at ? NULL : at;
}

static int pairs_check(const char *at, char **ret_detail, char **ret_remedy) {
        for (unsigned n = 1; *(at += strspn(at, " \t\r\n")); n++) {
                size_t n_name = strcspn(at, "= \t\r\n");
                const char *name = at, *value, *end;
                bool quoted;
                int r;

                at += n_name;
                at += strspn(at, " \t\r\n");
                if (*at != '=' || n_name == 0)
                        return tell(ret_detail, ret_remedy, strdup("Write name=value, values with blanks in 'single quotes'"),
                                    "connection: what stands at the place of option %u has no name and value", n);
                value = at + 1 + strspn(at + 1, " \t\r\n");
                quoted = *value == '\'';
                end = value_end(value + quoted, quoted);
                if (!end)
                        return tell(ret_detail, ret_remedy, strdup("Close it; a quote in a value is \\'"),
                                    "connection: the quote of option %u has no end", n);
                r = option_check(name, n_name, value + quoted, (size_t) (end - value) - quoted, ret_detail, ret_remedy);
                if (r != 0)
                        return r;
                at = end + quoted;
        }
        return 0;
}

/* Of an address only what stands behind the question mark has names. */
static int address_check(const char *text, char **ret_detail, char **ret_remedy) {
        const char *at = strchr(text, '?');

        for (at = at ? at + 1 : ""; *at;) {
                size_t size = strcspn(at, "&"), n_name = strcspn(at, "=&");
                int r;

                if (n_name >= size)
                        return tell(ret_detail, ret_remedy, strdup("Write ?name=value&name=value"), "connection: an option has no value");
                r = option_check(at, n_name, at + n_name + 1, size - n_name - 1, ret_detail, ret_remedy);
                if (r != 0)
                        return r;
                at += size + (at[size] == '&');
        }
        return 0;
}

int connection_mistake(const char *text, char **ret_detail, char **ret_remedy) {
        if (text_starts_with(text, "postgresql://") || text_starts_with(text, "postgres://"))
                return address_check(text, ret_detail, ret_remedy);
        return pairs_check(text, ret_detail, ret_remedy);
}
