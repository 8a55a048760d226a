/* show.c -- rows as aligned text, or as JSON. */
#include "plugins/common/show.h"
#include "plugins/common/stamp.h"
#include <parley/text.h>

enum { CELL_SIZE = 1200, COLUMNS_MAX = 16, SECOND_END = 19 /* of a time: without its fraction */ };

/* C0, DEL, C1; line and paragraph separators; what changes the direction of what follows. */
static int is_unsafe(uint32_t point)
{
    static const uint32_t ranges[][2] = {
        { 0, 0x1f },        { 0x7f, 0x9f },     { 0x61c, 0x61c },
        { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 }
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (point >= ranges[i][0] && point <= ranges[i][1])
            return 1;
    return 0;
}

const char *show_safe(parley_str text, char *ret, size_t size)
{
    size_t n = 0;

    for (size_t at = 0; at < text.n;) {
        size_t from = at;
        int unsafe = is_unsafe(parley_text_next(text, &at));
        size_t need = unsafe ? 1 : at - from;

        if (n + need >= size)
            break;
        memcpy(ret + n, unsafe ? "?" : text.p + from, need);
        n += need;
    }
    ret[n] = '\0';
    return ret;
}

/* As text for people. */
static const char *cell(const parley_db *db, const show_column *column, const parley_rows *rows,
                        int64_t row, uint32_t at, char ret[CELL_SIZE])
{
    parley_str text = db->get(rows, row, at);
    char stamp[STAMP_SIZE];

    if (!text.p || (column->kind == SHOW_TEXT && text.n == 0))
        return "-";
    if (column->kind == SHOW_BOOL)
        return db->get_int(rows, row, at, 0) ? "yes" : "no";
    if (column->kind == SHOW_TIME) {
        stamp_format(db->get_int(rows, row, at, 0), stamp);
        stamp[SECOND_END] = '\0';
        stamp[SECOND_END - 9] = ' ';
        (void)snprintf(ret, CELL_SIZE, "%s", stamp);
        return ret;
    }
    return show_safe(text, ret, CELL_SIZE);
}

static parley_json *value(const parley_db *db, const show_column *column, const parley_rows *rows,
                          int64_t row, uint32_t at)
{
    parley_str text = db->get(rows, row, at);
    char stamp[STAMP_SIZE];

    if (!text.p || column->kind == SHOW_TEXT)
        return parley->json_s(text);
    int64_t number = db->get_int(rows, row, at, 0);
    if (column->kind == SHOW_NUMBER)
        return parley->json_i(number);
    if (column->kind == SHOW_BOOL)
        return parley->json_b(number != 0);
    stamp_format(number, stamp);
    return parley->json_s(parley_text_view(stamp, strlen(stamp)));
}

parley_json *show_object(const parley_db *db, const show_column *columns, size_t n,
                         const parley_rows *rows, int64_t row)
{
    parley_json *out = parley->json_obj();

    for (size_t i = 0; i < n; i++)
        parley->json_set(out, columns[i].key, value(db, &columns[i], rows, row, (uint32_t)i));
    return out;
}

int show_json(task *t, parley_json *take)
{
    int err = parley->run->print(t->of.run, parley->json_text(t->of.ctx, take));

    parley->json_free(take);
    return err < 0 ? err : parley->run->print(t->of.run, PARLEY_S("\n"));
}

static size_t text_width(const char *text)
{
    return parley_text_count(parley_text_view(text, strlen(text)));
}

/* printf() pads by bytes, people count characters. */
static void print_cell(task *t, const char *text, size_t width, int is_last)
{
    size_t used = text_width(text);

    (void)parley_run_printf(t->of.run, "%s%*s", text,
                            is_last || used >= width ? 0 : (int)(width - used), "");
    (void)parley->run->print(t->of.run, is_last ? PARLEY_S("\n") : PARLEY_S("  "));
}

static void print_table(task *t, const show_column *columns, size_t n, const parley_rows *rows)
{
    int64_t row_n = t->of.db->rows_n(rows);
    size_t widths[COLUMNS_MAX];
    char text[CELL_SIZE];

    for (size_t i = 0; i < n; i++) {
        widths[i] = text_width(columns[i].title);
        for (int64_t row = 0; row < row_n; row++) {
            size_t wide = text_width(cell(t->of.db, &columns[i], rows, row, (uint32_t)i, text));
            widths[i] = wide > widths[i] ? wide : widths[i];
        }
    }
    for (size_t i = 0; i < n; i++)
        print_cell(t, columns[i].title, widths[i], i + 1 == n);
    for (int64_t row = 0; row < row_n; row++)
        for (size_t i = 0; i < n; i++)
            print_cell(t, cell(t->of.db, &columns[i], rows, row, (uint32_t)i, text), widths[i],
                       i + 1 == n);
}

void show_rows(task *t, const show_column *columns, size_t n, const parley_rows *rows,
               const char *none)
{
    int64_t row_n = t->of.db->rows_n(rows);

    if (n > COLUMNS_MAX)
        return;
    if (parley->run->num(t->of.run, "json"))
        for (int64_t row = 0; row < row_n; row++)
            (void)show_json(t, show_object(t->of.db, columns, n, rows, row));
    else if (row_n > 0)
        print_table(t, columns, n, rows);
    else
        task_say(t, "%s", none);
}

void show_row(task *t, const show_column *columns, size_t n, const parley_rows *rows)
{
    char text[CELL_SIZE];
    size_t width = 0;

    if (parley->run->num(t->of.run, "json")) {
        (void)show_json(t, show_object(t->of.db, columns, n, rows, 0));
        return;
    }
    for (size_t i = 0; i < n; i++)
        width = text_width(columns[i].title) > width ? text_width(columns[i].title) : width;
    for (size_t i = 0; i < n; i++) {
        print_cell(t, columns[i].title, width, 0);
        print_cell(t, cell(t->of.db, &columns[i], rows, 0, (uint32_t)i, text), 0, 1);
    }
}
