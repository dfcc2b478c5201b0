use v5.36;
use lib 't/lib';
use Weir::Store;
use Weir::Test;

Weir::Store::not_at_the_end_of_a_month();
my $w = Weir::Test->new('clients are told of all quotas')->needs_weir;
$w->conf(<<'END', main => "store_path store;\n");
    quota_zone $arg_k zone=day:1m per=day;
    quota_zone $arg_k zone=month:1m per=month;
    limit_req_zone $arg_k zone=rate:1m rate=60r/m;
    server {
        quota_headers on;
        location / { quota zone=day limit=2; quota zone=month limit=3; empty_gif; }
        location /month { quota zone=month limit=3; empty_gif; }
        location /all { limit_req zone=rate burst=9 nodelay; limit_req_headers on; quota zone=day limit=2; empty_gif; }
    }
END
my $said = sub ($target) {
    my $answer = $w->get($target);
    join ' ', $answer->status, map { ($answer->header($_) // 'none') =~ s/;[wt]=\d+//gr } qw(RateLimit-Policy RateLimit);
};
is $said->('/?k=a'), '200 "day";q=2, "month";q=3 "day";r=1, "month";r=2', 'both';
is $said->('/?k=a'), '200 "day";q=2, "month";q=3 "day";r=0, "month";r=1', 'what is left of both';
is $said->('/?k=a'), '429 "day";q=2, "month";q=3 "day";r=0, "month";r=1', 'when one refuses nothing of the other is used';
is $said->('/month?k=a'), '200 "month";q=3 "month";r=0', 'so that it allows one more';
my $answer = $w->get('/?k=a');
is $answer->status, 429, 'both are used up';
my ($day, $month) = $answer->header('RateLimit') =~ /r=0;t=(\d+), "month";r=0;t=(\d+)/;
is $answer->header('Retry-After'), $month > $day ? $month : $day, 'and the later one says when to come again';
like $said->('/all?k=b'), qr/^200 "rate";q=10, "day";q=2 "rate";r=9, "day";r=1$|^200 "day";q=2, "rate";q=10 "day";r=1, "rate";r=9$/, 'with a limit_req';
done_testing;
