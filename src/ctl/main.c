/* SPDX-License-Identifier: Apache-2.0 */
/* terrafusionctl: the command line, over D-Bus. Exit status: 0 done, 1 failed, 2 usage, 3 finished with quarantined records, 4 a guard tripped. */
#include "build-config.h"

#include "basic/text.h"
#include "ctl/verbs.h"

#include <errno.h>
#include <getopt.h>

#define EXIT_USAGE 2

enum { OPTION_JSON = 256, OPTION_FULL, OPTION_INCREMENTAL, OPTION_CONTINUOUS, OPTION_WAIT, OPTION_ENTITY, OPTION_ALLOW, OPTION_PAIR, OPTION_STATUS, OPTION_LIMIT, OPTION_LOG, OPTION_CHANGES,
       OPTION_FINDINGS, OPTION_NOW, OPTION_GRANTS, OPTION_VERSION };

static const struct option options_known[] = {
        { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, OPTION_VERSION }, { "json", no_argument, NULL, OPTION_JSON },
        { "full", no_argument, NULL, OPTION_FULL }, { "incremental", no_argument, NULL, OPTION_INCREMENTAL },
        { "continuous", no_argument, NULL, OPTION_CONTINUOUS },
        { "wait", no_argument, NULL, OPTION_WAIT }, { "entity", required_argument, NULL, OPTION_ENTITY },
        { "allow", required_argument, NULL, OPTION_ALLOW }, { "pair", required_argument, NULL, OPTION_PAIR },
        { "status", required_argument, NULL, OPTION_STATUS }, { "limit", required_argument, NULL, OPTION_LIMIT },
        { "log", no_argument, NULL, OPTION_LOG }, { "changes", no_argument, NULL, OPTION_CHANGES },
        { "findings", no_argument, NULL, OPTION_FINDINGS }, { "now", no_argument, NULL, OPTION_NOW }, { "grants", no_argument, NULL, OPTION_GRANTS }, { 0 },
};

static void options_done(Options *o) {
        (void) strings_free(o->entities);
        (void) strings_free(o->allow);
}

static void help(FILE *f) {
        (void) fputs("terrafusionctl VERB [ARGUMENT…] [OPTION…]\n\n", f);
        for (const Verb *v = verbs; v->name; v++)
                (void) fprintf(f, "  %-11s %-22s %s\n", v->name, v->arguments, commands[v->command].summary);
        (void) fputs("\nOptions\n"
                     "  --json             the JSON of the HTTP API instead of tables\n"
                     "  --incremental      run: only what changed (the default)\n"
                     "  --continuous       run: follow the log of the source until it is cancelled\n"
                     "  --full             run: compare every record\n"
                     "  --entity NAME      run: only this entity (again for more); quarantine: only its records\n"
                     "  --allow GUARD      run: go on although this guard trips; it is journalled\n"
                     "  --grants           check: the SQL that a DBA must run for what the mappings do\n"
                     "  --now              run: also outside the hours of its systems (--allow hours)\n"
                     "  --wait             run: show progress and wait for the end\n"
                     "  --pair NAME        operations, quarantine: only of this pair\n"
                     "  --status STATUS    operations: only with this status\n"
                     "  --limit N          operations, quarantine, show: at most so many\n"
                     "  --log              show: the journal's lines of the operation\n"
                     "  --changes          show: what it changed, field by field\n"
                     "  --findings         show: what the rules had to say\n"
                     "  --help, --version\n\n"
                     "Exit status: 0 done, 1 failed, 2 usage, 3 finished with records in quarantine, 4 a guard tripped, or columns changed.\n", f);
}

static int usage(const char *what, const char *near) {
        (void) fprintf(stderr, "terrafusionctl: %s.%s%s%s See terrafusionctl --help.\n", what, near ? " Did you mean '" : "",
                       near ? near : "", near ? "'?" : "");
        return EXIT_USAGE;
}

static const Verb *verb_find(const char *name) {
        for (const Verb *v = verbs; v->name; v++)
                if (text_equal(v->name, name))
                        return v;
        return NULL;
}

static const char *verb_nearest(const char *name) {
        const char *names[16];
        size_t n = 0;

        for (const Verb *v = verbs; v->name && n < ELEMENTSOF(names); v++)
                names[n++] = v->name;
        return text_nearest(name, names, n);
}

static const char *option_nearest(const char *given) {
        const char *names[ELEMENTSOF(options_known)];
        size_t n = 0;

        for (const struct option *known = options_known; known->name && n < ELEMENTSOF(names); known++)
                names[n++] = known->name;
        return text_nearest(given + strspn(given, "-"), names, n);
}

