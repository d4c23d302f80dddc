/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "basic/text.h"
#include "connect/table.h"

#define HASHED_BYTES 4096U           /* of a file's begin: tells it from a successor of its size and time */
#define PIECE_BYTES  (1024U * 1024)  /* of a file that is digested */

ssize_t file_read_at(int fd, void *bytes, size_t size, off_t offset) {
        size_t n = 0;

        while (n < size) {
                ssize_t got = pread(fd, (char *) bytes + n, size - n, offset + (off_t) n);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                n += (size_t) got;
        }
        return (ssize_t) n;
}

/* FNV-1a: it tells files apart, it does not guard against anyone. */
int file_identity_read(int fd, FileIdentity *ret) {
        uint8_t bytes[HASHED_BYTES];
        uint64_t hash = 0xcbf29ce484222325ULL;
        struct stat st;
        ssize_t n;

        if (fstat(fd, &st) < 0)
                return -errno;
        n = file_read_at(fd, bytes, sizeof(bytes), 0);
        if (n < 0)
                return (int) n;
        for (ssize_t i = 0; i < n; i++)
                hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
        *ret = (FileIdentity){
                .size = st.st_size,
                .modified_nsec = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec,
                .inode = st.st_ino,
                .hash = hash,
        };
        return 0;
}

bool file_identity_equal(const FileIdentity *a, const FileIdentity *b) {
        return a->size == b->size && a->modified_nsec == b->modified_nsec && a->inode == b->inode && a->hash == b->hash;
}

char *file_path(const System *system, bool is_folder, const char *from) {
        char *path;

        if (!is_folder)
                return strdup(system->path);
        return asprintf(&path, "%s/%s", system->path, from) < 0 ? NULL : path;
}

static int folder_names(const char *path, char ***ret) {
        _cleanup_strings_ char **names = NULL;
        struct dirent *entry;
        DIR *folder;
        int r = 0;

        folder = opendir(path);
        if (!folder)
                return -errno;
        while (r == 0 && (entry = readdir(folder)))
                if (entry->d_name[0] != '.')
                        r = strings_append(&names, entry->d_name);
        (void) closedir(folder);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

/* A lease for reading is only given while nobody has the file open for writing. It needs the owner's uid; others learn it from the
 * file's size and time at the end. A lease that somebody breaks meanwhile sends a signal: one that does nothing. */
static bool file_is_being_written(int fd) {
        if (fcntl(fd, F_SETSIG, SIGURG) < 0)
                return false;
        if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
                return errno == EAGAIN;
        (void) fcntl(fd, F_SETLEASE, F_UNLCK);
        return false;
}

int file_table_open(const System *system, bool is_folder, const char *from, char **ret_path, int *ret_fd, Error *error) {
        _cleanup_free_ char *path = file_path(system, is_folder, from);
        _cleanup_strings_ char **names = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT && is_folder) {
                int r;

                r = folder_names(system->path, &names);
                return r == -ENOMEM ? r : table_missing("file", from, system->name, names, error);
        }
        if (fd < 0)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Let the service read the file", "Cannot open \"%s\": %m",
                                 path);
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return error_set(error, ERROR_FILE_FORMAT, "Name a file in from:", "\"%s\" is no file", path);
        if (file_is_being_written(fd))
                return error_set(error, ERROR_SYSTEM_BUSY,
                                 "It is tried again; let the export write a new file beside it and rename it into place",
                                 "\"%s\" is still being written: another program has it open", path);
        *ret_path = TAKE_PTR(path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int file_check_unchanged(int fd, const FileIdentity *then, const char *path, Error *error) {
        FileIdentity now;

        if (file_identity_read(fd, &now) == 0 && file_identity_equal(&now, then))
                return 0;
        return error_set(error, ERROR_SYSTEM_BUSY, "Write a new file beside it and rename it into place",
                         "\"%s\" changed while it was read", path);
}

int file_check_report(int r, json_t *report, const char *what, Error *failure, Error *error) {
        if (failure->id != ERROR_NONE && error_class(failure->id) != ERROR_CLASS_TRANSIENT)
                return report_add_error(report, what, failure);
        if (error)
                error_move(error, failure);
        return r;
}

int file_digest(int fd, Digest *ret) {
        _cleanup_free_ char *bytes = malloc(sizeof(Digest) + PIECE_BYTES);
        Digest digest = {};
        off_t offset = 0;
        ssize_t n;

        if (!bytes)
                return -ENOMEM;
        do {
                n = file_read_at(fd, bytes + sizeof(Digest), PIECE_BYTES, offset);
                if (n < 0)
                        return (int) n;
                /* Each piece is digested behind the digest of what came before. */
                memcpy(bytes, &digest, sizeof(Digest));
                bytes_digest(bytes, sizeof(Digest) + (size_t) n, &digest);
                offset += n;
        } while (n == (ssize_t) PIECE_BYTES);
        *ret = digest;
        return 0;
}
