use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('limit_req tells clients what is left');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
$w->conf(<<"END", workers => 2);
    limit_req_zone \$arg_k zone=a:1m rate=6r/m;
    limit_req_zone \$arg_k zone=b:1m rate=1r/m;
    limit_req_zone \$arg_k zone=often:1m rate=5r/s;
    limit_req_zone \$arg_k zone=strict:1m rate=100r/s;
    server {
        limit_req_status 429; limit_req_headers on;
        location / { limit_req zone=a burst=2 nodelay; proxy_pass http://$origin; }
        location /two { limit_req zone=a burst=9 nodelay; limit_req zone=b burst=1 nodelay; proxy_pass http://$origin; }
        location /often { limit_req zone=often burst=3 nodelay; proxy_pass http://$origin; }
        location /strict { limit_req zone=strict; proxy_pass http://$origin; }
        location /quiet { limit_req_headers off; limit_req zone=a burst=2 nodelay; proxy_pass http://$origin; }
    }
END
my $ask = sub ($target) { my $r = $w->get($target); join ' | ', $r->status, map { $r->header($_) // 'none' } qw(RateLimit-Policy RateLimit Retry-After) };

is $ask->('/?k=a'), '200 | "a";q=3;w=30 | "a";r=2;t=10 | none', 'three a half minute; two more';
is $ask->('/?k=a'), '200 | "a";q=3;w=30 | "a";r=1;t=20 | none', 'one more';
is $ask->('/?k=a'), '200 | "a";q=3;w=30 | "a";r=0;t=30 | none', 'none';
is $ask->('/?k=a'), '429 | "a";q=3;w=30 | "a";r=0;t=30 | 10', 'and when to come again';
is $ask->('/two?k=b'), '200 | "a";q=10;w=100, "b";q=2;w=120 | "a";r=9;t=10, "b";r=1;t=60 | none', 'all of several';
is $ask->('/two?k=b'), '200 | "a";q=10;w=100, "b";q=2;w=120 | "a";r=8;t=20, "b";r=0;t=120 | none', 'what is left of each';
is $ask->('/two?k=b'), '429 | "a";q=10;w=100, "b";q=2;w=120 | "a";r=8;t=20, "b";r=0;t=120 | 60', 'a refusal takes nothing of the others';
is $ask->('/often?k=b'), '200 | "often";q=5;w=1 | "often";r=3;t=1 | none', 'five a second, four of them at once';
is $ask->('/strict?k=b'), '200 | "strict";q=100;w=1 | "strict";r=0;t=1 | none', 'a hundred a second, one at a time';
is $ask->('/?k='), '200 | none | none | none', 'nothing of a key that is not counted';
is $ask->('/quiet?k=c'), '200 | none | none | none', 'nor where it is off';

done_testing;
