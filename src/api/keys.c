/* SPDX-License-Identifier: Apache-2.0 */
#include "api/keys.h"

#include <errno.h>
#include <sodium.h>
#include <strings.h>

#include "api/command.h"
#include "basic/credential.h"
#include "basic/log.h"
#include "basic/text.h"

#define DEFAULT_KEY "dev-api-key"
#define ADDRESSES_MAX 256U      /* remembered failures; the oldest makes room, so memory is bounded */

typedef struct Failures {
        char address[64];
        unsigned n;
        uint64_t since_usec;
} Failures;

struct Keys {
        unsigned char digest[crypto_generichash_BYTES]; /* of the key: equal lengths compare in constant time */
        bool is_default;
        Failures failures[ADDRESSES_MAX];
};

static void digest_text(const char *text, unsigned char digest[static crypto_generichash_BYTES]) {
        (void) crypto_generichash(digest, crypto_generichash_BYTES, (const unsigned char *) text, strlen(text), NULL, 0);
}

int keys_new(Keys **ret, Error *error) {
        const char *key = getenv("SYNC_SERVICE_API_KEY");
        _cleanup_secret_ char *credential = NULL;
        Keys *keys;
        int r;

        if (sodium_init() < 0)
                return error_set(error, ERROR_INTERNAL, NULL, "libsodium cannot be used");
        if (!key || !*key) {
                r = credential_find("api-key", &credential, error);
                if (r < 0)
                        return r;
                key = credential;
        }
        keys = calloc(1, sizeof(Keys));
        if (!keys)
                return -ENOMEM;
        keys->is_default = !key;
        digest_text(key ?: DEFAULT_KEY, keys->digest);
        *ret = keys;
        return 0;
}

Keys *keys_free(Keys *keys) {
        if (keys)
                sodium_memzero(keys, sizeof(Keys));
        free(keys);
        return NULL;
}

bool keys_is_default(const Keys *keys) {
        return keys->is_default;
}

/* The address's slot; where unknown the one longest unused, emptied. */
static Failures *failures_of(Keys *keys, const char *address, uint64_t now_usec) {
        Failures *oldest = keys->failures;

        for (size_t i = 0; i < ADDRESSES_MAX; i++) {
                Failures *f = keys->failures + i;

                if (strncmp(f->address, address, sizeof(f->address) - 1) == 0) {
                        if (now_usec - f->since_usec > KEY_FAILURES_SEC * 1000000ULL)
                                f->n = 0;
                        return f;
                }
                if (f->since_usec < oldest->since_usec)
                        oldest = f;
        }
        *oldest = (Failures) { .since_usec = now_usec };
        (void) snprintf(oldest->address, sizeof(oldest->address), "%s", address);
        return oldest;
}

/* At most KEY_FAILURES_MAX a minute and address: after that they are refused unseen. */
static void log_refused(const char *address) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "Refused an API key from %s.", address) < 0)
                text = NULL;
        log_event(LOG_NOTICE, MESSAGE_KEY_REFUSED, text ?: "Refused an API key.", NULL);
}

static const char *key_given(const char *api_key, const char *authorization) {
        if (api_key)
                return api_key;
        if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
                return NULL;
        return authorization + 7 + strspn(authorization + 7, " ");
}

int keys_check(Keys *keys, const char *api_key, const char *authorization, const char *address, bool loopback,
               uint64_t now_usec, const char **ret_name, unsigned *ret_scopes, Error *error) {
        const char *given = key_given(api_key, authorization);
        unsigned char digest[crypto_generichash_BYTES];
        Failures *failures;
        bool equal;

        if (!given)
                return error_set(error, ERROR_UNAUTHENTICATED, "Send your key in the header X-API-Key.", "Invalid API key");
        failures = failures_of(keys, address, now_usec);
        if (failures->n >= KEY_FAILURES_MAX)
                return error_set(error, ERROR_TOO_MANY, "Wait a minute, then send the right key.",
                                 "%u wrong keys came from %s within a minute", failures->n, address);
        digest_text(given, digest);
        equal = sodium_memcmp(digest, keys->digest, sizeof(digest)) == 0;
        if (!equal || (keys->is_default && !loopback)) {
                if (failures->n++ == 0)
                        failures->since_usec = now_usec;
                log_refused(address);
                return error_set(error, ERROR_UNAUTHENTICATED,
                                 equal ? "Set SYNC_SERVICE_API_KEY: the default key works from this machine only." :
                                         "Send your key in the header X-API-Key.", "Invalid API key");
        }
        *ret_name = keys->is_default ? "default" : "api-key";
        *ret_scopes = SCOPES_ALL;
        return 0;
}
