# The control socket answers root and the user who starts Weir; with mode= and group= also the members of a group.  Who has
# connected while the mode was wider is looked at by his credentials.
use v5.36;
use lib 't/lib';
use Weir::Test;

plan skip_all => 'this is not root: no other user can be' if $> != 0;
my ($setpriv) = grep { -x } '/usr/bin/setpriv', '/bin/setpriv';
plan skip_all => 'there is no setpriv' unless $setpriv;
my $daemon = getgrnam 'daemon';
plan skip_all => 'there is no group "daemon"' unless defined $daemon;

my $w = Weir::Test->new('another user asks only where the mode says so')->needs_weir->allow_log(qr/asked the control socket and was refused/);
chmod 0755, $w->dir;
my $path = $w->dir . '/control.sock';
my $conf = sub ($control) { $w->conf("server { location / { return 200 ok; } }", workers => 1, main => $control) };
my $as = sub (@who) {
    my ($code, $said) = $w->command(20, $setpriv, @who, 'curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '--unix-socket', $path, 'http://weir/v1');
    return $said;
};
my @stranger = ('--reuid=65534', '--regid=65534', '--clear-groups');
my @member   = ('--reuid=65534', '--regid=65534', "--groups=$daemon");

$conf->("control $path;")->start;
is $as->('--reuid=0'), 200, 'root asks';
is $as->(@stranger), '000', 'another user does not even connect';
chmod 0666, $path;
is $as->(@stranger), 403, 'nor is he answered when he does';
like $w->error_log, qr/control process \d+: process \d+ of user 65534 asked the control socket and was refused/, 'which the log tells';

$w->reload("server { location / { return 200 ok; } }", main => "control $path mode=0660 group=daemon;");
$w->wait_until('the socket has another mode', sub { ((stat $path)[2] & 0777) == 0660 });
is +(stat _)[5], $daemon, 'and another group';
is $as->(@stranger), '000', 'who is not in the group does not ask';
is $as->(@member), 200, 'who is in it does';

my $other = Weir::Test->new('what control and control_user say is checked')->allow_log(qr/\[emerg\]/);
for my $case ([ 'mode=0100', qr/mode= with three or four octal digits/ ], [ 'mode=abc', qr/octal/ ], [ 'group=no-such-group', qr/the group "no-such-group" is not known/ ],
              [ 'colour=red', qr/mode= or group=/ ], [ 'mode=0600 mode=0600', qr/stands twice/ ]) {
    my ($code, $said) = $other->check_conf("control c.sock $case->[0]; events {} http {}");
    is $code, 1, "control $case->[0]";
    like $said, $case->[1], 'is told what is expected';
}
my ($code, $said) = $other->check_conf('control ' . 'x' x 120 . '; events {} http {}');
like $said, qr/short enough for a unix socket/, 'nor is a path too long';
($code, $said) = $other->check_conf('control_user root; events {} http {}');
like $said, qr/must be another than root/, 'root is not whom the process runs as';
done_testing;
