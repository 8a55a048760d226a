/* answers.h -- what a route answers (parley_doc.answers), and what the server answers on any route. */
#ifndef SCHEMA_ANSWERS_H
#define SCHEMA_ANSWERS_H
#include "plugins/schema/model.h"

/* "responses" of an operation. */
parley_json *answers_json(model *m, const parley_route_info *route);
/* components.responses and components.headers: what operations refer to. */
parley_json *answers_shared(void);
parley_json *headers_shared(void);
/* The request headers that go with the answers: If-None-Match of a 304, and so on; pushed onto `list`
 * as parameters. */
void answers_params(const parley_route_info *route, parley_json *list);
#endif
