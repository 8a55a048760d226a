/* body.h -- a request's body as JSON, or as a form. */
#ifndef CORE_HOST_BODY_H
#define CORE_HOST_BODY_H
#include "core/host/call.h"

/* The body as an object in `ret`; else the refusal is made: PARLEY_DENY, or < 0 when nobody can be
 * told any more. */
int call_object(call *c, const parley_json **ret);
bool body_type_is_json(str content_type);
bool body_is_form(const call *c);
#endif
