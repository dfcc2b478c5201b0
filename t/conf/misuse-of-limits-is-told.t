use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('misuse of limits is told')->allow_log(qr{\[emerg\]});
my %says = (
    'limit_req_zone $arg_k zone=a:1m;'                        => qr/invalid number of arguments in "limit_req_zone"|must have "rate="/,
    'limit_req_zone $arg_k rate=1r/s;'                        => qr/invalid number of arguments|must have "zone=/,
    'limit_req_zone $arg_k zone=a rate=1r/s;'                 => qr/zone=name:size/,
    'limit_req_zone $arg_k zone=a:x rate=1r/s;'               => qr/zone=name:size/,
    'limit_req_zone $arg_k zone=a:1k rate=1r/s;'              => qr/too small/,
    'limit_req_zone $arg_k zone=a:1m rate=0r/s;'              => qr{r/s or r/m},
    'limit_req_zone $arg_k zone=a:1m rate=5;'                 => qr{r/s or r/m},
    'limit_req_zone $arg_k zone=a:1m rate=5r/h;'              => qr{r/s or r/m},
    'limit_req_zone $nothing zone=a:1m rate=5r/s;'            => qr/unknown "nothing" variable/,
    'limit_req_zone $arg_k zone=a:1m rate=5r/s sync;'         => qr/"sync" is not supported/,
    'limit_req_zone $arg_k zone=a:1m rate=5r/s; limit_req_zone $arg_k zone=a:1m rate=5r/s;' => qr/duplicate zone "a"/,
    'limit_req zone=none;'                                    => qr/there is no zone "none"/,
    'limit_req burst=5;'                                      => qr/must have "zone=name"/,
    'limit_req_zone $arg_k zone=a:1m rate=5r/s; limit_req zone=a burst=-1;' => qr/a number up to/,
    'limit_req_zone $arg_k zone=a:1m rate=5r/s; limit_req zone=a slowly;'   => qr/nodelay or delay/,
    'limit_req_zone $arg_k zone=a:1m rate=5r/s; limit_req zone=a; limit_req zone=a;' => qr/duplicate "limit_req"/,
    'limit_req_status 200;'                                   => qr/limit_req_status/,
    'limit_req_log_level loud;'                               => qr/limit_req_log_level/,
    'limit_conn_zone $arg_k zone=a:1m rate=1r/s;'             => qr/invalid number of arguments/,
    'limit_conn_zone $arg_k zone=a:1k;'                       => qr/too small/,
    'limit_conn none 5;'                                      => qr/there is no zone "none"/,
    'limit_conn_zone $arg_k zone=a:1m; limit_conn a 0;'       => qr/from 1 to 65535/,
    'limit_conn_zone $arg_k zone=a:1m; limit_conn a 65536;'   => qr/from 1 to 65535/,
    'limit_conn_zone $arg_k zone=a:1m; limit_conn a many;'    => qr/from 1 to 65535/,
    'limit_conn_zone $arg_k zone=a:1m; limit_conn a 1; limit_conn a 2;' => qr/duplicate "limit_conn"/,
);
for my $text (sort keys %says) {
    my ($code, $said) = $w->check_conf("$text server { location / { return 200; } }");
    is $code, 1, "refused: $text";
    like $said, $says{$text}, 'and says why';
}
my ($code, $said) = $w->check_conf('limit_req zone=later; limit_req_zone $arg_k zone=later:1m rate=1r/s; limit_conn later 3; limit_conn_zone $arg_k zone=later:1m;
    server { location / { return 200; } }');
is $code, 0, 'a zone may be said further down, and one name be a zone of each kind' or diag $said;

done_testing;
