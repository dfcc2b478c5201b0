# map, as nginx has it: strings without case, names of hosts with wildcards, patterns in order with their groups, a default; made when asked, once a
# request unless volatile.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('map makes a variable from another');
$w->write_file('conf/more.map', "included 'from a file'; ~^file-(\\d+)\$ file\$1;");
my $many = join '', map { "        key$_ value$_;\n" } 1 .. 5000;
$w->conf(<<"END");
    map_hash_max_size 4096;
    map_hash_bucket_size 128;
    map \$arg_k \$plain { one 1; Two 2; "with space" 3; '' empty; \\default literal; \\hostnames host; \\~tilde wave; default other; }
    map \$arg_k \$bare { a b; }
    map \$arg_k \$patterns { exact first; ~^ab+\\d sensitive; ~*^ab insensitive; ~^id-(?<number>\\d+)-(.) "\$number/\$2/\$1"; ~*(?<named>z)\$ \$named\$arg_more; }
    map \$arg_k \$included { include more.map; default none; }
    map \$arg_k\$arg_more \$combined { ab both; default "\${arg_k}+\${arg_more}"; }
    map \$http_x_host \$site { hostnames; example.org exact; *.example.org wild; *.deep.example.org deep; mail.* mail; .both.net both; ~^re\\d regex; default none; }
    map \$plain \$second { 1 one; default "of \$plain"; }
    map \$arg_k \$big {
$many    }
    map \$arg_k \$twice { x 1; }
    map \$arg_k \$twice { x 2; }
    map \$arg_k \$code { gone 410; default 200; }
    log_format mapped '\$plain|\$bare|\$site';
    access_log logs/access.log mapped;
    server {
        location /plain { return 200 "[\$plain]"; }
        location /bare { return 200 "[\$bare]"; }
        location /patterns { return 200 "[\$patterns]"; }
        location /included { return 200 "[\$included]"; }
        location /combined { return 200 "[\$combined]"; }
        location /site { return 200 "[\$site]"; }
        location /second { return 200 "[\$second]"; }
        location /big { return 200 "[\$big]"; }
        location /twice { return 200 "[\$twice]"; }
        location /code { error_page 418 = /code-\$code; return 418; }
        location /code-410 { return 410; }
        location /code-200 { return 200 fine; }
    }
END
my $is = sub ($path, $want, $name, @headers) { is $w->get($path, @headers)->body, "[$want]", $name };

$is->('/plain?k=one', 1, 'a string');
$is->('/plain?k=tWO', 2, 'without case');
$is->('/plain?k=three', 'other', 'the default');
$is->('/plain', 'empty', 'the empty string');
$is->('/plain?k=default', 'literal', 'names of parameters are strings behind a backslash');
$is->('/plain?k=hostnames', 'host', 'each of them');
$is->('/plain?k=~tilde', 'wave', 'the tilde too');
$is->('/bare?k=x', '', 'without a default there is nothing');
$is->('/patterns?k=EXACT', 'first', 'strings come before patterns');
$is->('/patterns?k=abb7', 'sensitive', 'patterns in order');
$is->('/patterns?k=ABB7', 'insensitive', 'with case or without');
$is->('/patterns?k=id-42-x', '42/x/42', 'groups, by name and by number');
$is->('/patterns?k=--z&more=!', 'z!', 'and variables');
$is->('/patterns?k=none', '', 'or nothing');
$is->('/included?k=included', 'from a file', 'an included file');
$is->('/included?k=file-7', 'file7', 'with patterns');
$is->('/combined?k=a&more=b', 'both', 'of two variables');
$is->('/combined?k=x&more=y', 'x+y', 'into two variables');
my %sites = ('example.org' => 'exact', 'EXAMPLE.org' => 'exact', 'example.org.' => 'exact', 'a.example.org' => 'wild', 'a.b.example.org' => 'wild', 'x.deep.example.org' => 'deep',
    'deep.example.org' => 'wild', 'mail.net' => 'mail', 'mail.a.b' => 'mail', 'both.net' => 'both', 'www.both.net' => 'both', 're7.x' => 'regex', 'badexample.org' => 'none', 'mail' => 'none');
