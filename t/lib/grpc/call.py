# call.py ADDRESS WHAT [ARGUMENT...] - a real gRPC client for tests (python3-grpcio); prints what came, one line each.
#
#     unary TEXT        client-stream N        server-stream N        both-ways N        deadline SECONDS TEXT
#     many N            N unary calls at once on one channel
#     chat FILE         one call both ways, a message each 50 ms, until FILE is there
#     cancel            begins a call both ways, gets one message, cancels it
# The end of each: "status NAME DETAILS" and the trailers.
import os
import sys
import time
from concurrent import futures

import grpc

channel = grpc.insecure_channel(sys.argv[1], options=(
    ('grpc.max_receive_message_length', 64 << 20), ('grpc.max_send_message_length', 64 << 20), ('grpc.enable_retries', 0)))
what, rest = sys.argv[2], sys.argv[3:]


def end(call):
    print('status', call.code().name, call.details() or '')
    for key, value in call.trailing_metadata() or ():
        print('trailer', key, value)


def show(value):
    print('answer', value.decode('latin1') if len(value) < 2000 else '%d bytes' % len(value))


try:
    if what in ('unary', 'deadline'):
        timeout = float(rest.pop(0)) if what == 'deadline' else 20
        value, call = channel.unary_unary('/weir.Echo/Unary').with_call(rest[0].encode(), timeout=timeout)
        show(value)
        end(call)
    elif what == 'client-stream':
        value, call = channel.stream_unary('/weir.Echo/ClientStream').with_call((b'%d' % i for i in range(int(rest[0]))), timeout=20)
        show(value)
        end(call)
    elif what == 'server-stream':
        call = channel.unary_stream('/weir.Echo/ServerStream')(rest[0].encode(), timeout=20)
        for value in call:
            show(value)
        end(call)
    elif what == 'both-ways':
        # each message only after the answer to the one before: nothing may wait for the end of anything
        more = futures.Future()
        state = {'next': more}

        def messages():
            for i in range(int(rest[0])):
                yield b'message %d' % i
                state['next'].result(20)
                state['next'] = futures.Future()

        call = channel.stream_stream('/weir.Echo/BothWays')(messages(), timeout=40)
        for value in call:
            show(value)
            state['next'].set_result(None)
        end(call)
    elif what == 'chat':
        sent = []

        def chat():
            while not os.path.exists(rest[0]):
                sent.append(b'message %d' % len(sent))
                yield sent[-1]
                time.sleep(0.05)

        call = channel.stream_stream('/weir.Echo/BothWays')(chat())
        came = list(call)
        print('chat', len(came), 'right' if came == sent else 'of %d' % len(sent))
        end(call)
    elif what == 'many':
        stub = channel.unary_unary('/weir.Echo/Unary')
        calls = [stub.future(b'call %d' % i, timeout=60) for i in range(int(rest[0]))]
        right = sum(call.result() == b'call %d' % i for i, call in enumerate(calls))
        print('right', right)
    elif what == 'cancel':
        first = futures.Future()

        def one():
            yield b'hello'
            first.result(20)

        call = channel.stream_stream('/weir.Echo/BothWays')(one(), timeout=20)
        show(next(call))
        call.cancel()
        first.set_result(None)
        print('status', call.code().name)
except grpc.RpcError as error:
    end(error)
