# `weir diff OLD NEW`: which routes and locations were added, removed or changed, by what stands in them and what they inherit; with requests, which
# of them go elsewhere, what share that is, and which places none of them came to.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('diff tells what changes for which places')->needs_weir;
my $conf = sub ($name, $server) { $w->write_file("conf/$name.conf", "error_log stderr;\nevents { }\nhttp {\nupstream api { server 127.0.0.1:8001; }\nupstream next { server 127.0.0.1:8002; }\nserver { listen 8080; server_name a.example;\n$server }\n}\n") };
my $diff = sub (@words) { $w->run('-p', '%%DIR%%/', '-e', 'stderr', 'diff', @words) };
my $old = <<'END';
    auth_basic shop; auth_basic_user_file users;
    route orders { match path_prefix=/orders; proxy_pass http://api; }
    route gone { match path=/gone; return 204; }
    location / { return 404; }
    location /same/ { root /srv; if ($arg_x) { return 403; } }
END
$w->write_file('users', "u:{PLAIN}p\n");
$conf->(old => $old);
$conf->(same => "\n\n# moved\n$old");
my $new = $old =~ s/route gone.*\n/route fresh { match path=\/fresh; return 204; }\n/r =~ s/(orders \{ .*)api/$1next/r;
$conf->(new => $new);
$conf->(open => $old =~ s/auth_basic shop; .*\n//r);

my ($code, $said) = $diff->('conf/old.conf', 'conf/same.conf');
is "$code$said", '0', 'lines that have moved are no change';
($code, $said) = $diff->('conf/old.conf', 'conf/new.conf');
is $code, 2, 'changes have a code';
is $said, <<'END', 'each place';
changed  server "a.example", route orders
    - proxy_pass http://api
    + proxy_pass http://next
removed  server "a.example", route gone
added    server "a.example", route fresh
END
($code, $said) = $diff->('conf/old.conf', 'conf/open.conf');
like $said, qr/^changed  server "a\.example", route orders\n    - inherits auth_basic shop\n/m, 'what a place inherited is lost';
like $said, qr/^changed  server "a\.example", location \/same\/\n    - inherits auth_basic shop\n/m, 'by each of them';

$w->write_file('traffic', join '', map { "GET http://a.example:8080$_\n" } qw(/orders/1 /orders/2 /gone /x /y /z /same/f));
($code, $said) = $diff->('--traffic', $w->dir . '/traffic', 'conf/old.conf', 'conf/new.conf');
is $code, 2, 'requests are asked of both';
like $said, qr{^request   2 \(28\.57%\)  GET a\.example /orders/\{\}\n    as GET http://a\.example:8080/orders/1\n    - .*route orders, outcome passed, upstream api, asks /orders/1\n    \+ .*upstream next,}m, 'what becomes of two of one shape';
like $said, qr{^lost      1 \(14\.29%\)  GET a\.example /gone\n    as GET http://a\.example:8080/gone\n    it gets an error\n    - .*route gone, outcome answered, status 204\n    \+ .*location /, outcome answered, status 404\n}m, 'and of one that has lost its route';
like $said, qr/^traffic  3 of 7 requests change \(42\.86%\)$/m, 'their share';
like $said, qr/^unseen   server "a\.example", route fresh$/m, 'a place that none came to';
unlike $said, qr/^unseen.*orders/m, 'others are seen';
unlike $said, qr{^request.*/x}m, 'what stays is not shown';
is +($diff->('conf/old.conf'))[0], 64, 'one file is none to compare with';
is +($diff->('conf/old.conf', 'conf/new.conf', 'conf/new.conf'))[0], 64, 'nor are three';
is +($diff->('--colour', 'conf/old.conf', 'conf/new.conf'))[0], 64, 'an unknown option';
is +($diff->('conf/old.conf', 'conf/none.conf'))[0], 1, 'no such file';
is +($diff->('--traffic', 'none', 'conf/old.conf', 'conf/new.conf'))[0], 1, 'nor such traffic';
done_testing;
