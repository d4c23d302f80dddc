/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The head of an answer of syncd, read strictly: what two readers could understand differently is refused. In the gateway.
 * syncd always tells the length of its bodies; any other framing is no answer of it. */
#include "basic/alloc.h"

#define ANSWER_HEAD_BYTES_MAX 65536U
#define ANSWER_HEADERS_MAX 64U
#define ANSWER_BODY_BYTES_MAX (64U * 1024 * 1024)       /* held whole: the largest page of a list is 1 MB */

typedef struct AnswerHeader {
        uint32_t name, name_size, value, value_size;    /* offset and bytes in the answer */
} AnswerHeader;

typedef struct Answer {
        int status;                     /* 200 to 599 */
        size_t head_size, body_size;    /* the body follows the head at once */
        bool close;                     /* the connection ends after it */
        size_t n_headers;
        AnswerHeader headers[ANSWER_HEADERS_MAX];
} Answer;

/* 1: the head is whole; 0: more bytes must come (ret is undefined); -EBADMSG: this is no answer. */
_must_check_ int answer_parse(const char *bytes, size_t size, Answer *ret);
/* Headers that are of one connection or framing (Connection, Content-Length, Date, Host, …): each side makes its own. */
bool header_is_of_hop(const char *name, size_t size);
