# servers_file: a file that may not be read changes nothing, which the log says once; it is read as soon as it may be,
# although its bytes and times are what they were.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a list that may be read again is read')->needs_weir;
my %origin = map { my $name = $_; $name => $w->origin(sub ($c) { $c->reply(200, $name) }) } qw(one two);
my $list = $w->dir . '/list';
my $say  = sub ($name, $mode) {
    $w->write_file('list.new', "server $origin{$name};\n");
    chmod $mode, "$list.new" or die;
    rename "$list.new", $list or die;
};
$say->('one', 0644);
$w->allow_log(qr/cannot be read/);
$w->conf(<<"END", workers => 1);
    upstream api { servers_file $list interval=100ms; }
    server {
        location / { proxy_pass http://api; }
    }
END
is $w->get('/')->body, 'one', 'a list';
$say->('two', 0);
$w->wait_for_log(qr/list cannot be read: Permission denied/);
is $w->get('/')->body, 'one', 'another one that may not be read changes nothing';
chmod 0644, $list or die;
$w->wait_until('it is read when it may be', sub { $w->get('/')->body eq 'two' });
is scalar(grep { /list cannot be read/ } split /\n/, $w->error_log), 1, 'and the log has told of it once';
done_testing;
