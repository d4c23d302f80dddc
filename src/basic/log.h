/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* journald events with structured fields where stderr is the journal or the journal's socket is there and JOURNAL_STREAM
 * is set; logfmt lines on stderr elsewhere. Only main.c files and managers log above debug. Never a secret. */
#include "basic/alloc.h"
#include "basic/error.h"
#include "basic/log-ids.h"
#include <syslog.h>

void log_open(const char *program);             /* name before each line; reads LOG_LEVEL */
int log_set_level(const char *name);            /* "debug" "info" "notice" "warning" "error"; -EINVAL */
const char *log_level_name(void);
/* One event, one line. After message come pairs "FIELD", value (char*; a NULL value is left out), ended by NULL:
 * log_event(LOG_INFO, MESSAGE_STARTED, "Started on port 8000.", "SYNC_PAIR", pair, NULL); */
void log_event(int level, LogId id, const char *message, ...) __attribute__((sentinel));
/* From now on every line carries the field (a worker is about one operation). value is copied; NULL takes it out. A field that an event gives
 * itself goes before. Not for two threads at once. */
void log_context_set(const char *field, const char *value);
bool log_is_journal(void);      /* do the lines go to the journal? Else to stderr */
const char *log_id_text(LogId id);      /* its 32 hex digits */
void log_text(int level, const char *format, ...) _printf_(2, 3);
/* Logs the error with its remedy and gives its negative errno. */
int log_error(LogId id, const Error *error, const char *format, ...) _printf_(3, 4);
int log_errno(int r, const char *format, ...) _printf_(2, 3);   /* appends strerror; gives r */
#define log_debug(...) log_text(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_text(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_text(LOG_WARNING, __VA_ARGS__)
