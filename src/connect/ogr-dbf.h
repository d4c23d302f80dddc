/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The numbers of a dBASE table as the file writes them: GDAL gives them as binary floats, which do not hold the 19 digits of
 * N(19,11). Only what a Shapefile has is read: fixed records, numbers as text. In the worker. */
#include "basic/alloc.h"
#include "model/value.h"

typedef struct DbfFile DbfFile;

/* -EBADMSG: no dBASE table, or cut off. Other negative errnos of opening and reading. */
_must_check_ int dbf_open(const char *path, DbfFile **ret);
DbfFile *dbf_close(DbfFile *f);
DEFINE_CLEANUP(DbfFile, dbf_close)
/* The place of a column of type N or F; -1: there is none. */
int dbf_number_column(const DbfFile *f, const char *name);
/* A number of record `number` (from 0 on): DECIMAL, INTEGER's form left to the converter; NULL where it is blank or stars; TEXT (borrowed until
 * the next call) where it is no number. -EBADMSG: beyond the file's end. */
_must_check_ int dbf_number_read(DbfFile *f, uint64_t number, int column, Value *ret);
