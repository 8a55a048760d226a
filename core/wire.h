/* wire.h -- what `parley VERB` and a worker say to each other over <data_dir>/parley.sock.
 *
 * A message is a letter, the length of what follows (4 bytes, little endian), and that.
 *
 *   to the worker                                    from the worker
 *   r  run: version NUL, terminal digit NUL,         k  taken: the verb begins
 *      name NUL, its words, each ended by NUL        o e p  as enum run_kind: output
 *   a  answer to a question                          q s  a question; s: its answer is a secret
 *   n  there is no answer                            x  over: exit status (1 byte), text of fail()
 *   c  cancel
 *
 * A connection is one verb.  Whoever closes it first is gone for the other. */
#ifndef CORE_WIRE_H
#define CORE_WIRE_H
#include "core/base/buf.h"

enum { WIRE_HEAD = 5, WIRE_QUEUE_MAX = 8 << 20 /* bytes on the way to a slow caller */ };
#define WIRE_IN_MAX (2u << 20) /* bytes of a message to the worker */

void wire_head(char ret[WIRE_HEAD], char letter, size_t n);
/* The whole message at *at, behind which *at then is: its letter, and *ret, borrowed from `in`.  0: not
 * whole yet; -1: it is longer than `max`.  When there are no more: buf_drop(in, at). */
int wire_next(const buf *in, size_t *at, size_t max, str *ret);
#endif
