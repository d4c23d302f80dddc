/* SPDX-License-Identifier: Apache-2.0 */
#include "bus-pair.h"
#include "api/authority.h"
#include "basic/limits.h"

/* The client end plays the bus and polkit. */
typedef struct Other {
        uint32_t uid;
        int is_authorized, is_challenge;
        bool polkit_is_away;
        char action[64];
        unsigned n_uid, n_checks, flags;
} Other;

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Other *other = userdata;
        const char *kind, *key, *sender, *action;

        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "GetConnectionUnixUser")) {
                other->n_uid++;
                return sd_bus_reply_method_return(m, "u", other->uid);
        }
        if (!sd_bus_message_is_method_call(m, "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization"))
                return 0;
        other->n_checks++;
        if (other->polkit_is_away)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_SERVICE_UNKNOWN, "none");
        assert_true(sd_bus_message_read(m, "(sa{sv})s", &kind, 1, &key, "s", &sender, &action) > 0);
        assert_string_equal(kind, "system-bus-name");
        assert_string_equal(sender, ":1.7");
        (void) snprintf(other->action, sizeof(other->action), "%s", action);
        assert_true(sd_bus_message_skip(m, "a{ss}") > 0 && sd_bus_message_read(m, "u", &other->flags) > 0);
        return sd_bus_reply_method_return(m, "(bba{ss})", other->is_authorized, other->is_challenge, 0);
}

typedef struct Answer { int verdict; uid_t uid; } Answer;

static void on_done(AuthorityVerdict verdict, uid_t uid, void *userdata) {
        *(Answer *) userdata = (Answer) { (int) verdict, uid };
}

typedef struct Fixture { BusPair pair; Authority *authority; Other other; sd_bus_message *question; } Fixture;

static int on_question(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Fixture *f = userdata;

        if (!sd_bus_message_is_method_call(m, "a.b", "Do"))
                return 0;
        f->question = sd_bus_message_ref(m);
        return 1;
}

static void fixture_open(Fixture *f, bool interactive) {
        sd_bus_message *m = NULL;

        bus_pair_open(&f->pair);
        assert_int_equal(authority_new(&f->authority), 0);
        assert_true(sd_bus_set_sender(f->pair.client, ":1.7") >= 0);
        assert_true(sd_bus_add_filter(f->pair.client, NULL, on_call, &f->other) >= 0 && sd_bus_add_filter(f->pair.server, NULL, on_question, f) >= 0);
        bus_pair_start(&f->pair);
        assert_true(sd_bus_message_new_method_call(f->pair.client, &m, NULL, "/a", "a.b", "Do") >= 0);
        assert_true(sd_bus_message_set_allow_interactive_authorization(m, interactive) >= 0);
        assert_true(sd_bus_send(f->pair.client, m, NULL) >= 0);
        (void) sd_bus_message_unref(m);
        for (unsigned i = 0; i < 100 && !f->question; i++)
                bus_pair_pump(&f->pair);
        assert_non_null(f->question);
}

static void fixture_close(Fixture *f) {
        (void) sd_bus_message_unref(f->question);
        (void) authority_free(f->authority);
        bus_pair_close(&f->pair);
}

static Answer ask(Fixture *f, const char *action) {
        Answer answer = { -1, 0 };

        authority_ask(f->authority, f->question, false, action, on_done, &answer);
        for (unsigned i = 0; i < 100 && answer.verdict < 0; i++)
                bus_pair_pump(&f->pair);
        return answer;
}

static void test_verdicts(void **state) {
        Fixture f = { .other = { .uid = 4711 } };

        fixture_open(&f, false);
        assert_int_equal(ask(&f, NULL).verdict, AUTHORITY_YES);
        assert_int_equal(f.other.n_checks, 0);
        assert_int_equal(ask(&f, "x.operate").verdict, AUTHORITY_NO);
        assert_string_equal(f.other.action, "x.operate");
        assert_int_equal(f.other.flags, 0);
        f.other.is_challenge = 1;
        assert_int_equal(ask(&f, "x.operate").verdict, AUTHORITY_CHALLENGE);
        f.other.is_authorized = 1;
        assert_int_equal(ask(&f, "x.operate").verdict, AUTHORITY_YES);
        assert_int_equal(ask(&f, "x.operate").uid, 4711);
        f.other.polkit_is_away = true;
        assert_int_equal(ask(&f, "x.operate").verdict, AUTHORITY_AWAY);
        f.other.uid = 0;
        f.other.n_checks = 0;
        assert_int_equal(ask(&f, "x.operate").verdict, AUTHORITY_TRUSTED);
        assert_int_equal(f.other.n_checks, 0);
        fixture_close(&f);
}

static void test_interactive(void **state) {
        Fixture f = { .other = { .uid = 4711, .is_authorized = 1 } };

        fixture_open(&f, true);
        assert_int_equal(ask(&f, "x.admin").verdict, AUTHORITY_YES);
        assert_int_equal(f.other.flags, 1);
        fixture_close(&f);
}

/* A bus that goes away leaves nobody waiting. */
static void test_forget(void **state) {
        Fixture f = { .other = { .uid = 4711 } };
        Answer answer = { -1, 0 };

        fixture_open(&f, false);
        authority_ask(f.authority, f.question, false, "x.operate", on_done, &answer);
        assert_int_equal(answer.verdict, -1);
        authority_forget(f.authority, f.pair.client);
        assert_int_equal(answer.verdict, -1);
        authority_forget(f.authority, f.pair.server);
        assert_int_equal(answer.verdict, AUTHORITY_AWAY);
        fixture_close(&f);
}

static void on_counted(AuthorityVerdict verdict, uid_t uid, void *userdata) {
        unsigned *counts = userdata;

        counts[verdict]++;
}

/* Whoever asks without end is told so, and no memory grows with him. */
static void test_limit(void **state) {
        Fixture f = { .other = { .uid = 4711, .is_authorized = 1 } };
        unsigned counts[AUTHORITY_BUSY + 1] = {};

        fixture_open(&f, false);
        for (unsigned i = 0; i < BUS_QUESTIONS_MAX + 5; i++)
                authority_ask(f.authority, f.question, false, "x.operate", on_counted, counts);
        assert_int_equal(counts[AUTHORITY_BUSY], 5);
        for (unsigned i = 0; i < 100000 && counts[AUTHORITY_YES] < BUS_QUESTIONS_MAX; i++)
                bus_pair_pump(&f.pair);
        assert_int_equal(counts[AUTHORITY_YES], BUS_QUESTIONS_MAX);
        assert_int_equal(ask(&f, "x.operate").verdict, AUTHORITY_YES);
        fixture_close(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_verdicts), cmocka_unit_test(test_interactive), cmocka_unit_test(test_forget),
                cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
