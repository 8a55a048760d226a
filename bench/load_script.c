/* load_script.c -- reads how a server is spoken to, and fills templates. */
#include "bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* \xHH becomes a byte, in place. */
static struct step step_of(char *text)
{
    struct step step = { .text = text };
    char *to = text;

    for (const char *p = text; *p;) {
        if (p[0] == '\\' && p[1] == 'x' && p[2] && p[3]) {
            const char digits[] = { p[2], p[3], '\0' };
            *to++ = (char)strtol(digits, NULL, 16);
            p += 4;
        } else {
            *to++ = *p++;
        }
    }
    step.n = (size_t)(to - text);
    return step;
}

static void add_room(struct script *s, char *name)
{
    s->rooms = realloc(s->rooms, (s->room_n + 1) * sizeof(*s->rooms));
    if (!s->rooms)
        tool_fail("memory", "none");
    s->rooms[s->room_n++] = name;
}

static void add_step(struct script *s, char *text, bool is_wait)
{
    if (s->step_n == STEPS_MOST)
        tool_fail("too many steps", text);
    s->steps[s->step_n] = step_of(text);
    s->steps[s->step_n++].is_wait = is_wait;
}

static void add_header(struct script *s, const char *line)
{
    size_t n = s->headers.n + strlen(line) + 2;
    char *all = malloc(n + 1);

    if (!all)
        tool_fail("memory", "none");
    (void)snprintf(all, n + 1, "%s%s\r\n", s->headers.n > 0 ? s->headers.text : "", line);
    s->headers = (struct step){ .text = all, .n = n };
}

static void script_line(struct script *s, const char *word, char *text)
{
    if (strcmp(word, "path") == 0)
        s->path = step_of(text);
    else if (strcmp(word, "say") == 0)
        s->say = step_of(text);
    else if (strcmp(word, "room") == 0)
        add_room(s, text);
    else if (strcmp(word, "header") == 0)
        add_header(s, text);
    else if (strcmp(word, "mqtt") == 0)
        s->is_mqtt = true;
    else if (strcmp(word, "send") == 0 || strcmp(word, "wait") == 0)
        add_step(s, text, word[0] == 'w');
    else
        tool_fail("not a word of a script", word);
}

void script_read(const char *path, struct script *ret)
{
    char *rest = tool_file(path);

    *ret = (struct script){ 0 };
    while (*rest) {
        char *line = rest;
        size_t n = strcspn(line, "\n");
        rest += n + (line[n] == '\n');
        line[n] = '\0';
        char *space = strchr(line, ' ');
        if (space)
            *space = '\0';
        if (*line)
            script_line(ret, line, space ? space + 1 : line + n);
    }
    if (ret->room_n == 0)
        tool_fail(path, "names no room");
}

static size_t fill_value(char letter, const char *room, uint32_t client, const char *message,
                         char *to, size_t size)
{
    if (letter == 'r')
        return (size_t)snprintf(to, size, "%s", room);
    if (letter == 'i')
        return (size_t)snprintf(to, size, "%u", client);
    if (letter == 'n')
        return (size_t)snprintf(to, size, "%010u", client);
    if (letter == 's')
        return (size_t)snprintf(to, size, "%s", message);
    *to = letter;
    return 1;
}

size_t script_fill(const struct script *s, const struct step *template, uint32_t room,
                   uint32_t client, const char *message, char *ret, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < template->n && n + 1 < size; i++) {
        if (template->text[i] != '%' || i + 1 == template->n) {
            ret[n++] = template->text[i];
            continue;
        }
        n += fill_value(template->text[++i], s->rooms[room], client, message, ret + n, size - n);
    }
    if (n + 1 >= size)
        tool_fail("a message is too long", "");
    return n;
}
