"""Holds exchanges in AWS's JSON protocols to botocore's models of the services: who imitates a service may say no more.

Reads a JSON object a line from standard input:

    {"service": "ssm", "operation": "SendCommand", "request": {…}, "status": 200, "response": {…}}

`request` and `response` are the bodies as they went over the wire, parsed; a response of null was never received, and is
not looked at. Writes a JSON object a line for each exchange that something is wrong with:

    {"line": 3, "operation": "SendCommand", "problems": ["response.Command.Status: …"]}

and a last one, {"exchanges": 17, "unchecked": […]}, with the patterns that Python can not read.

botocore's ParamValidator knows types, required members, lower bounds and unknown members of requests. What it does
not look at is looked at here, on the same shapes: enumerations, patterns, upper bounds, and all of it for responses,
where timestamps are seconds as a number. An error has to be one of its operation, or one that every operation knows.
"""

import base64
import binascii
import functools
import json
import re
import sys
import unicodedata

import botocore.session
from botocore.validate import ParamValidator

# From the reference of common errors, and what the front ends of all services answer with when they are throttled.
COMMON_ERRORS = {
    'AccessDeniedException',
    'ExpiredTokenException',
    'IncompleteSignature',
    'InternalFailure',
    'InternalServerError',
    'InvalidAction',
    'InvalidClientTokenId',
    'InvalidSignatureException',
    'MissingAuthenticationTokenException',
    'NotAuthorized',
    'OptInRequired',
    'RequestExpired',
    'SerializationException',
    'ServiceUnavailable',
    'ThrottlingException',
    'UnknownOperationException',
    'UnrecognizedClientException',
    'ValidationException',
}

@functools.cache
def readable(pattern):
    r"""The models' patterns are Java's: `\p{L}` in brackets is spelled out, elsewhere it stays what Python can not read."""
    return re.sub(r'\[[^\]]*\]', lambda found: re.sub(r'\\p\{([LNZ])\}', lambda kind: ranges(kind[1]), found[0]), pattern)


@functools.cache
def ranges(kind):
    """All characters of a general category, as they stand in brackets."""
    found = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] != kind:
            continue
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return ''.join(f'\\U{first:08x}-\\U{last:08x}' for first, last in found)


session = botocore.session.get_session()
models = {}
unchecked = set()


def model_of(service):
    if service not in models:
        models[service] = session.get_service_model(service)
    return models[service]


def walk(shape, value, path, problems):
    """Compares a value, as JSON has it, with a shape."""
    expected = CHECKS.get(shape.type_name)
    if expected is None:
        problems.append(f'{path}: no check for the type {shape.type_name}')
    elif value is None:
        problems.append(f'{path}: null, where a member without a value is left out')
    else:
        expected(shape, value, path, problems)


def wrong_type(shape, value, path, problems):
    problems.append(f'{path}: {json.dumps(value)[:80]} is no {shape.type_name} ({shape.name})')


def structure(shape, value, path, problems):
    if not isinstance(value, dict):
        return wrong_type(shape, value, path, problems)
    for name in shape.metadata.get('required', []):
        if name not in value:
            problems.append(f'{path}.{name}: is required')
    if shape.metadata.get('union') and len(value) != 1:
        problems.append(f'{path}: {len(value)} members, where a union has one')
    members = {member.serialization.get('name', name): member for name, member in shape.members.items()}
    for name, item in value.items():
        if name in members:
            walk(members[name], item, f'{path}.{name}', problems)
        else:
            problems.append(f'{path}.{name}: is no member of {shape.name}')


def listed(shape, value, path, problems):
    if not isinstance(value, list):
        return wrong_type(shape, value, path, problems)
    bounded(shape, len(value), path, problems)
    for index, item in enumerate(value):
        walk(shape.member, item, f'{path}[{index}]', problems)


def mapped(shape, value, path, problems):
    if not isinstance(value, dict):
        return wrong_type(shape, value, path, problems)
    bounded(shape, len(value), path, problems)
    for key, item in value.items():
        walk(shape.key, key, f'{path}<{key}>', problems)
        walk(shape.value, item, f'{path}.{key}', problems)


