/* cli.c -- the table of commands, their options and their help. */
#include "core/cli/cli.h"

#include "core/base/failure.h"
#include "core/base/log.h"
#include "core/host/env_file.h"
#include "core/host/suggest.h"
#include "core/supervisor/supervisor.h"
#include "core/worker.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_HERE      "config/parley.yaml"
#define CONFIG_INSTALLED PARLEY_CONFIG_FILE

enum cli_option {
    OPTION_CONFIG = 1,
    OPTION_CHAIN = 2,
    OPTION_SLOT = 4,
    OPTION_MIGRATE = 8,
    OPTION_PLAN = 16,
    OPTION_BACK = 32,
    OPTION_YES = 64,
    OPTION_USER = 128,
    OPTION_JSON = 256
};

static int cli_serve(const cli_args *args)
{
    return supervisor_run(args->config, args->user);
}

static int cli_worker(const cli_args *args)
{
    return worker_run(args->config, args->slot, args->migrate ? WORKER_MIGRATE : WORKER_SERVE);
}

static int cli_version(const cli_args *args)
{
    (void)args;
    printf("parley %s, plugin ABI %d.%d\n", PARLEY_VERSION, PARLEY_ABI_MAJOR, PARLEY_ABI_MINOR);
    return EXIT_STOPPED;
}

typedef struct cli_command {
    const char *name;
    int (*run)(const cli_args *args);
    int options;         /* enum cli_option, a set */
    const char *operand; /* NULL: takes none */
    const char *about;
    const char *details;
} cli_command;

/* clang-format off */
static const cli_command commands[] = {
    { "serve",    cli_serve,    OPTION_CONFIG | OPTION_USER,                 NULL,     "run the server",
      "Opens the listening sockets, migrates the database, starts the workers and restarts one that dies.\n"
      "SIGTERM or SIGINT drains and stops (a second one at once), SIGHUP checks the configuration\n"
      "and replaces the workers one by one, so that nobody is refused; addresses, the number of workers, account\n"
      "and data folder need a restart, and it says so. SIGUSR1 reopens the logs.\n" },
    { "check",    cli_check,    OPTION_CONFIG | OPTION_CHAIN,                NULL,     "check the configuration and its plugins",
      "Reads the file, loads every plugin in this throw-away process, checks options and needs. Starts nothing.\n" },
    { "routes",   cli_routes,   OPTION_CONFIG | OPTION_JSON,                 NULL,     "list every route, WebSocket endpoint and event",
      "Loads the plugins in this throw-away process. A line has the method (WS: an endpoint, EVENT: a type of frames\n"
      "on one), the plugin, the path, and the flags: user (a log-in is needed), nolog, page (may answer HTML), any-host,\n"
      "any-type, ops (only at the operations listener), both (there, too).\n" },
    { "health",   cli_health,   OPTION_CONFIG,                               NULL,     "ask the running server whether it can work",
      "Asks /readyz at the address that the configuration names, and prints the answer.\n"
      "Exit status 0: it can work; 1: it cannot, or does not answer within 5 seconds.\n" },
    { "describe", cli_describe, OPTION_CONFIG,             "PLUGIN", "print a plugin's options and needs",
      "PLUGIN is a name of the configuration, the path of a .so file, `server` for the server's\n"
      "own options, or `all` for the page docs/CONFIG.md.\n" },
    { "migrate",  cli_migrate,  OPTION_CONFIG | OPTION_PLAN | OPTION_BACK | OPTION_YES, NULL, "bring the database's tables up to date",
      "Applies the migrations that are missing, as each start of the server does. Not while a server runs, which\n"
      "migrates by itself when it starts and at SIGHUP; --plan may be asked for at any time.\n" },
    { "copy",     NULL /* a verb of plugins/copy */, 0,                      NULL,     "copy all data from SQLite to PostgreSQL, or back", "" },
    { "completion", cli_completion, OPTION_CONFIG,         "SHELL", "print the completion of commands and options for a shell",
      "SHELL is bash, zsh or fish. `make install` puts all three where the shells look; by hand, for bash:\n"
      "eval \"$(parley completion bash)\". It knows the commands of the configured plugins.\n" },
    { "import",   NULL /* of plugins/import */, 0,                           NULL,     "take over users, rooms and messages of the original app", "" },
    { "verify",   NULL /* of plugins/verify */, 0,                           NULL,     "check that a server keeps what it promises", "" },
    { "version",  cli_version,  0,                                           NULL,     "print the versions of the server and of its plugin ABI", "" },
    { "worker",   cli_worker,   OPTION_CONFIG | OPTION_SLOT | OPTION_MIGRATE, NULL,    NULL /* the supervisor's own; not in the list */, "" },
};
static const struct { int flag; const char *text; } option_help[] = {
    { OPTION_CONFIG,   "  -c, --config FILE   the configuration (default " CONFIG_HERE ", else " CONFIG_INSTALLED ")\n" },
    { OPTION_CONFIG,   "      --env-file FILE variables for the configuration: lines of NAME=VALUE; those of the environment win\n" },
    { OPTION_USER,     "  -u, --user NAME     account to run as when started by root (default server.user); root stays root\n" },
    { OPTION_PLAN,     "      --plan          only tell, per plugin, which files are applied and which are missing, with checksums\n" },
    { OPTION_BACK,     "      --back PLUGIN[:VERSION]\n"
                       "                      undo the newest migration of PLUGIN, or all above VERSION (0: all); what is in\n"
                       "                      those tables is lost\n" },
    { OPTION_YES,      "      --yes           do not ask before undoing\n" },
    { OPTION_JSON,     "      --json          one JSON object per line, for programs\n" },
    { OPTION_CHAIN,    "      --chain         also print what runs, in which order, for every route and event\n" },
};
static const struct option long_options[] = {
    { "config",   required_argument, NULL, 'c' },
    { "user",     required_argument, NULL, 'u' },
    { "chain",    no_argument,       NULL, 'C' },
    { "slot",     required_argument, NULL, 's' },
    { "plan",     no_argument,       NULL, 'P' },
    { "back",     required_argument, NULL, 'B' },
    { "yes",      no_argument,       NULL, 'Y' },
    { "json",     no_argument,       NULL, 'J' },
    { "migrate",  no_argument,       NULL, 'm' },
    { "help",     no_argument,       NULL, 'h' },
    { NULL, 0, NULL, 0 },
};
/* clang-format on */

