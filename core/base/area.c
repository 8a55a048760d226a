/* area.c -- the shared area: a memfd, mapped by everybody.
 *
 * The lock is one of fcntl(): it ends with its process, so that a worker that dies inside of it
 * holds up nobody. */
#include "core/base/area.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define AREA_MAGIC 0x61657261u

typedef struct area_entry {
    uint32_t first, cells;
    uint32_t key_n;
    char key[AREA_KEY_MAX];
} area_entry;

/* What the memory begins with. */
typedef struct area_head {
    uint32_t magic, parts;
    _Atomic uint32_t entry_n; /* entries below are whole */
    uint32_t cell_n;          /* given away; under the lock */
    _Atomic uint8_t alive[AREA_PARTS_MAX];
    area_entry entries[AREA_SERIES_MAX];
} area_head;

struct area {
    area_head *head;
    tally *cells;
    size_t size;
    int fd; /* -1: private */
    int part;
};

static size_t head_size(void)
{
    size_t page = 4096;

    return (sizeof(area_head) + page - 1) / page * page;
}

static size_t area_size(int parts)
{
    return head_size() + (size_t)parts * AREA_CELLS_MAX * sizeof(tally);
}

int area_create(int parts)
{
    const area_head head = { .magic = AREA_MAGIC, .parts = (uint32_t)parts };

    if (parts < 1 || parts > AREA_PARTS_MAX)
        return -EINVAL;
    int fd = memfd_create("parley-metrics", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)area_size(parts)) == 0 &&
        pwrite(fd, &head, offsetof(area_head, entries), 0) == offsetof(area_head, entries))
        return fd;
    int err = errno ? -errno : -EIO;
    close(fd);
    return err;
}

static void *area_map(int fd, size_t size)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

    return at == MAP_FAILED ? NULL : at;
}

static int area_open_parts(area *a)
{
    struct stat is;

    if (a->fd < 0)
        a->size = area_size(1);
    else if (fstat(a->fd, &is) != 0)
        return -errno;
    else
        a->size = (size_t)is.st_size;
    if (a->size < area_size(1))
        return -EINVAL;
    a->head = area_map(a->fd, a->size);
    if (!a->head)
        return -ENOMEM;
    if (a->fd < 0)
        *a->head = (area_head){ .magic = AREA_MAGIC, .parts = 1, .alive = { 1 } };
    a->cells = (tally *)(void *)((char *)a->head + head_size());
    bool fits = a->head->magic == AREA_MAGIC && a->size == area_size((int)a->head->parts);
    return fits && a->part >= 0 && a->part < (int)a->head->parts ? 0 : -EINVAL;
}

int area_open(int fd, int part, area **ret)
{
    area *a = calloc(1, sizeof(*a));

    if (!a) {
        if (fd >= 0)
            close(fd);
        return -ENOMEM;
    }
    a->fd = fd;
    a->part = fd < 0 ? 0 : part;
    int err = area_open_parts(a);
    if (err < 0) {
        area_close(a);
        return err;
    }
    *ret = a;
    return 0;
}

void area_close(area *a)
{
    if (!a)
        return;
    if (a->head)
        (void)munmap(a->head, a->size);
    if (a->fd >= 0)
        close(a->fd);
    free(a);
}

/* ---- the directory ---- */

static int area_lock(const area *a, short how)
{
    struct flock lock = { .l_type = how, .l_whence = SEEK_SET };
    int err;

    if (a->fd < 0)
        return 0;
    do
        err = fcntl(a->fd, F_SETLKW, &lock);
    while (err < 0 && errno == EINTR);
    return err < 0 ? -errno : 0;
}

static const area_entry *area_lookup(const area *a, str key)
{
    uint32_t n = atomic_load_explicit(&a->head->entry_n, memory_order_acquire);

    for (uint32_t i = 0; i < n; i++) {
        const area_entry *it = &a->head->entries[i];
        if (str_eq((str){ it->key, it->key_n }, key))
            return it;
    }
    return NULL;
}

static const area_entry *area_add(area *a, str key, uint32_t cells)
{
    area_head *head = a->head;
    uint32_t n = atomic_load_explicit(&head->entry_n, memory_order_relaxed);

    if (n == AREA_SERIES_MAX || cells > AREA_CELLS_MAX - head->cell_n)
        return NULL;
    area_entry *made = &head->entries[n];
    made->first = head->cell_n;
    made->cells = cells;
    made->key_n = (uint32_t)key.n;
    memcpy(made->key, key.p, key.n);
    head->cell_n += cells;
    atomic_store_explicit(&head->entry_n, n + 1, memory_order_release);
    return made;
}

int area_find(area *a, str key, uint32_t cells, uint32_t *ret_first)
{
    if (key.n > AREA_KEY_MAX)
        return -E2BIG;
    int err = area_lock(a, F_WRLCK);
    if (err < 0)
        return err;
    const area_entry *found = area_lookup(a, key);
    if (!found)
        found = area_add(a, key, cells);
    (void)area_lock(a, F_UNLCK);
    if (!found)
        return -ENOSPC;
    if (found->cells != cells)
        return -EEXIST;
    *ret_first = found->first;
    return 0;
}

/* ---- the parts ---- */

tally *area_cells(const area *a, int part, uint32_t first)
{
    return a->cells + (size_t)part * AREA_CELLS_MAX + first;
}

int area_part(const area *a)
{
    return a->part;
}

int area_parts(const area *a)
{
    return (int)a->head->parts;
}

bool area_is_alive(const area *a, int part)
{
    return atomic_load_explicit(&a->head->alive[part], memory_order_relaxed) != 0;
}

void area_set_alive(area *a, int part, bool is_alive)
{
    atomic_store_explicit(&a->head->alive[part], is_alive, memory_order_relaxed);
}
