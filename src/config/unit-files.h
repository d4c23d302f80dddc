/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the configuration means to systemd, as unit files: terrafusion-generator writes them, terrafusion-syncd
 * compares them with what systemd has. Pure. */
#include "config/pairs.h"

/* Where systemd keeps what generators made. */
#define GENERATED_FOLDER "/run/systemd/generator"

typedef struct UnitFile {
        char *path;             /* below the generator's folder: "terrafusion-sync@PAIR:KIND.timer" */
        char *text;             /* NULL: a link in terrafusion.target.wants to the unit of that name */
} UnitFile;

typedef struct UnitFiles {
        UnitFile *files;
        size_t n_files, capacity;
} UnitFiles;
void unit_files_done(UnitFiles *u);
#define _cleanup_unit_files_ _cleanup_(unit_files_done)

/* A timer for each schedule of a pair, with its link, and the drop-in of terrafusion-operation@.service: memory of a worker, folders
 * it may write to. Nothing for broken pairs. -ENOMEM. */
_must_check_ int unit_files_make(const Settings *settings, const PairSet *pairs, UnitFiles *ret);
/* Is it a timer (and no link or drop-in)? */
bool unit_file_is_timer(const UnitFile *f);
