/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/csv-writer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "basic/log.h"

static CsvStage *stage_free(CsvStage *s) {
        if (!s)
                return NULL;
        if (s->staged_path)
                (void) unlink(s->staged_path); /* after a commit there is none */
        free(s->staged_path);
        free(s->path);
        free(s);
        return NULL;
}

int csv_begin(Connection *connection, Error *error) {
        CsvConnection *c = (CsvConnection *) connection;

        if (!c->may_write)
                return error_set(error, ERROR_SYSTEM_READ_ONLY, "Give it access: write if it is meant to be a target",
                                 "System \"%s\" is opened for reading", c->system->name);
        (void) csv_rollback(connection);
        c->in_transaction = true;
        return 0;
}

int csv_rollback(Connection *connection) {
        CsvConnection *c = (CsvConnection *) connection;

        while (c->stage) {
                CsvStage *next = c->stage->next;

                stage_free(c->stage);
                c->stage = next;
        }
        c->in_transaction = false;
        return 0;
}

static int identity_of(const char *path, bool *ret_exists, FileIdentity *ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        *ret_exists = fd >= 0;
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        return file_identity_read(fd, ret);
}

char *csv_staged_path(const char *path) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        char *staged;

        return asprintf(&staged, "%.*s.%s.terrafusion", (int) (name - path), path, name) < 0 ? NULL : staged;
}

int csv_stage_find(CsvConnection *c, const char *path, CsvStage **ret, Error *error) {
        CsvStage *s;
        int r;

        for (s = c->stage; s; s = s->next)
                if (strcmp(s->path, path) == 0) {
                        *ret = s;
                        return 0;
                }
        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->path = strdup(path);
        if (!s->path) {
                stage_free(s);
                return -ENOMEM;
        }
        r = identity_of(path, &s->has_base, &s->base);
        if (r < 0) {
                stage_free(s);
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Let the service read the file", "Cannot open \"%s\": %s",
                                 path, strerror(-r));
        }
        s->next = c->stage;
        c->stage = s;
        *ret = s;
        return 0;
}

/* Mode and owner go on, as far as the service may. */
static void mode_keep(const CsvStage *s) {
        struct stat st;

        if (!s->has_base || stat(s->path, &st) < 0)
                return;
        if (chown(s->staged_path, st.st_uid, st.st_gid) < 0 && chown(s->staged_path, (uid_t) -1, st.st_gid) < 0)
                log_debug("\"%s\" is the service's own from now on", s->path);
        (void) chmod(s->staged_path, st.st_mode & 07777);
}

static int folder_sync(const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *folder = slash ? strndup(path, (size_t) (slash - path) + 1) : strdup(".");
        _cleanup_close_ int fd = -EBADF;

        if (!folder)
                return -ENOMEM;
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int stage_commit(CsvConnection *c, CsvStage *s, Error *error) {
        FileIdentity now;
        bool exists;
        int r;

        if (!s->staged_path)
                return 0;
        r = identity_of(s->path, &exists, &now);
        if (r < 0 || exists != s->has_base || (exists && !file_identity_equal(&now, &s->base)))
                return error_set(error, ERROR_SYSTEM_BUSY, "Let one program at a time write the file",
                                 "\"%s\" was changed by another program meanwhile", s->path);
        mode_keep(s);
        if (rename(s->staged_path, s->path) < 0)
                return error_set(error, ERROR_SYSTEM_REFUSED, "Let the service write to the file's folder",
                                 "System \"%s\": cannot put \"%s\" in place: %m", c->system->name, s->path);
        r = folder_sync(s->path);
        return r < 0 ? error_set(error, ERROR_IO, NULL, "Cannot write \"%s\" to disk: %s", s->path, strerror(-r)) : 0;
}

int csv_commit(Connection *connection, Error *error) {
        CsvConnection *c = (CsvConnection *) connection;
        int r = 0;

        for (CsvStage *s = c->stage; s && r == 0; s = s->next)
                r = stage_commit(c, s, error);
        (void) csv_rollback(connection);
        return r;
}
