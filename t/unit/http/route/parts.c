/* Each server and each upstream has memory of its own, which points at no other one's. */
#define _GNU_SOURCE 1

#include "conf/generation.h"
#include "os/file.h"
#include "tap.h"
#include "tmp.h"

#include <malloc.h>

#define LEAKS 20                     /* that are told of */

static weir_bundle_t *bundle;

static weir_generation_t *
parts_build(const char *text)
{
    const char        *path = tmp_path("weir.conf");
    weir_conf_source_t source = { .prefix = weir_str_from_z(tmp_path("")), .file = weir_str_from_z(path) };
    weir_error_t       error = { .text = "" };
    weir_generation_t *generation;

    if (!weir_file_write(path, weir_str_from_z(text))) {
        abort();
    }
    bundle = weir_bundle_create();
    generation = weir_generation_build(bundle, &source, 1, &error);
    if (generation == NULL) {
        printf("# %s\n", error.text);
    }
    return generation;
}

/* How many pointers there are from one part into another, and from a part into what is the generation's own. */
static size_t
parts_leaks(weir_generation_t *generation)
{
    weir_part_leak_t leaks[LEAKS];
    size_t           n = weir_part_leaks(generation->parts.at, generation->parts.n, &generation->arena, leaks, LEAKS);

    for (size_t i = 0; i < weir_min(n, LEAKS); i++) {
        printf("# %p -> %p: a part points into %s\n", leaks[i].at, leaks[i].to,
               leaks[i].into == NULL ? "the generation" : "another");
    }
    return n;
}

static void
test_servers(void)
{
    weir_generation_t *generation = parts_build(
        "events { }\n"
        "http {\n"
        "    map $host $m { default 1; a 2; }\n"
        "    limit_req_zone $binary_remote_addr zone=z:1m rate=1r/s;\n"
        "    access_log off; add_header Y $http_z;\n"
        "    upstream one { server 127.0.0.1:1; server 127.0.0.1:2; keepalive 3; hash $uri consistent; }\n"
        "    upstream two { server 127.0.0.1:3; least_conn; }\n"
        "    server { listen 127.0.0.1:8091; server_name a ~^(?<sub>.*)\\.b$; set $x 1; limit_req zone=z;\n"
        "        location / { proxy_pass http://one; proxy_set_header X $x$http_q; }\n"
        "        location ~ ^/(?<name>.*)\\.php$ { proxy_pass http://two; error_page 404 = @n; }\n"
        "        location @n { return 200 \"$sub $m $name\"; } }\n"
        "    server { listen 127.0.0.1:8091; server_name b; if ($host = b) { rewrite ^/x(.*)$ /y$1 last; }\n"
        "        location / { proxy_pass http://one; proxy_set_header X $x$http_q; }\n"
        "        location /y { proxy_pass http://127.0.0.1:9; } location /z { proxy_pass http://127.0.0.1:9; }\n"
        "        location /i { limit_except GET { deny all; } root /tmp; gzip on; add_header X $name; } }\n"
        "    server { listen 127.0.0.1:8092; server_name *.c;\n"
        "        route r { match path=/users/{id} method=GET; return 200 $route; }\n"
        "        route s { match path=/s header:x=1; proxy_pass http://two; } }\n"
        "}\n");

    ok(generation != NULL, "servers, upstreams, and what belongs to all");
    if (generation == NULL) {
        return;
    }
    is_int(generation->parts.n, 6, "three servers, two upstreams, and the environment");
    is_int(parts_leaks(generation), 0, "no part points into another one, nor into the generation");
    weir_generation_unref(generation);
    weir_bundle_destroy(bundle);
}

int
main(void)
{
    (void) mallopt(M_PERTURB, 0x55);         /* what was in memory before is no pointer */
    test_servers();
    return done();
}
