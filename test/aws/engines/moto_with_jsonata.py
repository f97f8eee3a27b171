"""A moto server whose Step Functions can run JSONata definitions, with tasks, dice and time from a test.

Everything that is changed in moto is changed here, and README.md beside this file says why. The test listens
at QUARTERDECK_CONTROL and is asked, by POST with JSON both ways:

  /invoke {functionName, payload}    what a function answers: {result}, {error, message} or {silent: true}
  /draw   {}                         the next number in [0, 1)
  /wait   {kind, seconds | until}    told how long a Wait or a Retry would have lasted; nothing is waited for
  /run    {...}                      told which states one sequence of states went through
"""

import json
import os
import socket
import sys
import threading
import types
import urllib.request

from botocore.exceptions import ClientError
from jsonata import jsonata as evaluator
from jsonata.utils import Utils
from moto.core.config import default_user_config
from moto.core.responses import EmptyResult
from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.common.parargs import Parameters
from moto.stepfunctions.parser.asl.component.common.retry import jitter_strategy_decl, retrier_decl
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.intrinsic.jsonata import get_intrinsic_functions_declarations
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.distributed_item_processor_worker import (
    DistributedItemProcessorWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp as timestamp_wait
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeTimedOut, HeartbeatTimedOut
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.states import States
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.asl.jsonata import validations
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.responses import StepFunctionResponse

CONTROL = os.environ["QUARTERDECK_CONTROL"]
local = threading.local()


def ask(path, question):
    request = urllib.request.Request(
        CONTROL + path,
        data=json.dumps(question).encode("utf-8"),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def draw():
    return ask("/draw", {})


# --- JSONata: moto leaves its evaluator unset (getmoto/moto#10105) -------------------------------------------


def plain(value):
    """JSONata's lists, numbers and nulls as JSON has them; raises TypeError for a function."""
    if value is Utils.NULL_VALUE or value is None or isinstance(value, (str, bool, int)):
        return None if value is Utils.NULL_VALUE else value
    if isinstance(value, float):
        # JSON, and JavaScript with it, has one kind of number.
        return int(value) if value.is_integer() and abs(value) < 2**63 else value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, range)) or Utils.is_sequence(value):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} is no JSON")


def bound(value):
    """With JSONata's own null: jsonata-python takes Python's for nothing at the end of a longer path."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: bound(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bound(item) for item in value]
    return value


def shuffled(array):
    """Fisher and Yates with the test's dice, as jsonata-python's takes Python's own."""
    if array is None or len(array) <= 1:
        return array
    result = list(array)
    for last in range(len(result) - 1, 0, -1):
        other = int(draw() * (last + 1))
        result[last], result[other] = result[other], result[last]
    return result


def query_failure(env, cause):
    error = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    details = EventDetails(
        evaluationFailedEventDetails=EvaluationFailedEventDetails(error=error.error_name, cause=cause)
    )
    event = HistoryEventType.EvaluationFailed
    env.event_manager.add_event(context=env.event_history_context, event_type=event, event_details=details)
    return FailureEventException(FailureEvent(env, error, event, details))


def evaluate(text, bindings):
    """The value, whether there is one, and JSONata's name for its type."""
    expression = evaluator.Jsonata(text)
    expression.output_convert_nulls = False
    expression.register_lambda("random", draw)
    expression.register_lambda("shuffle", shuffled)
    value = expression.evaluate(None, bound(bindings))
    if value is None:
        return None, False, None
    try:
        return plain(value), True, "null"
    except TypeError:
        return "", True, "function"


def states_of(env):
    """`$states` without the members that this state does not have, where moto would write null."""
    states = env.states
    has = getattr(states, "members", set())
    data = states._states_data
    return {key: value for key, value in data.items() if key in ("input", "context") or key in has}


def evaluate_string(self, env):
    """In place of text put together from values, which a quotation mark in a string breaks: values are bound."""
    references = moto_jsonata.extract_jsonata_variable_references(self.expression)
    declarations = get_intrinsic_functions_declarations(variable_references=references)
    store = env.variable_store
    bindings = {**store._outer_scope, **store._inner_scope, "states": states_of(env)}
    try:
        value, exists, kind = evaluate(f"({declarations}{self.expression})", bindings)
    except Exception as error:
        raise query_failure(env, str(error)) from error
    # moto's own judgement of what an expression may give asks two questions of its evaluator.
    local.answers = {"$exists": exists, "$type": kind}
    validations.validate_jsonata_expression_output(env, self.expression, "", value)
    env.stack.append(value)


string_expression.StringJSONata._eval_body = evaluate_string
string_expression.StringVariableSample._eval_body = evaluate_string
validations.eval_jsonata_expression = lambda question: local.answers[question.split("(", 1)[0]]


def tracking(name, member):
    original = getattr(States, name)

    def tracked(self, *arguments, **named):
        original(self, *arguments, **named)
        self.members = set() if member is None else getattr(self, "members", set()) | {member}

    setattr(States, name, tracked)


tracking("reset", None)
tracking("set_result", "result")
tracking("set_error_output", "errorOutput")


# --- Time and chance -----------------------------------------------------------------------------------------


def tell_wait(self, env):
    if isinstance(self, timestamp_wait.Timestamp):
        self.string.eval(env=env)
        ask("/wait", {"kind": "until", "until": env.stack.pop()})
    else:
        ask("/wait", {"kind": "wait", "seconds": self._get_wait_seconds(env=env)})


WaitFunction._eval_body = tell_wait
retrier_decl.time = types.SimpleNamespace(
    sleep=lambda seconds: ask("/wait", {"kind": "retry", "seconds": seconds})
)
jitter_strategy_decl.random = types.SimpleNamespace(uniform=lambda low, high: low + (high - low) * draw())


