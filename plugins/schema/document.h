/* document.h -- the two documents, and what they share. */
#ifndef SCHEMA_DOCUMENT_H
#define SCHEMA_DOCUMENT_H
#include "plugins/schema/model.h"

parley_json *openapi_json(model *m);
parley_json *asyncapi_json(model *m);

parley_json *info_json(const char *title, const char *about);
/* components.schemas: those that `user` (a part of the document) refers to, and what they refer to. */
parley_json *schemas_json(model *m, const parley_json *user);
#endif
