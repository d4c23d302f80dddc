/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The features of a GeoJSON file, one after the other in constant memory: what stands around them is passed over, each feature is
 * given as its bytes. In the worker. */
#include "basic/error.h"
#include "basic/text-buffer.h"

typedef struct FeatureFile FeatureFile;

/* Begins at the file's start, and reads up to the first feature. fd stays the caller's. path: for messages. ERROR_FILE_FORMAT: it is no
 * FeatureCollection. ERROR_IO. */
_must_check_ int features_open(int fd, const char *path, FeatureFile **ret, Error *error);
FeatureFile *features_close(FeatureFile *f);
DEFINE_CLEANUP(FeatureFile, features_close)
/* 1: the next feature's bytes, borrowed until the next call; 0: the collection ended as it should. ERROR_FILE_FORMAT with the line: cut off, or
 * no JSON; a feature larger than a record may be. */
_must_check_ int features_next(FeatureFile *f, const char **ret, size_t *ret_size, Error *error);
/* The "crs" member's bytes, where it stood before the features; NULL: there is none. */
const char *features_crs(const FeatureFile *f, size_t *ret_size);
uint64_t features_line(const FeatureFile *f); /* where the last feature begins */
