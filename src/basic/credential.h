/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Secrets, as the units hand them over: each file NAME of /etc/terrafusion/credentials is the file
 * "terrafusion_NAME" in $CREDENTIALS_DIRECTORY (LoadCredential= of a folder). In every process. A secret is
 * never logged and never in an error; the caller wipes it with secret_free(). */
#include "basic/alloc.h"
#include "basic/error.h"

/* 1 and the secret without the newline that editors put at its end, or 0: there is none of that name.
 * ERROR_CONFIGURATION where it is there and cannot be used (unreadable, empty, above 4096 bytes, a name with
 * a slash). Without $CREDENTIALS_DIRECTORY (no systemd) $CONFIGURATION_DIRECTORY/credentials/NAME is read. */
_must_check_ int credential_find(const char *name, char **ret, Error *error);
/* The same where it must be there: a missing one is ERROR_CONFIGURATION that says where to put it. */
_must_check_ int credential_need(const char *name, char **ret, Error *error);
char *secret_free(char *secret);
DEFINE_CLEANUP(char, secret_free)
#define _cleanup_secret_ _cleanup_(secret_freep)
