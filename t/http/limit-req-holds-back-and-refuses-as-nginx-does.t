# nginx's limit_req: rate, burst, nodelay, delay, status, log level, dry run, several limits, inheritance, keys that are empty.
use v5.36;
use lib 't/lib';
use Time::HiRes 'time';
use Weir::Test;

my $w      = Weir::Test->new('limit_req holds back and refuses as nginx does');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
my $pass   = "proxy_pass http://$origin;";
$w->conf(<<"END", workers => 2);
    log_format judged '\$uri \$arg_k \$status \$weir_cause \$limit_req_status'; access_log logs/judged.log judged;
    limit_req_zone \$arg_k zone=slow:1m rate=1r/m;
    limit_req_zone \$arg_k zone=burst:1m rate=1r/m;
    limit_req_zone \$arg_k zone=fast:1m rate=10r/s;
    limit_req_zone \$arg_k zone=both:1m rate=1r/m;
    limit_req_zone \$arg_other zone=other:1m rate=1r/m;
    limit_req_zone \$arg_k zone=page:1m rate=1r/m;
    server {
        location /slow { limit_req zone=slow; $pass }
        location /many { limit_req zone=slow; limit_req_status 429; limit_req_log_level warn; $pass }
        location /burst { limit_req zone=burst burst=3 nodelay; $pass }
        location /fast { limit_req zone=fast burst=5; $pass }
        location /delay { limit_req zone=fast burst=5 delay=3; $pass }
        location /both { limit_req zone=both burst=1 nodelay; limit_req zone=other burst=5 nodelay; $pass }
        location /dry { limit_req zone=slow; limit_req_dry_run on; $pass }
        location /page { limit_req zone=page; error_page 503 /sorry; $pass }
        location = /sorry { limit_req zone=slow; $pass }
        location /inherits { limit_req zone=slow; location /inherits/not { limit_req zone=fast burst=9; $pass } location /inherits/yes { $pass } }
    }
END
my $ask  = sub ($target) { $w->get($target)->status };
my $said = sub ($pattern) { $w->wait_for_access($pattern, 'judged.log') };

is $ask->('/slow?k=a'), 200, 'the first of a key';
is $ask->('/slow?k=a'), 503, 'the next one too early';
is $said->(qr{^/slow a 503 (.+)$}m), 'limit.rate REJECTED', 'and why';
like $w->wait_for_log(qr/\[error\].*limiting requests.*/), qr/limiting requests, excess: 0\.9\d\d by zone "slow", client: 127\.0\.0\.1.*cause: limit\.rate/,
    "in nginx's words";
is $ask->('/slow?k=b'), 200, 'another key is another';
is $ask->('/slow?k='), 200, 'an empty key is not counted' for 1 .. 3;
is $ask->('/slow'), 200, 'nor one that is not there' for 1 .. 3;
is $ask->('/many?k=a'), 429, 'a status of its own';
$w->wait_for_log(qr/\[warn\].*limiting requests/);
pass 'a level of its own';

is join(' ', map { $ask->('/burst?k=a') } 1 .. 6), '200 200 200 200 503 503', 'one and a burst of three';
my $began = time;
is join(' ', map { $ask->('/fast?k=d') } 1 .. 4), '200 200 200 200', 'within the burst they are held back';
cmp_ok time - $began, '>=', 0.29, 'until their time';
is $said->(qr{^/fast d 200 - (DELAYED)$}m), 'DELAYED', 'as the variable tells';
$w->wait_for_log(qr/\[warn\].*delaying request, excess: \d+\.\d\d\d, by zone "fast"/);
pass 'and the log, a level lower';

$began = time;
my @clients = map { $w->client->send_request('GET', '/delay?k=e') } 1 .. 4;
is join(' ', map { $_->read_response->status } @clients), '200 200 200 200', 'of a burst so many are not held back';
cmp_ok time - $began, '<', 0.29, 'none of these four';

is $ask->('/both?k=c&other=x'), 200, 'two limits: both admit';
is $ask->('/both?k=c&other=x'), 200, 'again';
is $ask->('/both?k=c&other=x'), 503, 'one refuses';
is join(' ', map { $ask->("/both?k=c$_&other=x") } 1 .. 4), '200 200 200 200', 'which costs nothing in the other';
is $ask->('/both?k=c9&other=x'), 503, 'until that is used up';

is $ask->('/dry?k=a'), 200, 'a rehearsal lets everyone pass';
is $said->(qr{^/dry a 200 - (\S+)$}m), 'REJECTED_DRY_RUN', 'and tells';
$w->wait_for_log(qr/limiting requests, dry run, excess/);

is $ask->('/page?k=z'), 200, 'where an error page stands in';
my $answer = $w->get('/page?k=z');
is $answer->status . ' ' . $answer->body, '503 ok', 'it is shown, and not limited in its turn';
is $ask->('/page?k=z'), 503, 'ever' for 1 .. 2;

is $ask->('/inherits/yes?k=a'), 503, 'limits are inherited';
is $ask->('/inherits/not?k=f'), 200, 'unless there are others' for 1 .. 3;

done_testing;
