# A store that a program of layout 1 has written (this one is of Weir as it was before groups, metadata and identities) is taken over at the start:
# its keys, consumers and plans go on, and what is new can be said of them; tools read it before that, too.
use v5.36;
use lib 't/lib';
use IO::Uncompress::Gunzip qw(gunzip);
use MIME::Base64 qw(decode_base64);
use Weir::Test;

# weir plan add gold hour=10 month=1000; weir consumer add acme plan=gold; weir key create acme label=before secret=-; 64-bit, little-endian
my $store = decode_base64(<<'END');
H4sIAAAAAAACA+3cvU9TURgH4FMocAuRYwiDYTD8AybGXaOLgU0TNxNNqVejFKp8DKyMLurAf8DiYMJIYmIcnJgZnExHJ5ycNbS99fYmpHwlFPM8w7n9uG/PTTv9et57Qs
gkrfHH119fSqHH1WxM7v57p3BOGOocJ3pePfr8kc5xvFBXDgAAAMB5K51z/q+cMP8nhbphPwkAAACcu6Hco6kwF+ei7wQAAACO8r41zoZ39958+lx/mTycf3sjffzx9ub4
oyfX5z8kC1t3Dl7N/H66devKYr6uWltKzzLvQvq8sXKGTxjuyf8H8UD+BwAAgEuufXf9aKhXNxrra6WQv9/+MP/vx335HwAAAC6F2U7Wf9GoP8v6DbJ99v50/Ows/I/k8v
9M2Jvcm9yM9+O3mPgfAAAAgIF0s5VhR0ItrddXj1uUxeFu9et6dblTffTmddnzcu/c5bCYbpx46nZtJdQay6vrS+nKaa+9HJbStepxLz3r+x/N5f+p0IxNuR8AAAAunfbm
/Ul3n79SN+23jfXk/+24Lf8DAADAhXjQGsutvQKL+wce9vif5bOTXP7X/w8AAMDg+8/6//vPPlac/TT9/5Vc/p8Ou7EZdyV/AAAAGBDXWmPSzfFZP392P3+2r1+//v/xXP
63/g8AAMDgG6z1//7FQz21F7X+P5HL/9NhJ36PO5I/AAAAXLBs3b9c+Bch6+NPCuf16w/4C7AbfWoAwAAA
END
my $w = Weir::Test->new('a store of before is taken over')->needs_weir;
plan skip_all => 'its file is of another kind of machine' if length(pack 'J', 1) != 8 || unpack('C', pack 'S', 1) != 1;
$w->conf(<<'END', main => "store_path store;\n", workers => 2);
    server {
        api_key $http_x_api_key;
        location / { try_files /no @ok; }
        location /admin { require $consumer_groups has "admin"; try_files /no @ok; }
        location @ok { return 200 "$consumer|$consumer_plan|$consumer_quota_hour|$consumer_quota_month|$consumer_groups|$consumer_meta_tier"; }
    }
END
mkdir $w->dir . '/store' or die;
gunzip \$store => $w->dir . '/store/weir.mdb' or die;
my $ask = sub ($path) { my $answer = $w->get($path, 'X-API-Key' => 'a-key-of-the-program-before'); $answer->status . ' ' . $answer->body };

like +($w->tool(qw(consumer list)))[1], qr/^acme +gold +active +\S+Z -$/m, 'a tool reads it as it is';
is +($w->tool(qw(identity list)))[1] =~ tr/\n//, 1, '… with no identities in it';
is +($w->tool(qw(store check)))[1], "0 faults\n", '… and finds nothing wrong';
$w->start;
is $ask->('/'), '200 acme|gold|10|1000||', 'its key, consumer and plan are known';
like $ask->('/admin'), qr/^403 /, '… in no group';
is +($w->tool(qw(consumer set acme group=admin meta=tier=one identity=jwt:a)))[0], 0, 'what is new can be said';
is $ask->('/admin'), '200 acme|gold|10|1000|admin|one', '… and is known at once';
is +($w->tool(qw(plan set gold rate=10r/s)))[0], 0, 'of a plan, too';
is +($w->tool(qw(store check)))[1], "0 faults\n", 'nothing is wrong with it';
like +($w->tool(qw(store dump)))[1], qr/"name":"gold","hour":10,"day":null,"month":1000,"created":\d+,"rate":"10r\/s","burst":0,"concurrency":null/, 'a dump has all of it';
$w->stop;
$w->start;
is $ask->('/admin'), '200 acme|gold|10|1000|admin|one', 'and it is there after a restart';

done_testing;
