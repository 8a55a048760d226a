/* path.h -- "/api/chat/rooms/:id(uuid)/" as documents write it: "/api/chat/rooms/{id}/", and its
 * parameters. */
#ifndef SCHEMA_PATH_H
#define SCHEMA_PATH_H
#include "plugins/schema/model.h"

enum { PATH_MAX_BYTES = 512 };

/* With braces, cut at PATH_MAX_BYTES. */
void path_write(parley_str path, char ret[PATH_MAX_BYTES]);
/* The next parameter at or behind *at, which is moved behind it.
 *
 * ret_is_uuid  set if there is one
 * returns      its name; absent: no further one */
parley_str path_param(parley_str path, size_t *at, bool *ret_is_uuid);
/* A name for programs: "get_api_chat_rooms_id", cut at PATH_MAX_BYTES. */
void path_name(parley_str method, parley_str path, char ret[PATH_MAX_BYTES]);
#endif
