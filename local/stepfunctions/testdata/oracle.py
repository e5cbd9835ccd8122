"""Runs state machines on moto's interpreter, an independent reading of the specification.

Reads a list of {"definition", "input", "functions"} from standard input, where "functions" gives the answers of each function
in order, the last one repeating, as {"result"} or {"error", "message"}; a function without answers echoes its payload, and
"objects" what the buckets hold by "bucket/key". Writes
a list of {"status", "output", "error", "cause", "states"} to standard output, "states" being the states entered, in order.

The interpreter takes one execution a process, so each has a process of its own, forked after the imports.
"""

import json
import multiprocessing
import os
import sys
import threading
import time

for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
    os.environ[name] = "none"
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"

import boto3
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

job, calls, lock = {}, {}, threading.Lock()


def answer(function, payload):
    """What the scripted function says, and whether it failed."""
    name = function.split(":function:")[-1].split(":")[0]
    with lock:
        n = calls.get(name, 0)
        calls[name] = n + 1
    replies = (job.get("functions") or {}).get(name, [])
    if not replies:
        return payload, False
    reply = replies[min(n, len(replies) - 1)]
    if reply.get("error"):
        return {"errorMessage": reply.get("message", ""), "errorType": reply["error"]}, True
    return reply.get("result"), False


def call(parameters):
    raw = parameters.get("Payload") or b"{}"
    result, failed = answer(parameters["FunctionName"], json.loads(raw))
    response = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": result}
    if failed:
        response["FunctionError"] = "Unhandled"
    return response


def invoke(parameters, region, state_credentials):
    return call(parameters)


def invoke_plain(env, parameters, region, account, credentials):
    response = call(parameters)
    if "FunctionError" in response:
        text = json.dumps(response["Payload"], separators=(",", ":"))
        raise lambda_eval_utils.LambdaFunctionErrorException(response["FunctionError"], text)
    env.stack.append(response)


# Without a container there is no Lambda to call.
lambda_eval_utils._invoke_lambda_function = invoke
lambda_eval_utils.exec_lambda_function = invoke_plain

mocked = mock_aws(config={"stepfunctions": {"execute_state_machine": True}})


def create(sfn, definition):
    role = "arn:aws:iam::123456789012:role/local"
    return sfn.create_state_machine(name="machine", definition=json.dumps(definition), roleArn=role)["stateMachineArn"]


@mocked
def warm_up(jobs):
    """Fills the caches of the client and of the parser before the processes fork."""
    create(boto3.client("stepfunctions"), max((job["definition"] for job in jobs), key=lambda d: len(json.dumps(d))))


@mocked
def execute(what):
    job.update(what)
    sfn, s3 = boto3.client("stepfunctions"), boto3.client("s3")
    for path, body in (job.get("objects") or {}).items():
        bucket, key = path.split("/", 1)
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(body).encode())
    try:
        machine = create(sfn, job["definition"])
        arn = sfn.start_execution(stateMachineArn=machine, input=json.dumps(job["input"]))["executionArn"]
    except Exception as refused:
        return {"status": "REFUSED", "output": None, "error": str(refused), "cause": "", "states": []}
    deadline = time.monotonic() + 120
    while (execution := sfn.describe_execution(executionArn=arn))["status"] == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.1)
    history = sfn.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return {
        "status": execution["status"],
        "output": json.loads(execution["output"]) if "output" in execution else None,
        "error": execution.get("error", ""),
        "cause": execution.get("cause", ""),
        "states": [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event],
    }


if __name__ == "__main__":
    jobs = json.load(sys.stdin)
    warm_up(jobs)
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        json.dump(pool.map(execute, jobs, chunksize=1), sys.stdout)