def string(shape, value, path, problems):
    if not isinstance(value, str):
        return wrong_type(shape, value, path, problems)
    # SSM answers with an empty string for what was not given, as in the examples of the AWS CLI; callers may not.
    if value == '' and path.startswith('response') and not shape.metadata.get('enum'):
        return None
    bounded(shape, len(value), path, problems)
    known = shape.metadata.get('enum')
    if known and value not in known:
        problems.append(f'{path}: {value!r} is none of {known} ({shape.name})')
    pattern = shape.metadata.get('pattern')
    if pattern is None:
        return None
    try:
        if re.search(readable(pattern), value) is None:
            problems.append(f'{path}: {value[:80]!r} does not match {pattern} ({shape.name})')
    except re.error:
        unchecked.add(f'{shape.name}: {pattern}')
    return None


def number(shape, value, path, problems):
    # A bool is an int to Python.
    allowed = int if shape.type_name in ('integer', 'long') else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed):
        return wrong_type(shape, value, path, problems)
    bounded(shape, value, path, problems)
    return None


def truth(shape, value, path, problems):
    if not isinstance(value, bool):
        wrong_type(shape, value, path, problems)


def timestamp(shape, value, path, problems):
    form = shape.serialization.get('timestampFormat', 'unixTimestamp')
    if form != 'unixTimestamp':
        problems.append(f'{path}: no check for timestamps in the form {form}')
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        wrong_type(shape, value, path, problems)
    elif not 946_684_800 <= value < 4_102_444_800:
        problems.append(f'{path}: {value} is no time of this century in seconds')


def blob(shape, value, path, problems):
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        wrong_type(shape, value, path, problems)


def bounded(shape, size, path, problems):
    least, most = shape.metadata.get('min'), shape.metadata.get('max')
    if least is not None and size < least:
        problems.append(f'{path}: {size} is less than {least} ({shape.name})')
    if most is not None and size > most:
        problems.append(f'{path}: {size} is more than {most} ({shape.name})')


CHECKS = {
    'structure': structure,
    'list': listed,
    'map': mapped,
    'string': string,
    'integer': number,
    'long': number,
    'float': number,
    'double': number,
    'boolean': truth,
    'timestamp': timestamp,
    'blob': blob,
}


def check_error(operation, status, body, problems):
    if not isinstance(body, dict) or not isinstance(body.get('__type'), str):
        problems.append(f'response: status {status} without the name of an error in __type')
        return
    name = body['__type'].split('#')[-1]
    content = {key: value for key, value in body.items() if key != '__type'}
    shape = next((each for each in operation.error_shapes if each.error_code == name), None)
    if shape is None:
        if name not in COMMON_ERRORS:
            problems.append(f'response: {name} is no error of {operation.name}')
        return
    modelled = shape.metadata.get('error', {}).get('httpStatusCode')
    if modelled is not None and status != modelled:
        problems.append(f'response: {name} with status {status}, not {modelled}')
    # Services write the message in either case, and every SDK reads both.
    if 'message' in content and 'Message' in shape.members:
        content['Message'] = content.pop('message')
    walk(shape, content, f'response<{name}>', problems)


def check(exchange):
    service = model_of(exchange['service'])
    if service.metadata.get('protocol') != 'json':
        return [f"service {exchange['service']} speaks {service.metadata.get('protocol')}, not json"]
    if exchange['operation'] not in service.operation_names:
        return [f"{exchange['service']} has no operation {exchange['operation']}"]
    operation = service.operation_model(exchange['operation'])
    problems = []
    status, response = exchange['status'], exchange['response']
    # A request that was refused may be refused for what is wrong with it.
    if status is None or status < 400:
        if operation.input_shape is not None:
            report = ParamValidator().validate(exchange['request'], operation.input_shape)
            if report.has_errors():
                problems.append(f'request: {report.generate_report()}')
            walk(operation.input_shape, exchange['request'], 'request', problems)
    if response is None:
        return problems
    if status >= 300:
        check_error(operation, status, response, problems)
    elif operation.output_shape is not None:
        walk(operation.output_shape, response, 'response', problems)
    return problems


def main():
    count = 0
    for count, line in enumerate(sys.stdin, 1):
        exchange = json.loads(line)
        problems = check(exchange)
        if problems:
            print(json.dumps({'line': count, 'operation': exchange['operation'], 'problems': problems}))
    print(json.dumps({'exchanges': count, 'unchecked': sorted(unchecked)}))


main()