static void cli_usage(FILE *to)
{
    fprintf(to, "Parley, a self-hosted real-time chat server.\n\nUsage: parley COMMAND "
                "[options]\n\nCommands:\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        if (commands[i].about)
            fprintf(to, "  %-11s %s\n", commands[i].name, commands[i].about);
    fprintf(to,
            "\n`parley COMMAND --help` tells more. Exit status: 0 stopped or good, 1 the system "
            "refuses (port in\n"
            "use, folder not writable), 2 wrong command line, 78 wrong configuration or plugin, "
            "130 interrupted.\n");
}

static void cli_command_usage(const cli_command *command)
{
    printf("Usage: parley %s%s%s%s\n\n%s%sOptions:\n", command->name,
           command->options ? " [options]" : "", command->operand ? " " : "",
           command->operand ? command->operand : "", command->details,
           command->details[0] ? "\n" : "");
    for (size_t i = 0; i < COUNT(option_help); i++)
        if (command->options & option_help[i].flag)
            fputs(option_help[i].text, stdout);
    fputs("  -h, --help          this text\n", stdout);
}

static const cli_command *cli_find(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static const struct {
    int letter, flag;
} option_letters[] = {
    { 'c', OPTION_CONFIG }, { 'u', OPTION_USER },    { 'C', OPTION_CHAIN },
    { 's', OPTION_SLOT },   { 'm', OPTION_MIGRATE }, { 'P', OPTION_PLAN },
    { 'B', OPTION_BACK },   { 'Y', OPTION_YES },     { 'J', OPTION_JSON },
};

/* -1: not an option of this command. */
static int cli_option_flag(const cli_command *command, int letter)
{
    for (size_t i = 0; i < COUNT(option_letters); i++)
        if (option_letters[i].letter == letter && (command->options & option_letters[i].flag))
            return option_letters[i].flag;
    return -1;
}

/* 1: one option read; 0: help was asked for; -1: not an option of this command. */
static int cli_read_option(const cli_command *command, int letter, cli_args *args)
{
    int64_t slot = 0;

    if (letter == 'h')
        return 0;
    int flag = cli_option_flag(command, letter);
    if (flag < 0)
        return -1;
    if (flag == OPTION_CONFIG)
        args->config = optarg;
    if (flag == OPTION_USER)
        args->user = optarg;
    if (flag == OPTION_BACK)
        args->back = optarg;
    args->chain |= flag == OPTION_CHAIN;
    args->migrate |= flag == OPTION_MIGRATE;
    args->plan |= flag == OPTION_PLAN;
    args->yes |= flag == OPTION_YES;
    args->json |= flag == OPTION_JSON;
    if (flag != OPTION_SLOT)
        return 1;
    if (!str_int(str_of(optarg), &slot) || slot < 0 || slot > 255)
        return -1;
    args->slot = (int)slot;
    return 1;
}

bool cli_command_nth(size_t i, cli_shown *ret)
{
    if (i >= COUNT(commands))
        return false;
    ret->name = commands[i].name;
    ret->about = commands[i].run ? commands[i].about : NULL;
    ret->option_n = 0;
    for (const struct option *o = long_options; o->name && ret->about; o++) {
        if (cli_option_flag(&commands[i], o->val) < 0 || ret->option_n == COUNT(ret->options))
            continue;
        ret->options[ret->option_n++] =
            (cli_shown_option){ o->name, o->has_arg == required_argument };
    }
    return true;
}

static int cli_misused(const cli_command *command)
{
    fprintf(stderr, "Try `parley %s --help`.\n", command->name);
    return EXIT_USAGE;
}

static const char *cli_default_config(void)
{
    return access(CONFIG_HERE, F_OK) == 0 ? CONFIG_HERE : CONFIG_INSTALLED;
}

str cli_suggest(str wrong)
{
    suggest near = suggest_for(wrong);

    for (size_t i = 0; i < COUNT(commands); i++)
        if (commands[i].about)
            suggest_offer(&near, str_of(commands[i].name));
    return suggest_best(&near);
}

static int cli_run_command(const cli_command *command, int argc, char **argv)
{
    cli_args args = { .config = cli_default_config() };
    int letter;

    while ((letter = getopt_long(argc, argv, "c:u:h", long_options, NULL)) != -1) {
        int known = letter == '?' ? -1 : cli_read_option(command, letter, &args);
        if (known == 0) {
            cli_command_usage(command);
            return EXIT_STOPPED;
        }
        if (known < 0) {
            if (letter != '?')
                log_error("parley %s takes no such option or value", command->name);
            return cli_misused(command);
        }
    }
    int operands = argc - optind;
    if (operands != (command->operand ? 1 : 0)) {
        log_error("parley %s takes %s%s", command->name, command->operand ? "one " : "no operand",
                  command->operand ? command->operand : "");
        return cli_misused(command);
    }
    args.plugin = command->operand ? argv[optind] : NULL;
    return command->run(&args);
}

/* --env-file FILE or --env-file=FILE, which every command takes, is read and taken out of the words;
 * until "--".  -1: f filled. */
static int cli_env_file(int *argc, char **argv, failure *f)
{
    static const char name[] = "--env-file", with_value[] = "--env-file=";
    int to = 1, at = 1, err = 0;

    for (; at < *argc && err == 0 && strcmp(argv[at], "--") != 0; at++) {
        const char *file = NULL;
        if (strncmp(argv[at], with_value, sizeof(with_value) - 1) == 0)
            file = argv[at] + sizeof(with_value) - 1;
        else if (strcmp(argv[at], name) == 0)
            file = at + 1 < *argc ? argv[++at] : "";
        else
            argv[to++] = argv[at];
        if (file)
            err = file[0] ? env_file_load(file, f)
                          : failure_set(f, EXIT_USAGE, "--env-file needs the name of a file");
    }
    while (at < *argc)
        argv[to++] = argv[at++];
    argv[to] = NULL;
    *argc = to;
    return err;
}

int cli_run(int argc, char **argv)
{
    failure f = { 0 };

    if (cli_env_file(&argc, argv, &f) < 0) {
        log_error("%s", f.text);
        return f.status;
    }
    if (argc < 2) {
        cli_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        cli_usage(stdout);
        cli_verb_list(cli_default_config(), argc - 2, argv + 2);
        return EXIT_STOPPED;
    }
    if (strcmp(argv[1], "--version") == 0)
        return cli_version(NULL);
    const cli_command *command = cli_find(argv[1]);
    if (!command || !command->run)
        return cli_verb(cli_default_config(), argc - 1, argv + 1);
    return cli_run_command(command, argc - 1, argv + 1);
}
