/*
 * Bundles: what is recorded comes back after the way through a descriptor, nothing else does, and damage is refused.
 */
#define _GNU_SOURCE 1

#include "conf/bundle.h"
#include "conf/wire.h"
#include "tap.h"
#include "tmp.h"

#include <fcntl.h>
#include <sys/mman.h>

static weir_error_t error;

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        abort();
    }
}

static bool
error_has(const char *text)
{
    bool has = strstr(error.text, text) != NULL;

    if (!has) {
        printf("# error: %s\n", error.text);
    }
    error = (weir_error_t) { .text = "" };
    return has;
}

static weir_bundle_t *
record(void)
{
    weir_bundle_t     *bundle = weir_bundle_create();
    weir_bundle_user_t user;
    weir_strs_t        paths;
    weir_addrs_t       addrs;
    weir_str_t         bytes;
    uint64_t           cpus[WEIR_BUNDLE_CPUS / 64];

    write_file(tmp_path("b.conf"), "bb");
    write_file(tmp_path("a.conf"), "aa");
    write_file(tmp_path("secret.key"), "key");
    ok(weir_bundle_conf(bundle, weir_str_from_z(tmp_path("b.conf")), &bytes, &error), "a file is recorded");
    is_str(bytes, "bb", "and given");
    ok(weir_bundle_file(bundle, weir_str_from_z(tmp_path("secret.key")), &bytes, &error), "a key is recorded");
    ok(weir_bundle_glob(bundle, weir_str_from_z(tmp_path("*.conf")), &paths, &error) && paths.n == 2,
       "a mask is recorded");
    is_str(paths.at[0], tmp_path("a.conf"), "in the order of names");
    ok(weir_bundle_glob(bundle, weir_str_from_z(tmp_path("*.none")), &paths, &error) && paths.n == 0,
       "one without a match too");
    ok(weir_bundle_resolve(bundle, WEIR_STR("127.0.0.1"), &addrs, &error) && addrs.n == 1, "an address is recorded");
    ok(weir_bundle_resolve(bundle, WEIR_STR("::1"), &addrs, &error) && addrs.n == 1, "one of IPv6 too");
    ok(weir_bundle_user(bundle, WEIR_STR("root"), WEIR_STR(""), &user, &error), "a user is recorded");
    ok(weir_bundle_cpus(bundle, cpus, &error), "CPUs are recorded");
    weir_bundle_put(bundle, WEIR_STR("key"), WEIR_STR("old"));
    weir_bundle_put(bundle, WEIR_STR("key"), WEIR_STR("value"));
    weir_bundle_put(bundle, WEIR_STR("empty"), WEIR_STR(""));
    return bundle;
}

static void
test_recording(weir_bundle_t *bundle)
{
    weir_str_t   bytes;
    weir_addrs_t addrs;

    write_file(tmp_path("b.conf"), "changed");
    ok(weir_bundle_conf(bundle, weir_str_from_z(tmp_path("b.conf")), &bytes, &error), "the file again");
    is_str(bytes, "bb", "is as it was first read");
    ok(!weir_bundle_file(bundle, weir_str_from_z(tmp_path("none")), &bytes, &error) && error_has("(2: No such file"),
       "no file");
    ok(!weir_bundle_file(bundle, weir_str_from_z(tmp_path("")), &bytes, &error) && error_has("open() "), "a folder");
    ok(!weir_bundle_file(bundle, WEIR_STR("/dev/null"), &bytes, &error) && error_has("not a regular file"), "a device");
    ok(!weir_bundle_file(bundle, WEIR_STR("relative"), &bytes, &error) && error_has("not the absolute path"),
       "no full path");
    ok(!weir_bundle_resolve(bundle, WEIR_STR("no host at all"), &addrs, &error) && error_has("no host at all"),
       "no host");
}

