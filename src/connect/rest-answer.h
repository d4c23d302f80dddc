/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What answers of a web service mean to people: errors with their first words and a remedy. In the worker. */
#include "connect/rest-http.h"

/* Without scheme, host and parameters: "/odata/v4/Accounts". Allocated. */
char *rest_url_shown(const char *url);
/* Begins of texts, as words: tags, markup and control characters left out, cut. Allocated. */
char *rest_words(const char *body, size_t size);

/* Of rest-http.c. */
const RestOptions *rest_client_options(const RestClient *c);
void rest_client_mask(const RestClient *c, char *text);         /* secrets become asterisks */