/* 1: go on; 0: done; negative: a mistake that was told. */
static int options_parse(int argc, char *argv[], Options *o) {
        int c;

        opterr = 0;
        while ((c = getopt_long(argc, argv, "h", options_known, NULL)) >= 0)
                switch (c) {
                case 'h': help(stdout); return 0;
                case OPTION_VERSION: (void) printf("terrafusionctl %s\n", PROJECT_VERSION); return 0;
                case OPTION_JSON: o->json = true; break;
                case OPTION_FULL: o->full = true; break;
                case OPTION_INCREMENTAL: o->incremental = true; break;
                case OPTION_CONTINUOUS: o->continuous = true; break;
                case OPTION_WAIT: o->wait = true; break;
                case OPTION_LOG: o->log = true; break;
                case OPTION_CHANGES: o->changes = true; break;
                case OPTION_GRANTS: o->grants = true; break;
                case OPTION_NOW:
                        if (strings_append(&o->allow, "hours") < 0)
                                return -ENOMEM;
                        break;
                case OPTION_FINDINGS: o->findings = true; break;
                case OPTION_PAIR: o->pair = optarg; break;
                case OPTION_STATUS: o->status = optarg; break;
                case OPTION_ENTITY:
                        o->entity = optarg;
                        if (strings_append(&o->entities, optarg) < 0)
                                return -ENOMEM;
                        break;
                case OPTION_ALLOW:
                        if (strings_append(&o->allow, optarg) < 0)
                                return -ENOMEM;
                        break;
                case OPTION_LIMIT:
                        if (text_to_int64(optarg, 1, 1000, &o->limit) >= 0)
                                break;
                        (void) usage("--limit takes a number from 1 to 1000", NULL);
                        return -EINVAL;
                default: {
                        const char *near = option_nearest(argv[optind - 1]);
                        _cleanup_free_ char *what = NULL;

                        if (asprintf(&what, "Unknown option, or its value is missing: '%s'.%s%s%s", argv[optind - 1],
                                     near ? " Did you mean --" : "", near ? near : "", near ? "?" : "") >= 0)
                                (void) fprintf(stderr, "terrafusionctl: %s See terrafusionctl --help.\n", what);
                        return -EINVAL;
                }
                }
        return 1;
}

static int verb_run(const Verb *verb, const Options *o, char *const *arguments, unsigned n_arguments) {
        _cleanup_error_ Error error = { 0 };
        Client client = { 0 };
        int r;

        r = client_open(&client, &error);
        if (r >= 0)
                r = verb->run(&client, o, arguments, n_arguments, &error);
        client_done(&client);
        if (r >= 0)
                return r;
        if (error.id != ERROR_NONE) {
                _cleanup_free_ char *text = error_to_text(&error);

                (void) fprintf(stderr, "terrafusionctl: %s\n", text ? text : error.detail);
                return error_class(error.id) == ERROR_CLASS_REQUEST ? error_exit_status(error.id) : EXIT_FAILURE;
        }
        (void) fprintf(stderr, "terrafusionctl: %s\n", strerror(-r));
        return EXIT_FAILURE;
}

int main(int argc, char *argv[]) {
        _cleanup_(options_done) Options o = { 0 };
        _cleanup_free_ char *what = NULL;
        unsigned n_arguments;
        const Verb *verb;
        int r;

        r = options_parse(argc, argv, &o);
        if (r <= 0)
                return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
        if (optind >= argc) {
                help(stderr);
                return EXIT_USAGE;
        }
        verb = verb_find(argv[optind]);
        if (!verb)
                return asprintf(&what, "There is no verb '%s'", argv[optind]) < 0 ? EXIT_USAGE : usage(what, verb_nearest(argv[optind]));
        n_arguments = (unsigned) (argc - optind - 1);
        if (n_arguments < verb->n_min || n_arguments > verb->n_max)
                return asprintf(&what, "Usage: terrafusionctl %s%s%s [OPTION…]", verb->name, *verb->arguments ? " " : "",
                                verb->arguments) < 0 ? EXIT_USAGE : usage(what, NULL);
        if (o.log + o.changes + o.findings > 1)
                return usage("--log, --changes and --findings exclude each other", NULL);
        if (o.full + o.incremental + o.continuous > 1)
                return usage("--full, --incremental and --continuous exclude each other", NULL);
        return verb_run(verb, &o, argv + optind + 1, n_arguments);
}