static void
test_replay(weir_bundle_t *recorded)
{
    int                fd = weir_wire_bundle_to_fd(recorded);
    weir_bundle_t     *bundle = weir_wire_bundle_from_fd(fd, &error);
    weir_bundle_user_t user;
    weir_strs_t        paths;
    weir_addrs_t       addrs;
    weir_str_t         bytes;
    uint64_t           cpus[WEIR_BUNDLE_CPUS / 64], same[WEIR_BUNDLE_CPUS / 64];

    ok(fd >= 0 && (fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE), "the descriptor is sealed");
    if (!ok(bundle != NULL, "what was recorded is read")) {
        return;
    }
    ok(weir_bundle_is_replay(bundle) && !weir_bundle_is_replay(recorded), "a replay knows that it is one");
    ok(weir_bundle_conf(bundle, weir_str_from_z(tmp_path("b.conf")), &bytes, &error), "a file");
    is_str(bytes, "bb", "with its bytes");
    ok(weir_bundle_file(bundle, weir_str_from_z(tmp_path("secret.key")), &bytes, &error), "a key");
    ok(weir_bundle_glob(bundle, weir_str_from_z(tmp_path("*.conf")), &paths, &error) && paths.n == 2, "a mask");
    is_str(paths.at[1], tmp_path("b.conf"), "with its paths");
    ok(weir_bundle_glob(bundle, weir_str_from_z(tmp_path("*.none")), &paths, &error) && paths.n == 0, "an empty one");
    ok(weir_bundle_resolve(bundle, WEIR_STR("::1"), &addrs, &error) && addrs.at[0].any.sa_family == AF_INET6,
       "an address");
    ok(weir_bundle_user(bundle, WEIR_STR("root"), WEIR_STR("root"), &user, &error), "a user");
    ok(user.ignored ? geteuid() != 0 : user.uid == 0 && user.gid == 0 && user.n_groups >= 1, "with its ids");
    ok(weir_bundle_cpus(bundle, cpus, &error) && weir_bundle_cpus(recorded, same, &error)
       && memcmp(cpus, same, sizeof(cpus)) == 0, "CPUs");
    ok(weir_bundle_get(bundle, WEIR_STR("key"), &bytes), "a text");
    is_str(bytes, "value", "as it was put last");
    ok(weir_bundle_get(bundle, WEIR_STR("empty"), &bytes) && bytes.len == 0, "an empty one");
    ok(!weir_bundle_get(bundle, WEIR_STR("none"), &bytes), "none");

    ok(!weir_bundle_file(bundle, weir_str_from_z(tmp_path("a.conf")), &bytes, &error) && error_has("holds no file"),
       "a file that was not recorded is not read");
    ok(!weir_bundle_file(bundle, weir_str_from_z(tmp_path("b.conf")), &bytes, &error) && error_has("holds no file"),
       "nor as another kind of file");
    ok(!weir_bundle_glob(bundle, WEIR_STR("/*"), &paths, &error) && error_has("holds no file pattern"), "nor a mask");
    ok(!weir_bundle_resolve(bundle, WEIR_STR("127.0.0.2"), &addrs, &error) && error_has("127.0.0.2"), "nor an address");
    ok(!weir_bundle_user(bundle, WEIR_STR("nobody"), WEIR_STR(""), &user, &error) && error_has("nobody"), "nor a user");
    weir_bundle_destroy(bundle);
    close(fd);
}

static weir_bundle_t *
read_bytes(const char *bytes, size_t len)
{
    int            fd = memfd_create("damaged", 0);
    weir_bundle_t *bundle;

    if (fd < 0 || write(fd, bytes, len) != (ssize_t) len) {
        abort();
    }
    bundle = weir_wire_bundle_from_fd(fd, &error);
    close(fd);
    error = (weir_error_t) { .text = "" };
    return bundle;
}

/* Every byte changed and every length: refused or read, never more than that; short ones are all refused. */
static void
test_damage(void)
{
    weir_bundle_t *bundle = weir_bundle_create();
    weir_strs_t    paths;
    weir_addrs_t   addrs;
    char           bytes[2048];
    ssize_t        len;
    size_t         i, refused = 0;
    int            fd;

    (void) weir_bundle_add(bundle, WEIR_BUNDLE_CONF, WEIR_STR("/f"), WEIR_STR("text"));
    ok(weir_bundle_glob(bundle, WEIR_STR("/de[v]"), &paths, &error) && paths.n == 1
       && weir_bundle_resolve(bundle, WEIR_STR("127.0.0.1"), &addrs, &error), "something to damage");
    fd = weir_wire_bundle_to_fd(bundle);
    len = pread(fd, bytes, sizeof(bytes), 0);
    close(fd);
    weir_bundle_destroy(bundle);
    for (i = 0; i < (size_t) len; i++) {
        bundle = read_bytes(bytes, i);
        refused += bundle == NULL;
        weir_bundle_destroy(bundle);
    }
    is_int(refused, len, "a bundle that was cut is refused wherever it was");
    for (i = 0; i < (size_t) len * 8; i++) {
        bytes[i / 8] = (char) (bytes[i / 8] ^ 1 << i % 8);
        bundle = read_bytes(bytes, (size_t) len);
        weir_bundle_destroy(bundle);
        bytes[i / 8] = (char) (bytes[i / 8] ^ 1 << i % 8);
    }
    ok(true, "one with a wrong bit does no harm");
    bytes[len] = 'x';
    ok(read_bytes(bytes, (size_t) len + 1) == NULL, "one with more behind it is refused");
    memset(bytes + 12, 0xff, 20);
    ok(read_bytes(bytes, (size_t) len) == NULL, "lengths without end are refused");
    ok(weir_wire_bundle_from_fd(-1, &error) == NULL, "no descriptor is refused");
}

static size_t each_count;

static void
each_conf(void *data, weir_str_t path, weir_str_t bytes)
{
    (void) data;
    (void) path;
    each_count += bytes.len;
}

int
main(void)
{
    weir_bundle_t *bundle = record();

    test_recording(bundle);
    test_replay(bundle);
    weir_bundle_each_conf(bundle, each_conf, NULL);
    is_int(each_count, 2, "only the configuration's own text is shown");
    weir_bundle_destroy(bundle);
    test_damage();
    return done();
}