$is->('/site', $sites{$_}, "the host $_", 'X-Host' => $_) for sort keys %sites;
$is->('/second?k=one', 'one', 'a map of a map');
$is->('/second?k=none', 'of other', 'which is a value of it');
$is->("/big?k=key$_", "value$_", 'one of many') for 1, 2500, 5000;
$is->('/twice?k=x', 2, 'of two with one name the later one');
is $w->get('/code')->status, 200, 'a status';
is $w->get('/code?k=gone')->status, 410, 'or another';
$w->wait_for_access(qr/^literal\|\|none$/m);
$w->wait_for_access(qr/^empty\|\|exact$/m);
unless ($w->is_nginx) {
    $w->reload("map \$arg_k \$loop_a { default \"a\$loop_b\"; } map \$arg_k\$loop_a \$loop_b { default \"b\$loop_a\"; }
        map \$uri \$kept { default \$uri; } map \$uri \$always { volatile; default \$uri; }
        map \$arg_k \$wild { \"~^(a+)+\$\" bad; ~. default_is_not_reached; default fine; }
        server { location /wild { return 200 \"[\$wild]\"; } location /loop { return 200 \"[\$loop_a][\$loop_b]\"; }
            location /first { error_page 404 = /then?\$kept\$always; return 404; } location /then { return 200 \"[\$kept][\$always]\"; } }");
    is $w->get('/loop?k=1')->body, '[ab][b]', 'a variable that is made of itself has no value there';
    is $w->get('/wild?k=aaa')->body, '[bad]', 'a pattern that could run wild';
    is $w->get('/wild')->body, '[fine]', 'the default';
    is $w->get('/wild?k=' . 'a' x 4000 . '!')->body, '[]', 'is never what a pattern that ran into its limit gives';
    $w->wait_for_log(qr/\[error\] .*a pattern of a map ran into its match limit: "\^\(a\+\)\+\$"/);
    is $w->get('/first')->body, '[/first][/then]', 'what was made is kept for the request, unless volatile';
}

my $wrong = Weir::Test->new('wrong maps')->allow_log(qr{\[emerg\]});
for my $case (
    ['map $arg_k { }', qr/invalid number of arguments in "map"/],
    ['map $arg_k $a $b { }', qr/invalid number of arguments in "map"/],
    ['map $arg_k a { }', qr/invalid variable name "a"/],
    ['map $arg_k $uri { }', qr/\$?uri"/],
    ['map $nothing_like_it $a { }', qr/unknown "nothing_like_it" variable/],
    ['map $arg_k $a { one; }', qr/invalid number of the map parameters/],
    ['map $arg_k $a { one 1 2; }', qr/invalid number of the map parameters/],
    ['map $arg_k $a { one 1; ONE 2; }', qr/conflicting parameter "one"/i],
    ['map $arg_k $a { default 1; default 2; }', qr/duplicate default map parameter/],
    ['map $arg_k $a { hostnames; *.a 1; *.a 2; }', qr/conflicting parameter "\*\.a"/],
    ['map $arg_k $a { hostnames; a.*.b 1; }', qr/invalid hostname or wildcard "a\.\*\.b"/],
    ['map $arg_k $a { ~( 1; }', qr/pcre2_compile\(\) failed|regex|missing/],
    ['map $arg_k $a { one $nothing_like_it; }', qr/unknown "nothing_like_it" variable/],
    ['server { map $arg_k $a { } }', qr/"map" directive is not allowed here/],
    ['map $arg_k $a { one { } }', qr/unexpected "\{"/],
) {
    my ($text, $complaint) = @$case;
    my ($code, $said) = $wrong->check_conf("$text server { }");
    is $code, 1, "$text is refused";
    like $said, $complaint, 'and told why';
}

done_testing;
