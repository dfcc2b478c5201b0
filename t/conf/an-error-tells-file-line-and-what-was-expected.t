use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('an error tells file, line and what was expected');
$w->needs_weir;
$w->allow_log(qr/./);

# main text, the line of it, what is said
my @cases = (
    [ "events {}\nhttp {\n  servre { }\n}\n", 3, qr/unknown directive "servre".*did you mean "server"/ ],
    [ "events {}\nhttp {\n  server {\n    lissten 80;\n  }\n}\n", 4, qr/unknown directive "lissten".*"listen"/ ],
    [ "events {}\nhttp {\n  server {\n    xyzzy 80;\n  }\n}\n", 4, qr/unknown directive "xyzzy"/ ],
    [ "events {}\nhttp {\n  server {\n    return 200\n  }\n}\n", qr/[45]/, qr/unexpected "}"|not terminated/ ],
    [ "events {}\nhttp {\n  server {\n    return 200;\n", qr/[1-5]/, qr/unexpected end of file.*"}"/ ],
    [ "events {}\nhttp { }\n}\n", 3, qr/unexpected "}"/ ],
    [ "events {}\nhttp {\n  server {\n    return 200 \"open;\n  }\n}\n", qr/[4-7]/, qr/unexpected end of file|quote/ ],
    [ "events {}\nhttp {\n  server {\n    return 200 \"a\"b;\n  }\n}\n", 4, qr/unexpected "b"/ ],
    [ "events {}\nserver { }\n", 2, qr/"server" directive is not allowed here/ ],
    [ "events {}\nhttp {\n  worker_processes 2;\n}\n", 3, qr/"worker_processes" directive is not allowed here/ ],
    [ "events {}\nhttp {\n  server_tokens maybe;\n}\n", 3, qr/invalid value "maybe".*on.*off/ ],
    [ "events {}\nhttp {\n  keepalive_timeout soon;\n}\n", 3, qr/"soon"/ ],
    [ "events {}\nhttp {\n  client_max_body_size 1x;\n}\n", 3, qr/"1x"/ ],
    [ "events {}\nhttp {\n  client_max_body_size;\n}\n", 3, qr/invalid number of arguments/ ],
    [ "events {}\nhttp {\n  client_max_body_size 1 2;\n}\n", 3, qr/invalid number of arguments/ ],
    [ "events {}\nhttp {\n  merge_slashes on;\n  merge_slashes on;\n}\n", 4,
    qr/"merge_slashes" directive is duplicate/ ],
    [ "events {}\nevents {}\nhttp { }\n", 2, qr/duplicate/ ],
    [ "events {}\nhttp {\n  server {\n    location /a { }\n    location /a { }\n  }\n}\n", 5,
    qr/duplicate location "\/a"/ ],
    [ "events {}\nhttp {\n  server {\n    location ~ (a { }\n  }\n}\n", 4, qr/\(a.*(?:missing|parenthes)/ ],
    [ "events {}\nhttp {\n  server {\n    location == /a { }\n  }\n}\n", 4, qr/invalid location modifier "=="/ ],
    [ "events {}\nhttp {\n  server {\n    listen nonsense:x;\n  }\n}\n", 4, qr/nonsense:x/ ],
    [ "events {}\nhttp {\n  server {\n    listen 127.0.0.1:99999;\n  }\n}\n", 4, qr/port|99999/ ],
    [ "events {}\nhttp {\n  server {\n    listen 127.0.0.1:80 nonsense;\n  }\n}\n", 4, qr/nonsense/ ],
    [ "events {}\nhttp {\n  server {\n    return 200 \$no_such_variable;\n  }\n}\n", 4,
    qr/unknown.*"no_such_variable" variable|no_such_variable/ ],
    [ "events {}\nhttp {\n  server {\n    return 1000;\n  }\n}\n", 4, qr/1000/ ],
    [ "events {}\nhttp {\n  server {\n    location / { proxy_pass ftp://x; }\n  }\n}\n", 4, qr/ftp:\/\/x/ ],
    [ "events {}\nhttp {\n  upstream a { server 127.0.0.1:1; }\n  upstream a { server 127.0.0.1:1; }\n}\n", 4,
    qr/duplicate upstream "a"/ ],
    [ "events {}\nhttp {\n  upstream a { }\n}\n", 3, qr/no servers/ ],
    [ "events {}\nhttp {\n  upstream a { server 127.0.0.1:1 weight=x; }\n}\n", 3, qr/weight=x/ ],
    [ "events {}\nhttp {\n  upstream a { server 127.0.0.1:1 wait=1; }\n}\n", 3, qr/wait=1/ ],
    [ "events {}\nhttp {\n  access_log logs/x.log nosuchformat;\n  server { listen 127.0.0.1:1; }\n}\n", 3,
    qr/unknown log format "nosuchformat"/ ],
    [ "events {}\nhttp {\n  include /nonexistent/file.conf;\n}\n", 3, qr/nonexistent.*No such file/ ],
    [ "user nosuchuser_x;\nevents {}\n", 1, qr/nosuchuser_x/ ],
    [ "worker_processes many;\nevents {}\n", 1, qr/"many"/ ],
    [ "error_log logs/e.log loud;\nevents {}\n", 1, qr/loud/ ],
    [ "events { worker_connections x; }\n", 1, qr/"x"/ ],
    [ "events {}\nhttp {\n  server {\n    error_page 99 /x;\n  }\n}\n", 4, qr/99/ ],
    [ "events {}\nhttp {\n  proxy_set_header X;\n}\n", 3, qr/invalid number of arguments/ ],
    [ "events {}\n\x00\n", 2, qr/unexpected/ ],
    [ "events {}\nhttp {\n  \x{c3}\x{a9}t\x{c3}\x{a9} on;\n}\n", 3, qr/unknown directive/ ],
);
my $file = $w->conf_file;
for my $case (@cases) {
    my ($text, $line, $said) = @$case;
    $w->conf_main("daemon off;pid logs/p.pid;$text");
    my ($code, $output) = $w->run('-t', '-p', $w->dir . '/', '-c', 'conf/weir.conf');
    my $name = ($text =~ s/events \{\}//r =~ s/\s+/ /gr);
    is $code, 1, "exit code: $name";
    like $output, $said, 'what';
    like $output, qr/\Q$file\E:$line\b/, "where: line $line";
    like $output, qr/configuration file \Q$file\E test failed/, 'the last line';
}

done_testing;
