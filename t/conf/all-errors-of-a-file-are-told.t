# `weir -t` tells all errors of the files, up to a bound: a faulty statement is left out, a block that cannot stand there is skipped.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('all errors of a file are told');
$w->needs_weir;
$w->allow_log(qr/./);
my $said = sub ($text, %files) {
    $w->write_file("conf/$_", $files{$_}) for keys %files;
    $w->conf_main("daemon off; pid logs/p.pid; error_log logs/e.log;\n$text");
    my ($code, $output) = $w->run('-t', '-p', $w->dir . '/', '-c', 'conf/weir.conf');
    return ($code, [ map { s{ in \S*/conf/}{ in }r } $output =~ /\[emerg\] (.*)/g ]);
};
my $check = sub ($what, $text, $wants, %files) {
    my ($code, $errors) = $said->($text, %files);
    is $code, 1, "$what: refused";
    is scalar @$errors, scalar @$wants, "$what: so many errors" or diag join "\n", @$errors;
    like $errors->[$_], $wants->[$_], "$what: $wants->[$_]" for 0 .. $#$wants;
};
$check->('directives and blocks', <<'END', [ qr/"servre", did you mean "server"\? in weir.conf:4$/, qr/"lissten".*:7$/, qr/"1x".*:9$/, qr/ftp:.*:10$/, qr/"set".*:13/, qr/"proxy".*:15|fastcgi_pass.*:15/ ]);
events { }
http {
    servre { listen 1; nothing of this is told; location / { } }
    access_log off;
    server {
        lissten 80;
        location / {
            client_max_body_size 1x;
            proxy_pass ftp://x;
        }
        location /b { return 200; }
        set $y;
        add_header X $y;
        fastcgi_pass x;
    }
}
END
$check->('grammar', qq{events { }\nhttp { server {\n location /c { return 200 "a"b; }\n location /d { return 200 }\n ;\n location /e { lissten 1; } } }\n},
    [ qr/unexpected "b" in weir.conf:4/, qr/unexpected "\}" in weir.conf:5/, qr/unexpected ";" in weir.conf:6/, qr/"lissten".*:7/ ]);
$check->('included files', "events { }\nhttp { include a.conf;\n include no.conf;\n include b*.conf;\n lissten 1; }\n",
    [ qr/"gzipp".*a.conf:1/, qr/unexpected end of file.*a.conf:3/, qr/no.conf" failed.*weir.conf:4/, qr/"b1".*b1.conf:1/, qr/"b2".*b2.conf:1/, qr/"lissten".*weir.conf:6/ ],
    'a.conf' => "gzipp on;\nserver {\n", 'b1.conf' => 'b1 on;', 'b2.conf' => 'b2 on;');
$check->('lines of data', "events { }\nhttp { map \$host \$m { a; b c;\n default { }\n ~( x; }\n geo \$g { x y; 10.0.0.0/8 a; 1.2.3.4.5 b; } server { return 200 \$m\$g; } }\n",
    [ qr/map parameters.*:3/, qr/unexpected "\{" inside "map".*:4/, qr/\(.*:5/, qr/x.*:6/, qr/1\.2\.3\.4\.5.*:6/ ]);
$check->('unknown variables', "events { }\nhttp { server { location / { return 200 \$no1;\n }\n add_header X \$no2; } }\n", [ qr/"no1" variable.*:3/, qr/"no2" variable.*:5/ ]);
$check->('what only a whole block tells', "events { }\nhttp { server { gzip_buffers 4 1; }\n server { gzip_buffers 4 2m; } }\n", [ qr/gzip_buffers.*:3/, qr/gzip_buffers.*:4/ ]);
$check->('an end that is missing', "events { }\nhttp { lissten 1;\n server { gzipp on;\n", [ qr/lissten/, qr/gzipp/, qr/unexpected end of file/ ]);
$check->('an end too many', "events { }\nhttp { lissten 1; } }\nnonsense;\n", [ qr/lissten/, qr/unexpected "\}"/ ]);

my ($code, $errors) = $said->("events { }\n" . "nonsense;\n" x 100);
is $code, 1, 'many errors';
is scalar @$errors, 21, 'are told up to a bound';
like $errors->[20], qr/there may be more errors/, 'and that there may be more';

# What starts the program tells the same.
$w->conf_main("pid logs/p.pid; error_log logs/e.log;\nevents { }\none; two;\n");
my ($status, $output) = $w->run('-p', $w->dir . '/', '-c', 'conf/weir.conf');
is $status, 1, 'the program does not start';
like $output, qr/"one".*"two"/s, 'and tells both errors';
done_testing;
