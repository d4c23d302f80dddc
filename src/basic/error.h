/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What went wrong, for people: a row of error-codes.h with detail, remedy and place. In every process.
 * The origin sets it once; callers may only prefix. A function that fails returns the row's negative errno. */
#include "basic/alloc.h"
#include "basic/error-codes.h"
#include <jansson.h>

typedef enum ErrorClass { ERROR_CLASS_TRANSIENT, ERROR_CLASS_PERMANENT, ERROR_CLASS_RECORD, ERROR_CLASS_REQUEST } ErrorClass;

typedef enum ErrorId {
        ERROR_NONE = 0,
#define X(id, code, number, class, http, dbus, exit, title) id,
        ERROR_CODES(X)
#undef X
        _ERROR_ID_MAX,
} ErrorId;

typedef struct Error {
        ErrorId id;             /* ERROR_NONE: nothing set */
        char *detail;           /* one sentence: what failed, with which value */
        char *remedy;           /* what to do, or NULL */
        char *field;            /* member or column at fault, or NULL */
        char *file;             /* file at fault, or NULL */
        unsigned line, column;  /* 1-based; 0 unknown */
} Error;

void error_done(Error *e);      /* frees what it holds and leaves it empty; takes NULL */
#define _cleanup_error_ _cleanup_(error_done)

/* Sets e (when not NULL and still empty) and gives the row's negative errno. remedy may be NULL. */
int error_set(Error *e, ErrorId id, const char *remedy, const char *format, ...) _printf_(4, 5);
/* Adds where: file may be NULL. Gives back -errno of e's row, for `return error_at(…)`. */
int error_at(Error *e, const char *file, unsigned line, unsigned column);
int error_field(Error *e, const char *field);
/* Puts "prefix: " before the detail. */
void error_prefix(Error *e, const char *format, ...) _printf_(2, 3);
void error_move(Error *to, Error *from);        /* hands over; from is left empty */
void error_copy(Error *to, const Error *from);  /* to is replaced; texts are left out where memory is */

const char *error_code(ErrorId id);             /* "TF-2001" */
const char *error_title(ErrorId id);
const char *error_dbus_name(ErrorId id);        /* "org.terrafusion.Error.Mapping" */
int error_errno(ErrorId id);                    /* negative */
int error_http_status(ErrorId id);
int error_exit_status(ErrorId id);
ErrorClass error_class(ErrorId id);
ErrorId error_from_code(const char *code);      /* ERROR_NONE where unknown */
ErrorId error_from_errno(int r);                /* a fitting row for a bare negative errno, ERROR_INTERNAL as the last resort */

/* One line for people: "FILE:LINE:COL: detail (TF-nnnn). remedy". Allocated; NULL without memory. */
char *error_to_text(const Error *e);
/* {"code","title","detail","remedy","field","file","line","column"}, unset members left out. */
_must_check_ int error_to_json(const Error *e, json_t **ret);
_must_check_ int error_from_json(const json_t *object, Error *ret);
