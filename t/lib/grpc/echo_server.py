# echo_server.py PORT-FILE - a real gRPC server for tests (python3-grpcio), messages are plain bytes.
#
# Service weir.Echo: Unary, ClientStream, ServerStream, BothWays.  The request's text commands: "status N TEXT" ends with that
# status, "slow S" answers after S seconds, "big N" answers with N bytes, "meta" answers with the metadata it saw, else an echo.
# Prints a line for each call that was cancelled.
import os
import sys
import time
from concurrent import futures

import grpc


def perform(text, context):
    word = text.split(b' ', 2)
    if word[0] == b'status':
        context.set_trailing_metadata((('x-trailer', 'told'),))
        context.abort(list(grpc.StatusCode)[[c.value[0] for c in grpc.StatusCode].index(int(word[1]))], word[2].decode())
    if word[0] == b'slow':
        time.sleep(float(word[1]))
    if word[0] == b'big':
        return b'x' * int(word[1])
    if word[0] == b'meta':
        return '\n'.join('%s=%s' % (k, v) for k, v in context.invocation_metadata()).encode()
    return text


def unary(request, context):
    context.add_callback(lambda: None if context.code() is not None or context.is_active() else print('ended', flush=True))
    context.set_trailing_metadata((('x-trailer', 'told'),))
    return perform(request, context)


def client_stream(requests, context):
    return b'+'.join(requests)


def server_stream(request, context):
    for i in range(int(request)):
        yield b'message %d' % i


def both_ways(requests, context):
    context.send_initial_metadata((('x-begun', 'yes'),))
    try:
        for text in requests:
            yield perform(text, context)
    finally:
        if not context.is_active():
            print('cancelled', flush=True)


# grpc.health.v1: the status is in the file PORT-FILE.health (1: SERVING), for a service in PORT-FILE.health.SERVICE; without it the
# method is not there.
def health(request, context):
    service = request[2:].decode() if request else ''
    try:
        with open(sys.argv[1] + '.health' + ('.' + service if service else '')) as status:
            number = int(status.read())
    except FileNotFoundError:
        context.abort(grpc.StatusCode.NOT_FOUND if service else grpc.StatusCode.UNIMPLEMENTED, 'no such service')
    return b'' if number == 0 else bytes((8, number))


class Echo(grpc.GenericRpcHandler):
    rows = {
        '/grpc.health.v1.Health/Check': grpc.unary_unary_rpc_method_handler(health),
        '/weir.Echo/Unary': grpc.unary_unary_rpc_method_handler(unary),
        '/weir.Echo/ClientStream': grpc.stream_unary_rpc_method_handler(client_stream),
        '/weir.Echo/ServerStream': grpc.unary_stream_rpc_method_handler(server_stream),
        '/weir.Echo/BothWays': grpc.stream_stream_rpc_method_handler(both_ways),
    }

    def service(self, details):
        return self.rows.get(details.method)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=32), handlers=(Echo(),),
                     options=(('grpc.max_receive_message_length', 64 << 20), ('grpc.max_send_message_length', 64 << 20)))
port = server.add_insecure_port('127.0.0.1:0')
server.start()
with open(sys.argv[1] + '.new', 'w') as out:
    out.write(str(port))
os.rename(sys.argv[1] + '.new', sys.argv[1])
server.wait_for_termination()
