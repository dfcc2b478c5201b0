# A length or a coding that some readers see and some do not.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('framing cannot be hidden from one reader');

my $body = "5\r\nhello\r\n0\r\n\r\n";
my $head = "POST / HTTP/1.1\r\nHost: localhost\r\n";
my $n    = length $body;

for my $pair ([ 'Transfer-Encoding', 'chunked' ], [ 'Content-Length', $n ]) {
    my ($name, $value) = @$pair;
    my %hidden = (
        'space before the colon'    => "$name : $value\r\n",
        'tab before the colon'      => "$name\t: $value\r\n",
        'tab inside the name'       => substr($name, 0, 4) . "\t" . substr($name, 4) . ": $value\r\n",
        'space inside the name'     => substr($name, 0, 4) . ' ' . substr($name, 4) . ": $value\r\n",
        'leading space'             => " $name: $value\r\n",
        'leading tab'               => "\t$name: $value\r\n",
        'folded'                    => "X: y\r\n $name: $value\r\n",
        'value folded'              => "$name:\r\n $value\r\n",
        'value folded by tab'       => "$name:\r\n\t$value\r\n",
        'behind a bare LF'          => "X: y\n$name: $value\r\n",
        'ended by a bare LF'        => "$name: $value\n",
        'behind a bare CR'          => "X: y\r$name: $value\r\n",
        'CR before the colon'       => "$name\r: $value\r\n",
        'NUL in the name'           => "$name\x00: $value\r\n",
        'NUL before the name'       => "\x00$name: $value\r\n",
        'VT before the name'        => "\x0b$name: $value\r\n",
        'high byte before the name' => "\xa0$name: $value\r\n",
        'a colon before the name'   => ":$name: $value\r\n",
        'quoted name'               => "\"$name\": $value\r\n",
    );
    $a->refused("$name: $_", "$head$hidden{$_}\r\n$body") for sort keys %hidden;
    $a->refused("$name first, folded onto the request line",
        "POST / HTTP/1.1\r\n $name: $value\r\nHost: localhost\r\n\r\n$body");
}

# The alias is dropped, never merged, and so the body is none: the next bytes would be a request.
my $no_alias = sub ($seen) {
    my @left = grep { /content.length|transfer.encoding/i && !(/^content-length$/i && $seen->header($_) eq '0') } $seen->names;
    return ((@left ? "passed on: @left" : ()), (length $seen->body ? 'a body' : ()));
};
$a->forwarded('Content_Length is dropped', "GET / HTTP/1.1\r\nHost: localhost\r\nContent_Length: 5\r\n\r\n",
    $no_alias);
$a->forwarded('Transfer_Encoding is dropped',
    "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer_Encoding: chunked\r\n\r\n", $no_alias);
$a->forwarded('Transfer.Encoding is dropped',
    "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer.Encoding: chunked\r\n\r\n", $no_alias);

$a->done;
