/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One row per error users can meet: X(ID, code, errno, class, http, dbus, exit, title).
 * class decides what happens: TRANSIENT is retried from the checkpoint, PERMANENT ends the operation, RECORD sends one
 * record to quarantine, REQUEST is the asker's mistake. Codes are stable: the man page and the journal catalog name them. */
#define ERROR_CODES(X) \
        X(ERROR_INTERNAL,            "TF-1000", EIO,          PERMANENT, 500, "Internal",           1,  "Internal error") \
        X(ERROR_OUT_OF_MEMORY,       "TF-1001", ENOMEM,       TRANSIENT, 503, "OutOfMemory",        75, "Out of memory") \
        X(ERROR_IO,                  "TF-1002", EIO,          TRANSIENT, 503, "InputOutput",        75, "Input or output failed") \
        X(ERROR_DISK_FULL,           "TF-1003", ENOSPC,       TRANSIENT, 503, "DiskFull",           75, "Disk full") \
        X(ERROR_CONFIGURATION,       "TF-2000", EINVAL,       PERMANENT, 500, "Configuration",      78, "Configuration is not valid") \
        X(ERROR_MAPPING,             "TF-2001", EINVAL,       PERMANENT, 409, "Mapping",            78, "Mapping is not valid") \
        X(ERROR_NOT_YET,             "TF-2002", EOPNOTSUPP,   PERMANENT, 501, "NotYet",             78, "Not supported yet") \
        X(ERROR_ADDRESS_IN_USE,      "TF-2003", EADDRINUSE,   PERMANENT, 500, "AddressInUse",       78, "Address in use") \
        X(ERROR_ALREADY_RUNNING,     "TF-2004", EEXIST,       PERMANENT, 409, "AlreadyRunning",     78, "Already running") \
        X(ERROR_MODULE,              "TF-2005", ELIBACC,      PERMANENT, 500, "Module",             78, "Connector cannot be loaded") \
        X(ERROR_SYSTEM_UNAVAILABLE,  "TF-3000", EHOSTDOWN,    TRANSIENT, 503, "SystemUnavailable",  75, "System unavailable") \
        X(ERROR_SYSTEM_BUSY,         "TF-3001", EBUSY,        TRANSIENT, 503, "SystemBusy",         75, "System busy") \
        X(ERROR_SYSTEM_REFUSED,      "TF-3002", EREMOTEIO,    PERMANENT, 502, "SystemRefused",      1,  "System refused the request") \
        X(ERROR_SYSTEM_READ_ONLY,    "TF-3003", EROFS,        PERMANENT, 502, "SystemReadOnly",     1,  "System is read-only") \
        X(ERROR_TABLE_MISSING,       "TF-3004", ENOENT,       PERMANENT, 502, "TableMissing",       1,  "Table missing") \
        X(ERROR_COLUMN_MISSING,      "TF-3005", ENOENT,       PERMANENT, 502, "ColumnMissing",      1,  "Column missing") \
        X(ERROR_FILE_FORMAT,         "TF-3006", EBADMSG,      PERMANENT, 502, "FileFormat",         1,  "File format is not valid") \
        X(ERROR_WATERMARK,           "TF-3007", EPROTO,       PERMANENT, 502, "Watermark",          1,  "Watermark cannot be trusted") \
        X(ERROR_HISTORY_GONE,        "TF-3008", ESTALE,       PERMANENT, 502, "HistoryGone",        1,  "History of changes is gone") \
        X(ERROR_CONVERSION,          "TF-4000", ERANGE,       RECORD,    422, "Conversion",         3,  "Value does not fit its type") \
        X(ERROR_RULE,                "TF-4001", EDOM,         RECORD,    422, "Rule",               3,  "Record breaks a rule") \
        X(ERROR_RECORD_REFUSED,      "TF-4002", EREMOTEIO,    RECORD,    422, "RecordRefused",      3,  "Target refused the record") \
        X(ERROR_GUARD,               "TF-5000", ECANCELED,    PERMANENT, 409, "Guard",              4,  "Guard tripped") \
        X(ERROR_CANCELLED,           "TF-5001", ECANCELED,    PERMANENT, 409, "Cancelled",          1,  "Cancelled") \
        X(ERROR_WORKER_LOST,         "TF-5002", EOWNERDEAD,   TRANSIENT, 500, "WorkerLost",         75, "Worker lost") \
        X(ERROR_HOURS,               "TF-5003", ECANCELED,    TRANSIENT, 409, "Hours",              76, "Outside the hours of a system") \
        X(ERROR_DRIFT,               "TF-5004", ESTALE,       PERMANENT, 409, "Drift",              4,  "Columns changed under the mapping") \
        X(ERROR_BAD_REQUEST,         "TF-6000", EINVAL,       REQUEST,   400, "BadRequest",         2,  "Bad request") \
        X(ERROR_ARGUMENT,            "TF-6001", EINVAL,       REQUEST,   422, "Argument",           2,  "Argument is not valid") \
        X(ERROR_UNAUTHENTICATED,     "TF-6002", EACCES,       REQUEST,   401, "Unauthenticated",    1,  "Invalid API key") \
        X(ERROR_FORBIDDEN,           "TF-6003", EPERM,        REQUEST,   403, "Forbidden",          1,  "Not allowed") \
        X(ERROR_NOT_FOUND,           "TF-6004", ENXIO,        REQUEST,   404, "NotFound",           1,  "Not found") \
        X(ERROR_METHOD_NOT_ALLOWED,  "TF-6005", EINVAL,       REQUEST,   405, "MethodNotAllowed",   2,  "Method not allowed") \
        X(ERROR_CONFLICT,            "TF-6006", EEXIST,       REQUEST,   409, "Conflict",           1,  "State conflict") \
        X(ERROR_TOO_LARGE,           "TF-6007", EFBIG,        REQUEST,   413, "TooLarge",           2,  "Request too large") \
        X(ERROR_MEDIA_TYPE,          "TF-6008", EINVAL,       REQUEST,   415, "MediaType",          2,  "Media type not supported") \
        X(ERROR_TOO_MANY,            "TF-6009", EBUSY,        REQUEST,   429, "TooMany",            75, "Too many requests") \
        X(ERROR_UNAVAILABLE,         "TF-6010", EAGAIN,       TRANSIENT, 503, "Unavailable",        75, "Service unavailable") \
        X(ERROR_NOT_CONNECTED,       "TF-6011", ENOTCONN,     TRANSIENT, 503, "NotConnected",       1,  "Sync service is not running") \
        X(ERROR_ANSWER_LOST,         "TF-6012", ENOMSG,       PERMANENT, 502, "AnswerLost",         1,  "Answer lost") \
        X(ERROR_ANSWER_LATE,         "TF-6013", ETIME,        PERMANENT, 504, "AnswerLate",         1,  "Answer came too late") \
        X(ERROR_NO_JOURNAL,          "TF-6014", ENODATA,      REQUEST,   409, "NoJournal",          1,  "No journal")
