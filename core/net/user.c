/* user.c -- principals of this worker's sockets: each name is kept once, with the sockets that
 * carry it. */
#include "core/base/map.h"
#include "core/net/internal.h"

#include <stdlib.h>

/* One principal.
 *
 * Owner:  net.users, while it has sockets (or is being walked through). */
struct user {
    UT_hash_handle hh;
    net *net;
    uint32_t *conns; /* slab indices; a socket's place is conn.user_at */
    uint32_t n, space;
    uint32_t walks; /* user_each() under way */
    char *label;    /* for logs; the last one set */
    size_t name_n;
    char name[];
};

static struct user *user_find(const net *n, str name)
{
    struct user *u = NULL;

    HASH_FIND(hh, n->users, name.p, name.n, u);
    return u;
}

static void user_free_if_empty(struct user *u)
{
    if (u->n > 0 || u->walks > 0)
        return;
    HASH_DELETE(hh, u->net->users, u);
    free(u->conns);
    free(u->label);
    free(u);
}

static struct user *user_get(net *n, str name)
{
    struct user *u = user_find(n, name);
    if (u)
        return u;
    u = calloc(1, sizeof(*u) + name.n);
    if (!u)
        return NULL;
    u->net = n;
    u->name_n = name.n;
    if (name.n > 0)
        memcpy(u->name, name.p, name.n);
    HASH_ADD_KEYPTR(hh, n->users, u->name, u->name_n, u);
    /* Without memory uthash leaves it out of the table. */
    if (!u->hh.tbl) {
        free(u);
        return NULL;
    }
    return u;
}

static int user_label_set(struct user *u, str label)
{
    if (u->label && str_eq(str_of(u->label), label))
        return 0;
    char *copy = str_dup(label);
    if (!copy)
        return -ENOMEM;
    free(u->label);
    u->label = copy;
    return 0;
}

static int user_space(struct user *u)
{
    if (u->n < u->space)
        return 0;
    uint32_t space = u->space + u->space / 2 + 2;
    uint32_t *conns = realloc(u->conns, space * sizeof(*conns));
    if (!conns)
        return -ENOMEM;
    u->conns = conns;
    u->space = space;
    return 0;
}

int conn_user_set(conn *c, str user, str label)
{
    net *n = conn_of_net(c);

    if (!user.p || c->state == CONN_CLOSED) {
        user_drop(c);
        return 0;
    }
    struct user *u = user_get(n, user);
    if (!u)
        return -ENOMEM;
    if (user_label_set(u, label) < 0 || (c->user != u && user_space(u) < 0)) {
        user_free_if_empty(u);
        return -ENOMEM;
    }
    if (c->user == u)
        return 0;
    user_drop(c);
    c->user = u;
    c->user_at = u->n;
    u->conns[u->n++] = slab_index(n->conns, c);
    return 0;
}

void user_drop(conn *c)
{
    struct user *u = c->user;

    if (!u)
        return;
    c->user = NULL;
    u->n--;
    if (c->user_at < u->n) {
        u->conns[c->user_at] = u->conns[u->n];
        net_conn(u->net, u->conns[c->user_at])->user_at = c->user_at;
    }
    user_free_if_empty(u);
}

str conn_user(const conn *c)
{
    return c->user ? (str){ c->user->name, c->user->name_n } : STR_NONE;
}

str conn_user_label(const conn *c)
{
    return c->user ? str_of(c->user->label) : STR_NONE;
}

size_t user_count(net *n, str user)
{
    const struct user *u = user_find(n, user);

    return u ? u->n : 0;
}

void user_each(net *n, str user, void (*fn)(conn *c, void *ud), void *ud)
{
    struct user *u = user_find(n, user);
    if (!u)
        return;
    /* From the end: who goes is replaced by one who has had its turn. */
    u->walks++;
    for (uint32_t i = u->n; i-- > 0;)
        if (i < u->n)
            fn(net_conn(n, u->conns[i]), ud);
    u->walks--;
    user_free_if_empty(u);
}
