# authz_server.py PORT-FILE LOG-FILE [KEY CERTIFICATE] - a real server of envoy.service.auth.v3.Authorization for tests
# (python3-grpcio, python3-protobuf).  The messages are built from the numbers and names of Envoy's published .proto files.
#
# Each CheckRequest is written to LOG-FILE as a line of JSON, with the metadata and the seconds that the caller leaves.  The
# answer is the CheckResponse whose JSON stands in the request's field x-answer; without that field: allowed.  "slow S" waits
# S seconds and allows; "status N" ends the call with that status of gRPC; "raw HEX" answers with these bytes.
import json
import os
import sys
import time
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

TYPES = descriptor_pb2.FieldDescriptorProto
SCALARS = {'string': TYPES.TYPE_STRING, 'bytes': TYPES.TYPE_BYTES, 'int32': TYPES.TYPE_INT32, 'int64': TYPES.TYPE_INT64,
           'uint32': TYPES.TYPE_UINT32, 'bool': TYPES.TYPE_BOOL, 'enum': TYPES.TYPE_INT32}

# name: fields; a field is (number, name, type), "*" before a type: repeated, "map": of texts to texts
MESSAGES = {
    'CheckRequest': [(1, 'attributes', 'AttributeContext')],
    'AttributeContext': [(1, 'source', 'Peer'), (2, 'destination', 'Peer'), (4, 'request', 'Request'), (10, 'context_extensions', 'map'),
                         (12, 'tls_session', 'TLSSession')],
    'Peer': [(1, 'address', 'Address'), (2, 'service', 'string'), (3, 'labels', 'map'), (4, 'principal', 'string'), (5, 'certificate', 'string')],
    'Address': [(1, 'socket_address', 'SocketAddress'), (2, 'pipe', 'Pipe')],
    'SocketAddress': [(1, 'protocol', 'enum'), (2, 'address', 'string'), (3, 'port_value', 'uint32')],
    'Pipe': [(1, 'path', 'string'), (2, 'mode', 'uint32')],
    'Request': [(1, 'time', 'Timestamp'), (2, 'http', 'HttpRequest')],
    'Timestamp': [(1, 'seconds', 'int64'), (2, 'nanos', 'int32')],
    'HttpRequest': [(1, 'id', 'string'), (2, 'method', 'string'), (3, 'headers', 'map'), (4, 'path', 'string'), (5, 'host', 'string'),
                    (6, 'scheme', 'string'), (7, 'query', 'string'), (8, 'fragment', 'string'), (9, 'size', 'int64'), (10, 'protocol', 'string'),
                    (11, 'body', 'string'), (12, 'raw_body', 'bytes')],
    'TLSSession': [(1, 'sni', 'string')],
    'CheckResponse': [(1, 'status', 'Status'), (2, 'denied_response', 'DeniedHttpResponse'), (3, 'ok_response', 'OkHttpResponse')],
    'Status': [(1, 'code', 'int32'), (2, 'message', 'string')],
    'HttpStatus': [(1, 'code', 'enum')],
    'DeniedHttpResponse': [(1, 'status', 'HttpStatus'), (2, 'headers', '*HeaderValueOption'), (3, 'body', 'string')],
    'OkHttpResponse': [(2, 'headers', '*HeaderValueOption'), (5, 'headers_to_remove', '*string'), (6, 'response_headers_to_add', '*HeaderValueOption'),
                       (7, 'query_parameters_to_set', '*QueryParameter'), (8, 'query_parameters_to_remove', '*string')],
    'HeaderValueOption': [(1, 'header', 'HeaderValue'), (2, 'append', 'BoolValue'), (3, 'append_action', 'enum')],
    'HeaderValue': [(1, 'key', 'string'), (2, 'value', 'string'), (3, 'raw_value', 'bytes')],
    'BoolValue': [(1, 'value', 'bool')],
    'QueryParameter': [(1, 'key', 'string'), (2, 'value', 'string')],
}


def add_field(message, number, name, kind):
    field = message.field.add(number=number, name=name, json_name=name, label=TYPES.LABEL_OPTIONAL)
    if kind == 'map':
        entry = message.nested_type.add(name=''.join(p.title() for p in name.split('_')) + 'Entry')
        entry.options.map_entry = True
        add_field(entry, 1, 'key', 'string')
        add_field(entry, 2, 'value', 'string')
        field.label, field.type, field.type_name = TYPES.LABEL_REPEATED, TYPES.TYPE_MESSAGE, '.weir.test.%s.%s' % (message.name, entry.name)
        return
    if kind[0] == '*':
        field.label, kind = TYPES.LABEL_REPEATED, kind[1:]
    if kind in SCALARS:
        field.type = SCALARS[kind]
    else:
        field.type, field.type_name = TYPES.TYPE_MESSAGE, '.weir.test.' + kind


def build():
    file = descriptor_pb2.FileDescriptorProto(name='authz.proto', package='weir.test', syntax='proto3')
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields:
            add_field(message, *field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return (factory.GetPrototype(pool.FindMessageTypeByName('weir.test.' + name)) for name in ('CheckRequest', 'CheckResponse'))


CheckRequest, CheckResponse = build()
log = open(sys.argv[2], 'a', buffering=1)


def check(request, context):
    said = json_format.MessageToDict(request, preserving_proto_field_name=True)
    log.write(json.dumps({'request': said, 'metadata': dict(context.invocation_metadata()), 'left': context.time_remaining()}) + '\n')
    wanted = request.attributes.request.http.headers.get('x-answer', '')
    word = wanted.split(' ', 1)
    if word[0] == 'raw':
        return bytes.fromhex(word[1])
    if word[0] == 'status':
        context.abort([c for c in grpc.StatusCode if c.value[0] == int(word[1])][0], 'as asked for')
    if word[0] == 'slow':
        for _ in range(int(float(word[1]) * 100)):
            if not context.is_active():
                log.write(json.dumps({'cancelled': request.attributes.request.http.path}) + '\n')
                context.abort(grpc.StatusCode.CANCELLED, 'cancelled')
            time.sleep(0.01)
        wanted = ''
    answer = CheckResponse()
    answer.status.code = 0
    if wanted:
        answer = json_format.Parse(wanted, CheckResponse())
    return answer.SerializeToString()


class Authorization(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == '/envoy.service.auth.v3.Authorization/Check':
            return grpc.unary_unary_rpc_method_handler(check, request_deserializer=CheckRequest.FromString)
        return None


server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), handlers=(Authorization(),))
if len(sys.argv) > 3:
    key, certificate = (open(name, 'rb').read() for name in sys.argv[3:5])
    port = server.add_secure_port('127.0.0.1:0', grpc.ssl_server_credentials([(key, certificate)]))
else:
    port = server.add_insecure_port('127.0.0.1:0')
server.start()
with open(sys.argv[1] + '.new', 'w') as out:
    out.write(str(port))
os.rename(sys.argv[1] + '.new', sys.argv[1])
server.wait_for_termination()
