/* head_rules.h -- what a request head says, and which heads are refused: request line, Host,
 * framing, Connection. */
#ifndef CORE_NET_HEAD_RULES_H
#define CORE_NET_HEAD_RULES_H
#include "core/net/head_scan.h"
#include "core/net/net.h"

typedef struct head_facts {
    int minor;       /* HTTP/1.minor */
    uint64_t length; /* Content-Length; 0: none */
    bool chunked;
    bool expects_100; /* Expect: 100-continue */
} head_facts;

/* Both want a head that head_scan let through.  `req` gets views into it. */
/* method, target, path, query; facts.minor. */
const refusal *head_rules_line(str head, request *req, head_facts *ret);
/* The header lines (llhttp), then their rules: keep_alive, is_upgrade, and the other facts. */
const refusal *head_rules_fields(str head, unsigned header_n, request *req, head_facts *ret);
#endif
