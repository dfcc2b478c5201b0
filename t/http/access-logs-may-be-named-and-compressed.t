# access_log with variables in its path, with and without open_log_file_cache; gzip; error_log in http, server and location.
use v5.36;
use lib 't/lib';
use Weir::Test;
use IO::Uncompress::Gunzip qw(gunzip);

my $w   = Weir::Test->new('access logs may be named and compressed');
my $dir = $w->dir;
$w->descriptors_may_stay if $w->is_nginx;
mkdir "$dir/logs/hosts" or die $!;
chmod 0777, "$dir/logs", "$dir/logs/hosts";
mkdir "$dir/html" or die $!;
chmod 0755, $dir, "$dir/html";
$w->allow_log(qr/\[emerg\]/, qr/No such file|no such file|open\(\) /);
my $json = $w->is_nginx ? "" : " json";
$w->conf(<<"END");
    log_format u '\$uri';
    error_log logs/http.log info;
    server {
        root $dir/html;
        access_log logs/hosts/\$host.log u;
        location /kept { open_log_file_cache max=2 inactive=20s min_uses=1 valid=1s; return 200 x; }
        location /if { access_log logs/hosts/if-\$arg_n.log u if=\$arg_log; return 200 x; }
        location /dots { access_log logs/hosts/\$arg_n.log u; return 200 x; }
        location /gzip { access_log logs/z.log.gz u gzip=9 flush=200ms; return 200 x; }
        location /both { access_log logs/z2.log u buffer=1k gzip; return 200 x; }
        location / { return 200 x; }
        location /none/ { }
        location /own/ { error_log logs/own.log error; }
        location /quiet/ { error_log logs/quiet.log crit; }
        location /json/ { error_log logs/json.log error$json; }
    }
END
my $get  = sub ($path, %arg) { $w->request('GET', $path, %arg)->status };
my $read = sub ($name) { my $text = eval { $w->access_log($name) } // ''; $text };
is $get->('/a', host => $_), 200, $_ for 'one.test', 'two.test', 'one.test';
$w->wait_for_access(qr{^/a\n/a\n}, 'hosts/one.test.log');
is $read->('hosts/two.test.log'), "/a\n", 'a file for each';
is $get->("/kept$_", host => 'kept.test'), 200, "kept open: $_" for 1 .. 3;
$w->wait_for_access(qr{\A(?=.*^/kept1\n)(?=.*^/kept2\n)(?=.*^/kept3\n)}ms, 'hosts/kept.test.log');      # each worker writes when its turn ends: in any order
rename "$dir/logs/hosts/kept.test.log", "$dir/logs/hosts/kept.old" or die $!;
$w->wait_until('a new file', sub { $get->('/kept4', host => 'kept.test'); -e "$dir/logs/hosts/kept.test.log" });
pass 'one that was renamed is opened anew';
is $get->('/kept', host => "many$_.test"), 200, "more than may be open: $_" for 1 .. 5;
$w->wait_for_access(qr{^/kept\n}, "hosts/many$_.test.log") for 1 .. 5;
is $get->('/if?n=x&log=1'), 200, 'conditional';
is $get->('/if?n=y'), 200, 'not this one';
$w->wait_for_access(qr{^/if\n}, 'hosts/if-x.log');
ok !-e "$dir/logs/hosts/if-y.log", 'no file without a record';
unless ($w->is_nginx) {
    is $get->('/dots?n=/../../escaped'), 200, 'a name that leads elsewhere';
    is $get->('/dots?n=fine'), 200, 'one that does not';
    $w->wait_for_access(qr{^/dots\n}, 'hosts/fine.log');
    ok !-e "$dir/logs/escaped.log" && !-e "$dir/escaped.log", 'is none';
}
is $get->("/gzip$_"), 200, "compressed: $_" for 1 .. 5;
my $plain = sub ($name) { my $bytes = $read->($name); my $out = ''; gunzip(\$bytes => \$out, MultiStream => 1) if length $bytes; $out };
$w->wait_until('the compressed log', sub { my %seen = map { $_ => 1 } split /\n/, $plain->('z.log.gz'); 5 == grep { $seen{"/gzip$_"} } 1 .. 5 });
pass 'gzip and flush';
$get->('/both') for 1 .. 1500;
$w->wait_until('a full buffer', sub { $plain->('z2.log') =~ m{^(/both\n){50}} });
pass 'gzip and buffer';

is $get->($_), 404, $_ for '/none/x', '/own/x', '/quiet/x', '/json/x';
my $missing = $w->is_nginx ? qr/open\(\).*none\/x/ : qr/The file does not exist.*none\/x/;
$w->wait_for_access($missing, 'http.log');
pass 'error_log of http';
$w->wait_for_access($w->is_nginx ? qr/open\(\).*own\/x/ : qr/The file does not exist.*own\/x/, 'own.log');
unlike $read->('http.log'), qr{own/x}, 'of a location, and nowhere else';
is $read->('quiet.log'), '', 'a level of its own';
if (!$w->is_nginx) {
    $w->wait_for_access(qr/^\{.*"cause":"file\.none"/, 'json.log');
    unlike $w->error_log, qr{/none/x|/own/x}, 'the process\'s log has none of them';
    rename "$dir/logs/own.log", "$dir/logs/own.old" or die $!;
    $w->signal('USR1');
    $w->wait_until('reopened', sub { $get->('/own/y'); $read->('own.log') =~ m{own/y} });
    pass 'USR1 opens it anew';
    $w->reload;
    $w->wait_until('after a reload', sub { $get->('/own/z'); $read->('own.log') =~ m{own/z} });
    pass 'a reload keeps it';
}
for my $bad ([ 'access_log logs/x$host u buffer=1k;', qr/if=|buffered logs cannot have variables/ ], [ 'access_log logs/x combined gzip=10;', qr/gzip/ ], [ 'open_log_file_cache inactive=5s;', qr/max/ ],
    [ 'open_log_file_cache max=0;', qr/max/ ], [ 'open_log_file_cache max=3 often=2;', qr/often/ ], [ 'error_log;', qr/invalid number of arguments/ ], [ 'error_log logs/e.log loud;', qr/loud/ ])
{
    my ($code, $said) = $w->check_conf("server { $bad->[0] }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told' unless $w->is_nginx;
}
done_testing;