# --- Tasks ---------------------------------------------------------------------------------------------------


def invoke(parameters, region, state_credentials):
    local.silent = False
    payload = json.loads(parameters.get("Payload", b"{}"))
    answer = ask("/invoke", {"functionName": parameters["FunctionName"], "payload": payload})
    if answer.get("silent") and not answer.get("submitted"):
        raise EvalTimeoutError()
    local.silent = bool(answer.get("silent"))
    error = answer.get("error")
    if error is None:
        return {"Payload": answer.get("result"), "StatusCode": 200, "ExecutedVersion": "$LATEST"}
    if error.startswith("Lambda."):
        code = error.removeprefix("Lambda.")
        refusal = {
            "Error": {"Code": code, "Message": answer["message"]},
            "ResponseMetadata": {"HTTPStatusCode": 500, "RequestId": "1"},
        }
        raise ClientError(refusal, "Invoke")
    return {"FunctionError": "Unhandled", "Payload": {"errorType": error, "errorMessage": answer["message"]}}


lambda_eval_utils._invoke_lambda_function = invoke
# Only the message: what moto adds (service, status, request) is HTTP's, of which there is none here.
StateTaskServiceLambda._error_cause_from_client_error = staticmethod(
    lambda refusal: (f"Lambda.{refusal.response['Error']['Code']}", refusal.response["Error"]["Message"])
)
wait_for_token = StateTaskServiceCallback._eval_wait_for_task_token


def wait_or_time_out(self, env, timeout_seconds, callback_endpoint, heartbeat_endpoint):
    """Where the test says that nobody will answer, the time is over at once; otherwise moto waits for real."""
    if not getattr(local, "silent", False):
        return wait_for_token(self, env, timeout_seconds, callback_endpoint, heartbeat_endpoint)
    if heartbeat_endpoint is not None:
        return HeartbeatTimedOut()
    return CallbackOutcomeTimedOut(callback_id=callback_endpoint.callback_id)


StateTaskServiceCallback._eval_wait_for_task_token = wait_or_time_out


def send_task_failure(self):
    """With the cause, which moto's answer to the API leaves behind."""
    names = ("taskToken", "error", "cause")
    self.stepfunction_backend.send_task_failure(*(self._get_param(name) for name in names))
    return EmptyResult()


StepFunctionResponse.send_task_failure = send_task_failure


# --- Where a Map's results go: moto reads Parameters there, JSONPath's, and has no Arguments ---------------------


class WriterArguments(Parameters):
    def __init__(self, arguments):
        self.arguments = arguments

    def _eval_body(self, env):
        values = {}
        for name, value in self.arguments.items():
            if value.startswith("{%"):
                string_expression.StringJSONata(value[2:-2].strip()).eval(env=env)
                value = env.stack.pop()
            values[name] = value
        env.stack.append(values)


visit_result_writer = Preprocessor.visitResult_writer_decl
visit_parameters = Preprocessor.visitParameters_decl


def visit_writer(self, ctx):
    local.in_writer = True
    try:
        return visit_result_writer(self, ctx)
    finally:
        local.in_writer = False


def visit_writer_parameters(self, ctx):
    if not getattr(local, "in_writer", False):
        return visit_parameters(self, ctx)
    template = ctx.payload_tmpl_decl()
    source = template.start.getInputStream().getText(template.start.start, template.stop.stop)
    return WriterArguments(json.loads(source))


Preprocessor.visitResult_writer_decl = visit_writer
Preprocessor.visitParameters_decl = visit_writer_parameters


# --- What is told of states ----------------------------------------------------------------------------------

run_program = Program._eval_body
run_state = CommonStateField._eval_body


run_child = DistributedItemProcessorWorker._eval_job


def told_child(self, env, job):
    """A child is an execution of its own: that moto lets it read its parent's variables is told by no state."""
    env.is_child = True
    run_child(self, env, job)


DistributedItemProcessorWorker._eval_job = told_child


def told_program(self, env):
    env.told = []
    run_program(self, env)
    ask("/run", {"states": env.told})


def told_state(self, env):
    told = {"name": self.name, "input": env.states.get_input()}
    env.told.append(told)
    try:
        run_state(self, env)
    except FailureEventException as failure:
        told["error"], told["cause"] = failure.extract_error_cause_pair() or (None, None)
        raise
    if env.is_running() or type(env.program_state()).__name__ == "ProgramEnded":
        store = env.variable_store
        outer = {} if getattr(env, "is_child", False) else store._outer_scope
        told["output"] = env.states.get_input()
        told["variables"] = {**outer, **store._inner_scope}


Program._eval_body = told_program
CommonStateField._eval_body = told_state


def serve():
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    # Its state machines call its own S3 at the port that this variable names.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    os.environ["MOTO_PORT"] = port
    from moto.server import main

    main(["-H", "127.0.0.1", "-p", port])


def evaluate_lines():
    """Without a server: one line {expression, bindings} in, one line {value}, {undefined} or {error} out."""
    for line in sys.stdin:
        question = json.loads(line)
        names = moto_jsonata._PATTERN_VARIABLE_REFERENCE.findall(question["expression"])
        declarations = get_intrinsic_functions_declarations(variable_references=set(names))
        try:
            value, exists, kind = evaluate(f"({declarations}{question['expression']})", question["bindings"])
            answer = {"value": value} if exists and kind == "null" else {"undefined": kind or True}
        except Exception as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    evaluate_lines() if "--evaluate" in sys.argv else serve()
