# A variable that cannot be worked out is not an empty one.  A limit whose key it is, and an if, decide against the request.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a limit whose key cannot be worked out refuses')->needs_weir;
my $wild = 'a' x 60 . 'b';
$w->allow_log(qr/match limit/, qr/cannot be worked out/);
$w->conf(<<"END", http => "log_format c '\$uri \$status \$weir_cause';\naccess_log logs/c.log c;\n", main => "store_path store;\n");
    map \$arg_a \$key { ~^(a+)+\$ ""; default some; }
    map \$key \$again { default \$key; }
    map \$arg_a \$seldom { volatile; ~^(a+)+\$ ""; default some; }
    limit_req_zone \$key zone=a:1m rate=1000r/s;
    limit_req_zone \$again zone=again:1m rate=1000r/s;
    limit_conn_zone \$key zone=c:1m;
    limit_conn_zone \$seldom zone=v:1m;
    quota_zone \$key zone=q:1m per=month;
    quota_zone \$arg_b zone=n:1m per=month;
    server {
        location /req { limit_req zone=a burst=100 nodelay; empty_gif; }
        location /again { limit_req zone=again burst=100 nodelay; empty_gif; }
        location /conn { limit_conn c 5; empty_gif; }
        location /volatile { limit_conn v 5; empty_gif; }
        location /quota { quota zone=q limit=5; empty_gif; }
        location /number { quota zone=n limit=\$key; empty_gif; }
        location /if { if (\$key) { return 403; } empty_gif; }
        location /not { if (\$key = "") { return 200 no; } return 200 yes; }
        location /set { set \$x \$key; empty_gif; }
        location /page { error_page 403 = \@page; limit_req zone=a; empty_gif; }
        location \@page { limit_req zone=a; proxy_pass http://127.0.0.1:1; }
        location /header { add_header X-Key "<\$key>" always; empty_gif; }
    }
END
is $w->get("/$_?a=aaa")->status, 200, "/$_: an empty key is no key" for qw(req again conn volatile quota number if not set page);
for my $place (qw(req again conn volatile quota number if not set page)) {
    my $answer = $w->get("/$place?b=1&a=$wild");
    is $answer->status, 403, "/$place: one that cannot be worked out refuses";
    $w->wait_for_access(qr{^/$place 403 route\.pattern_limit$}m, 'c.log');
}
is $w->get("/header?a=$wild")->header('X-Key'), '<>', 'where nothing depends on it there is none';
done_testing;
