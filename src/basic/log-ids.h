/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Message ids and field names of the journal; each id has an entry in units/terrafusion.catalog (a test compares). */
#define LOG_IDS(X) \
        X(MESSAGE_STARTED,             "8bebcea913c3433d9c258e50d86288be") \
        X(MESSAGE_STOPPED,             "ebe0403680fd4325b9e189214290342c") \
        X(MESSAGE_DEFAULT_KEY,         "793b36b0b2984b19b590114060e0caeb") \
        X(MESSAGE_CONFIGURATION,       "0bfb505621a94f3cae2b82cf4e4a680d") \
        X(MESSAGE_OPERATION_STARTED,   "403e50f5f9be4573857396edeee57f91") \
        X(MESSAGE_OPERATION_FINISHED,  "f78f1de5ec944fd08eadfbb4f0b59886") \
        X(MESSAGE_OPERATION_FAILED,    "f5ad6d6a847d4601911ed6f76e5a1979") \
        X(MESSAGE_ATTEMPT_LOST,        "8f08f23b4b2141629424e22ad2be0097") \
        X(MESSAGE_RECORD_QUARANTINED,  "f0111e44c63d4eddb4187109545f686f") \
        X(MESSAGE_GUARD_TRIPPED,       "79f389548fa94c7c98e0d93cf29f889e") \
        X(MESSAGE_BATCH_SETTLED,       "77e26c3fa4bb4d98a023441c6acbb494") \
        X(MESSAGE_SYNCD_RESTARTED,     "47c94c55bb0f47079193e7816f12a2df") \
        X(MESSAGE_KEY_REFUSED,         "b873af7f3dc94433ab0e3d8c7556fc08") \
        X(MESSAGE_WRITE_REQUEST,       "b395ba9b44f348718b0424d9beb1100d") \
        X(MESSAGE_GUARD_ALLOWED,       "8f6522ac6e254e3b9659f292b87319b9") \
        X(MESSAGE_BUS,                 "00063ba2ce6348ceacf0564cdf1f42ef") \
        X(MESSAGE_ATTEMPT_FAILED,      "27f6236b7f674b528ada2a2e0bbcc90a") \
        X(MESSAGE_ATTEMPT_PLANNED,     "61d468431910489f81e9335233c0634f") \
        X(MESSAGE_DIVERGED,            "ee3a05c7200a44a69eec4b5089b2586f") \
        X(MESSAGE_ENTITY_FINISHED,     "b35074497e094e049cf18a39fa8c94e1") \
        X(MESSAGE_HOURS_OVER,          "78e34612e5ba461c8a27e53a1db9418e") \
        X(MESSAGE_RECORD_WARNED,       "74b5d940ec4d4e17b14510e548b8c330") \
        X(MESSAGE_LOG_HISTORY_GONE,    "c9f9cabc7fd54c5aad555e2e342fdf99") \
        X(MESSAGE_SLOT_RETAINS,        "3ad182775aad455a87c9916df6e3fbdb") \
        X(MESSAGE_DRIFT,               "0d0e24fb956441c8858ae9db049c96fd") \
        X(MESSAGE_HORIZON_HELD,        "aea85905979548eb81805372fd414059") \
        X(MESSAGE_CLOCK_STEPPED,       "397a377f80af4b06b992980b48f6a3c4") \
        X(MESSAGE_SOURCE_SLOW,         "c32fa9de97704516b2537b275ef63f96")
typedef enum LogId {
        MESSAGE_NONE = 0,
#define X(id, uuid) id,
        LOG_IDS(X)
#undef X
        _LOG_ID_MAX,
} LogId;
/* The fields of events, beside MESSAGE, PRIORITY and SYSLOG_IDENTIFIER: no event has others (a test reads for them). */
#define LOG_FIELDS(X) X("MESSAGE_ID") X("OPERATION_ID") X("SYNC_PAIR") X("ENTITY") X("SYSTEM") X("ATTEMPT") X("REQUEST_ID") X("API_KEY_NAME")
