/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer.h"

#include <errno.h>
#include <strings.h>

#include "http/message.h"

bool header_is_of_hop(const char *name, size_t size) {
        static const char *const names[] = { "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
                                             "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Date", "Host", "Expect" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strlen(names[i]) == size && strncasecmp(name, names[i], size) == 0)
                        return true;
        return false;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200" and a reason, or none. */
static int status_parse(const char *line, size_t size) {
        int status;

        if (size < 12 || memcmp(line, "HTTP/1.1 ", 9) != 0 || !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]) ||
            (size > 12 && line[12] != ' '))
                return -EBADMSG;
        status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + line[11] - '0';
        return status >= 200 && status < 600 ? status : -EBADMSG;
}

static int length_parse(const char *value, size_t size, int64_t *length) {
        int64_t n = 0;

        if (*length >= 0 || size == 0 || size > 9)
                return -EBADMSG;
        for (size_t i = 0; i < size; i++) {
                if (!is_digit(value[i]))
                        return -EBADMSG;
                n = n * 10 + value[i] - '0';
        }
        if (n > (int64_t) ANSWER_BODY_BYTES_MAX)
                return -EBADMSG;
        *length = n;
        return 0;
}

static bool is(const char *text, size_t size, const char *word) {
        return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

/* line is at offset at of the answer. */
static int header_parse(const char *line, size_t size, size_t at, Answer *answer, int64_t *length) {
        const char *colon = memchr(line, ':', size), *value, *end = line + size;
        size_t name_size = colon ? (size_t) (colon - line) : 0;

        if (answer->n_headers >= ANSWER_HEADERS_MAX || !http_token_is_valid(line, name_size))
                return -EBADMSG;
        for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
                ;
        while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
                end--;
        for (const char *c = value; c < end; c++)
                if (((unsigned char) *c < 0x20 && *c != '\t') || *c == 0x7f)
                        return -EBADMSG;
        if (is(line, name_size, "Transfer-Encoding"))
                return -EBADMSG;
        if (is(line, name_size, "Content-Length") && length_parse(value, (size_t) (end - value), length) < 0)
                return -EBADMSG;
        if (is(line, name_size, "Connection") && is(value, (size_t) (end - value), "close"))
                answer->close = true;
        answer->headers[answer->n_headers++] = (AnswerHeader) {
                (uint32_t) at, (uint32_t) name_size, (uint32_t) (at + (size_t) (value - line)), (uint32_t) (end - value) };
        return 0;
}

/* Where the line ends; the head's last one ends at end. */
static const char *line_end(const char *line, const char *end) {
        while (line < end && (line[0] != '\r' || line[1] != '\n'))
                line++;
        return line;
}

int answer_parse(const char *bytes, size_t size, Answer *ret) {
        size_t n = size < ANSWER_HEAD_BYTES_MAX ? size : ANSWER_HEAD_BYTES_MAX;
        const char *end = memmem(bytes, n, "\r\n\r\n", 4), *line, *next;
        int64_t length = -1;
        int r;

        /* What cannot become an answer is refused before its end. */
        if (n > 0 && memcmp(bytes, "HTTP/1.1 ", n < 9 ? n : 9) != 0)
                return -EBADMSG;
        if (!end)
                return size >= ANSWER_HEAD_BYTES_MAX ? -EBADMSG : 0;
        next = line_end(bytes, end);
        ret->status = status_parse(bytes, (size_t) (next - bytes));
        if (ret->status < 0)
                return ret->status;
        ret->head_size = (size_t) (end + 4 - bytes);
        ret->n_headers = 0;
        ret->close = false;
        while (next < end) {
                line = next + 2;
                next = line_end(line, end);
                r = header_parse(line, (size_t) (next - line), (size_t) (line - bytes), ret, &length);
                if (r < 0)
                        return r;
        }
        if (ret->status == 204 || ret->status == 304)
                length = 0;
        ret->body_size = length < 0 ? 0 : (size_t) length;
        return length < 0 ? -EBADMSG : 1;
}
