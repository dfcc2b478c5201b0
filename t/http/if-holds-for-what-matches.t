# if: each kind of condition, in a server and in a location; what its block says holds from then on; set and its variables.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('if holds for what matches');
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join ' ', $r->method, $r->target, $r->header('X-Who') // '-') });
my $other  = $w->origin(sub ($c) { $c->reply(200, 'other ' . $c->request->target) });
my $dir = $w->dir;
mkdir "$dir/files" or die $!;
$w->write_file("files/$_", 'x') for qw(plain run);
chmod 0755, "$dir/files/run";
$w->allow_log(qr/\[emerg\]/, qr/using uninitialized "late" variable/);
$w->conf(<<"END");
    server {
        set \$kind plain;
        if (\$arg_server) { set \$kind "server \$arg_server"; }
        if (\$arg_stop = yes) { return 403; }
        if (\$request_method = POST) { rewrite ^ /posted break; }
        location /kind { return 200 "\$kind"; }
        location /posted { return 200 "posted \$kind"; }
        location /set { if (\$arg_a) { return 200 yes; } return 200 no; }
        location /is { if (\$arg_a = \$arg_b) { return 200 yes; } return 200 no; }
        location /isnt { if (\$arg_a != "x y") { return 200 yes; } return 200 no; }
        location /like { if (\$arg_a ~ "^(b+)(c*)\$") { return 200 "yes \$1 \$2"; } return 200 no; }
        location /fold { if (\$arg_a ~* ^b+\$) { return 200 yes; } return 200 no; }
        location /unlike { if (\$arg_a !~ ^b) { return 200 yes; } return 200 no; }
        location /unfold { if (\$arg_a !~* ^b) { return 200 yes; } return 200 no; }
        location /f { if (-f $dir/files/\$arg_a) { return 200 yes; } return 200 no; }
        location /nf { if (!-f $dir/files/\$arg_a) { return 200 yes; } return 200 no; }
        location /d { if (-d $dir/\$arg_a) { return 200 yes; } return 200 no; }
        location /e { if (-e $dir/\$arg_a) { return 200 yes; } return 200 no; }
        location /x { if (-x $dir/files/\$arg_a) { return 200 yes; } return 200 no; }
        location /spaced { if ( \$arg_a = b ) { return 200 yes; } return 200 no; }
        location /several {
            set \$a one;
            if (\$arg_two) { set \$a "\$a two"; }
            if (\$arg_three) { set \$a "\$a three"; break; }
            set \$a "\$a end";
            return 200 "\$a";
        }
        location /late { return 200 "<\$late>"; set \$late x; }
        location /args { set \$args "a=1 2"; return 200 "\$args"; }
        location /proxied/ {
            proxy_set_header X-Who outer;
            if (\$arg_other) { proxy_pass http://$other; }
            if (\$arg_header) { add_header X-If yes; }
            proxy_pass http://$origin/base/;
        }
        location /last/ {
            if (\$arg_a) { add_header X-A yes; }
            if (\$arg_b) { add_header X-B yes; }
            proxy_pass http://$origin;
        }
        location /again/ { if (\$arg_a) { rewrite ^ /kind last; } return 200 here; }
    }
END

is $w->get('/kind')->body, 'plain', 'set in a server';
is $w->get('/kind?server=1')->body, 'server 1', 'if in a server';
is $w->get('/kind?server=0')->body, 'plain', '0 is no';
is $w->get('/kind?server=')->body, 'plain', 'nothing is no';
is $w->get('/kind?stop=yes')->status, 403, 'return in it';
is $w->request('POST', '/kind')->body, 'posted plain', 'rewrite in it';
my @cases = (
    [ '/set', 'a=1', 'yes' ], [ '/set', 'a=0', 'no' ], [ '/set', '', 'no' ], [ '/is', 'a=b&b=b', 'yes' ], [ '/is', 'a=b&b=c', 'no' ],
    [ '/isnt', 'a=x', 'yes' ], [ '/like', 'a=bbc', 'yes bb c' ], [ '/like', 'a=xbbc', 'no' ], [ '/fold', 'a=BB', 'yes' ], [ '/fold', 'a=c', 'no' ],
    [ '/unlike', 'a=B', 'yes' ], [ '/unlike', 'a=b', 'no' ], [ '/unfold', 'a=B', 'no' ], [ '/unfold', 'a=c', 'yes' ],
    [ '/f', 'a=plain', 'yes' ], [ '/f', 'a=none', 'no' ], [ '/nf', 'a=none', 'yes' ], [ '/nf', 'a=plain', 'no' ],
    [ '/d', 'a=files', 'yes' ], [ '/d', 'a=files/plain', 'no' ], [ '/e', 'a=files', 'yes' ], [ '/e', 'a=no', 'no' ],
    [ '/x', 'a=run', 'yes' ], [ '/x', 'a=plain', 'no' ], [ '/spaced', 'a=b', 'yes' ], [ '/spaced', 'a=c', 'no' ],
    [ '/late', '', '<>' ], [ '/again/', 'a=1', 'plain' ], [ '/again/', '', 'here' ],
);
is $w->get("$_->[0]?$_->[1]")->body, $_->[2], "$_->[0]?$_->[1]" for @cases;
is $w->get('/several')->body, 'one end', 'none of several';
is $w->get('/several?two=1')->body, 'one two end', 'one of several';
like $w->get('/several?two=1&three=1')->status, qr/^40[34]$/, 'break in an if ends it all';

is $w->get('/proxied/x?y=1')->body, 'GET /base/x?y=1 outer', 'the location without its if';
is $w->get('/proxied/x?other=1')->body, $w->is_nginx ? 'other /proxied/x?other=1' : 'other /proxied/x?other=1', 'another proxy_pass in it';
my $answer = $w->get('/proxied/x?header=1');
is $answer->body, 'GET /base/x?header=1 outer', 'what the if does not say is the location\'s';
is $answer->header('X-If'), 'yes', 'and what it says holds';
$answer = $w->get('/last/?a=1&b=1');
is $answer->header('X-A'), undef, 'of two that hold';
is $answer->header('X-B'), 'yes', 'the last decides';
unless ($w->is_nginx) {
    is $w->get('/args')->body, 'a=1%202', 'set of $args gives what a target may have';
}

for my $bad (
    [ 'if ($arg_a { return 200; }', qr/invalid condition|unexpected/ ], [ 'if () { return 200; }', qr/invalid condition/ ],
    [ 'if ($arg_a == b) { return 200; }', qr/unexpected "==" in condition/ ], [ 'if (-z x) { return 200; }', qr/invalid condition "-z"/ ],
    [ 'if ($arg_a) { if ($arg_b) { return 200; } }', qr/"if" directive is not allowed here/ ],
    [ 'if ($arg_a) { location /b { } }', qr/"location" directive is not allowed here/ ],
    [ 'if ($arg_a) { internal; }', qr/"internal" directive is not allowed here/ ],
    [ 'if ($arg_a ~ "(") { return 200; }', qr/pcre2?_compile|pattern|missing/i ],
    [ 'if ($arg_a) { proxy_pass http://127.0.0.1/x; }', qr/"proxy_pass" cannot have a? ?URI part/i ],
    [ 'set arg_a b;', qr/invalid variable name "arg_a"/ ], [ 'set $uri b;', qr/"\$?uri".*(?:built-in|duplicate)/ ],
    [ 'rewrite ^ /a sometimes;', qr/"sometimes"/ ], [ 'rewrite ^;', qr/invalid number of arguments/ ],
  ) {
    my ($code, $said) = $w->check_conf("server { location / { $bad->[0] } }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told' unless $w->is_nginx;
}

done_testing;
