/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Every limit on what a user can grow, with unit and reason. An error that meets one names it. */
#define MAPPING_FILE_BYTES_MAX (4U * 1024 * 1024)       /* hand-written files; larger ones are a mistake */
#define MAPPING_FIELDS_MAX 1000U                        /* SQLite binds at most 32766, PostgreSQL tables have 1600 columns */
#define MAPPING_ENTITIES_MAX 200U
#define LOOKUP_ROWS_MAX 100000U                         /* code tables live in memory */
#define UNIQUE_VALUES_MAX 10000000U                     /* of one unique field in one run: 16-byte digests, 275 MB at worst */
#define CONFIG_MISTAKES_MAX 100U                        /* more are counted, not listed */
#define PLAN_RECORDS_LARGE 1000000               /* a table that is sorted, or read whole by an increment, only where that is allowed */
#define BATCH_BYTES (4U * 1024 * 1024)                  /* of changed records in one batch: bounds the worker's memory */
#define BATCH_SCANNED_MAX 50000U                        /* records scanned before position is recorded */
#define BATCH_RECORDS_MAX 10000U                        /* changed records in a batch: bounds the target's transaction */
#define DIGEST_RANGE_RECORDS 512U                       /* in a range that `digest` compares: what one change makes it read */
#define DIGEST_RANGES_MAX 8192U                         /* beyond so many they grow with the table: 2 MB in memory */
#define RECORD_BYTES_MAX (64U * 1024 * 1024)            /* one record of a source */
#define SQLITE_CACHE_KIB 4096                           /* page cache per database the worker opens */
#define REQUEST_BODY_BYTES_MAX (1024U * 1024)           /* HTTP bodies are small JSON documents */
#define HTTP_CONNECTIONS_MAX 1024U
#define HTTP_TIMEOUT_SEC 60U
#define OPERATIONS_WAITING_MAX 1000U                    /* queue in memory */
#define OPERATIONS_LISTED_MAX 1000U                     /* one page of a list */
#define STORE_QUERY_MSEC_MAX 5000U                      /* of syncd on a store's server: people wait for the answer */
#define STORE_STATEMENT_MSEC_MAX 300000U                /* of a worker: a large batch on a busy server */
#define STORE_JOBS_MAX 256U                             /* queries waiting for syncd's helper thread */
#define HORIZON_HELD_SEC 600U                           /* a transaction open for longer, which holds a watermark back, is warned of */
#define ATTEMPTS_MAX 8U                                 /* of one operation */
#define DATAGRAM_BYTES_MAX 65536U                       /* one progress hint */
#define BUS_QUESTIONS_MAX 1024U                          /* D-Bus calls that wait for the bus or polkit to say who may */
#define REST_PAGE_BYTES_MAX (32U * 1024 * 1024)         /* one answer of a web service, unpacked: it is read whole */
#define REST_PAGE_MEMORY_MAX (128U * 1024 * 1024)       /* the same as a tree: a quarter of a worker's memory */
