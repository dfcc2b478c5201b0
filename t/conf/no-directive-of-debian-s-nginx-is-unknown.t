# The words in the program of Debian's nginx that the manual does not have: nginx is asked which of them are directives.
use v5.36;
use lib 't/lib';
use Weir::Test;
needs('nginx');

my $w = Weir::Test->new("no directive of Debian's nginx is unknown")->needs_weir;
$w->time_limit(240);
my ($nginx) = grep { -x } qw(/usr/sbin/nginx /usr/local/sbin/nginx /usr/bin/nginx);
my $program = do { open my $in, '<:raw', $nginx or die "$nginx: $!\n"; local $/; <$in> };
my %is_word = map { $_ => 1 } $program =~ /(?<=\0)([a-z][a-z0-9]*_[a-z0-9_]+)(?=\0)/g;
my (undef, $manual) = $w->run('-M');
my %is_known = map { $_ => 1 } $manual =~ /`(\w+)`/g;
ok $is_known{$_} && $is_word{$_}, "both have $_" for qw(worker_processes proxy_next_upstream uwsgi_pass);

my @others = grep { !$is_known{$_} && !/^ngx_/ } sort keys %is_word;
my $dir    = $w->dir . '/words';
mkdir $dir;
$w->write_file('words/list', join '', map { "$_\n" } @others, 'worker_processes');
my (undef, $said) = $w->command(200, 'sh', '-c', <<"END");
<$dir/list xargs -P 8 -I WORD sh -c '
    printf "daemon off; pid $dir/p.pid; events { }\nWORD;\n" >$dir/WORD.one
    $nginx -t -e stderr -p $dir/ -c $dir/WORD.one 2>&1 | grep -q "unknown directive" || echo WORD'
END
is $said, "worker_processes\n", 'of the others none is a directive';

done_testing;
