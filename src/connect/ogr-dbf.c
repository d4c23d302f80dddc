/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/ogr-dbf.h"

#include <endian.h>
#include <fcntl.h>

#include "basic/text.h"

#define HEADER_SIZE 32U
#define COLUMN_SIZE 32U
#define NAME_SIZE   11U
#define COLUMNS_MAX 255U
#define WIDTH_MAX   255U

typedef struct DbfColumn {
        char name[NAME_SIZE + 1];
        char type;
        size_t offset, width; /* in the record, behind its mark */
} DbfColumn;

struct DbfFile {
        int fd;
        uint64_t n_records;
        size_t first, record_size;
        DbfColumn columns[COLUMNS_MAX];
        size_t n_columns;
        char text[WIDTH_MAX + 1];
};

DbfFile *dbf_close(DbfFile *f) {
        if (!f)
                return NULL;
        closep(&f->fd);
        free(f);
        return NULL;
}

static int read_all(int fd, void *bytes, size_t size, uint64_t offset) {
        ssize_t n = pread(fd, bytes, size, (off_t) offset);

        return n < 0 ? -errno : (size_t) n == size ? 0 : -EBADMSG;
}

static int columns_read(DbfFile *f) {
        uint8_t column[COLUMN_SIZE];
        size_t offset = 1;
        int r;

        for (size_t at = HEADER_SIZE; at + COLUMN_SIZE < f->first + 1 && f->n_columns < COLUMNS_MAX; at += COLUMN_SIZE) {
                DbfColumn *c = f->columns + f->n_columns;

                r = read_all(f->fd, column, 1, at);
                if (r == 0 && column[0] == '\r')
                        break;
                if (r == 0)
                        r = read_all(f->fd, column, sizeof(column), at);
                if (r < 0)
                        return r;
                memcpy(c->name, column, NAME_SIZE);
                c->type = (char) column[11];
                c->width = column[16];
                c->offset = offset;
                offset += c->width;
                f->n_columns++;
        }
        return offset <= f->record_size ? 0 : -EBADMSG;
}

int dbf_open(const char *path, DbfFile **ret) {
        _cleanup_(dbf_closep) DbfFile *f = calloc(1, sizeof(*f));
        uint8_t header[HEADER_SIZE];
        uint32_t n_records;
        uint16_t sizes[2];
        int r;

        if (!f)
                return -ENOMEM;
        f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (f->fd < 0)
                return -errno;
        r = read_all(f->fd, header, sizeof(header), 0);
        if (r < 0)
                return r;
        memcpy(&n_records, header + 4, sizeof(n_records));
        memcpy(sizes, header + 8, sizeof(sizes));
        f->n_records = le32toh(n_records);
        f->first = le16toh(sizes[0]);
        f->record_size = le16toh(sizes[1]);
        if (f->first < HEADER_SIZE + 1 || f->record_size < 1)
                return -EBADMSG;
        r = columns_read(f);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

int dbf_number_column(const DbfFile *f, const char *name) {
        for (size_t i = 0; i < f->n_columns; i++)
                if (text_equal_ignoring_case(f->columns[i].name, name) &&
                    (f->columns[i].type == 'N' || f->columns[i].type == 'F'))
                        return (int) i;
        return -1;
}

int dbf_number_read(DbfFile *f, uint64_t number, int column, Value *ret) {
        const DbfColumn *c = f->columns + column;
        const char *text = f->text;
        size_t size = c->width;
        Decimal decimal;
        int r;

        if (number >= f->n_records)
                return -EBADMSG;
        r = read_all(f->fd, f->text, size, f->first + number * f->record_size + c->offset);
        if (r < 0)
                return r;
        for (; size > 0 && (*text == ' ' || *text == '\0'); text++)
                size--;
        while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\0'))
                size--;
        if (size == 0 || *text == '*') /* stars: it did not fit, by who wrote the file */
                *ret = value_null();
        else if (decimal_parse(text, size, &decimal) == 0)
                *ret = (Value){.type = VALUE_DECIMAL, .decimal = decimal};
        else
                *ret = value_text(text, size);
        return 0;
}
