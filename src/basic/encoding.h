/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How a file's bytes mean characters: found out, read as UTF-8, written back. No tables of the system: what a file means
 * must not depend on which locales a machine has. Used by files that are read and written. */
#include "basic/alloc.h"
#include <stdio.h>

typedef enum TextEncoding {
        ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE,
        ENCODING_LATIN1,        /* ISO 8859-1: each byte is the character of its number */
        ENCODING_WINDOWS1252,   /* latin-1 with printable characters at 0x80 to 0x9F, five of which are undefined */
        _TEXT_ENCODING_MAX, _TEXT_ENCODING_INVALID = -EINVAL,
} TextEncoding;
const char *text_encoding_to_string(TextEncoding encoding);     /* "utf-16le" */
TextEncoding text_encoding_from_string(const char *name);       /* also "utf8", "latin1", "cp1252", "iso-8859-1", …; any case */

typedef struct EncodingGuess {
        TextEncoding encoding;
        size_t bom_size;        /* bytes of the byte order mark in front, 0: none */
        bool is_ascii;          /* nothing but ASCII was seen: every one-byte encoding reads it alike */
        size_t fault;           /* -EILSEQ: offset of the byte that speaks against it */
} EncodingGuess;
/* What a file that begins so is encoded in. whole: bytes are all of it, else a character may be cut off at the end.
 * A byte order mark decides; else NULs at every other byte mean UTF-16; else what is valid UTF-8 is that; else bytes that Windows-1252
 * has words for are that (latin-1 where none is in 0x80 to 0x9F: both read it alike).
 * 0, or -EILSEQ where it would be a guess: UTF-8 and other bytes in one file, bytes that no such text has (another code page). */
_must_check_ int encoding_detect(const char *bytes, size_t size, bool whole, EncodingGuess *ret);

/* A file that is read from its beginning as UTF-8. Takes over file, also on failure (NULL, errno). What cannot be decoded comes as bytes that are not valid
 * UTF-8 (a lone continuation byte of that value; a half surrogate as three bytes), so that who checks text finds it at its place.
 * The byte order mark stays, as UTF-8's. Of UTF-8 it is file itself. */
FILE *encoding_open(FILE *file, TextEncoding encoding);
/* The same of a few bytes of a one-byte encoding: at most 3 × size bytes into ret, whose number it gives. */
size_t encoding_read_bytes(TextEncoding encoding, const char *bytes, size_t size, char *ret);
/* Writes valid UTF-8 in the encoding: at most 2 × size bytes into ret. *ret_fault: where a character begins that it does not have (-EILSEQ). */
_must_check_ int encoding_write(TextEncoding encoding, const char *text, size_t size, char *ret, size_t *ret_size, size_t *ret_fault);
