/* env_file.h -- `--env-file FILE`: NAME=VALUE lines, as other servers' .env files have them.
 *
 *     # a comment, and empty lines
 *     EMAIL_HOST=mail.example.org      # to the end of the line; spaces around it do not count
 *     export EMAIL_PORT = 587
 *     EMAIL_HOST_PASSWORD='as it stands $HOME \n'
 *     EMAIL_FROM="Chat \"team\"\t<chat@example.org>"
 *
 * Nothing is evaluated: a $ is a $.  Between double quotes \n \r \t \" \\ \$ are one character each.
 * A value ends on its line.  The environment wins over the file. */
#ifndef CORE_HOST_ENV_FILE_H
#define CORE_HOST_ENV_FILE_H
#include "core/base/buf.h"
#include "core/base/failure.h"

typedef void (*env_file_fn)(void *ud, const char *name, const char *value);

/* Calls fn for each line, in order.  path: for errors, which never show a value.  -1: f filled. */
int env_file_parse(const char *path, str text, env_file_fn fn, void *ud, failure *f);
/* Adds the file's variables to the environment of this process, and of those that it starts.  One
 * thread yet.  -1: f filled. */
int env_file_load(const char *path, failure *f);
#endif
