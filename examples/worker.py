#!/usr/bin/env python3
"""A worker that holds a session of Signalbox over HTTP (docs/external-holders.md); nothing but the standard library.

    worker.py --submit SESSION STEP...   submits a task, and takes one turn of the agent for each step
    worker.py --task TASK STEP...        claims a task that exists: one that waits, or one whose worker was lost

It prints a line of JSON for the grant, for each answer and for the end. The successor of a lost worker continues behind the last step
that is on the tape of the task. A step whose turn did not complete fails the task. SIGNALBOX_URL and SIGNALBOX_TOKEN say where the daemon is; the token is also read from its data folder.
"""
import argparse
import http.client
import json
import os
import pathlib
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


class Refused(Exception):
    """The daemon has answered with an error that asking again does not change."""

    def __init__(self, status, problem):
        super().__init__(f"{problem.get('detail', status)} {problem.get('hint', '')}".strip())
        self.code = problem.get("code", "bad_response")


class Evicted(Refused):
    """The hold is no longer ours: stop working on the task."""


class Daemon:
    def __init__(self, url, token):
        self.url, self.token = url.rstrip("/"), token

    def ask(self, method, path, body=None, timeout=60, **headers):
        """Sends a request until it is answered: the daemon may restart meanwhile. One that hangs is sent again after `timeout` seconds."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json", **headers}
        pause = 0.25
        while True:
            try:
                request = urllib.request.Request(self.url + path, data, headers, method=method)
                with urllib.request.urlopen(request, timeout=timeout) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                problem = problem_in(error)
                if not problem.get("retryable"):
                    raise (Evicted if problem.get("code") == "evicted" else Refused)(error.code, problem) from None
            except (OSError, http.client.HTTPException):
                pass  # no daemon, or it has ended in the middle of its answer
            time.sleep(pause)
            pause = min(2 * pause, 5)


def problem_in(error):
    try:
        return json.load(error)
    except ValueError:
        return {"retryable": error.code >= 500}


class Hold:
    """`with Hold(daemon, task) as hold:` the session is ours. An error in the block fails the task."""

    def __init__(self, daemon, task, lease_ms=None):
        self.daemon, self.task, self.lease_ms = daemon, task, lease_ms
        self.name = f"worker-{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self.stopped, self.lost = threading.Event(), threading.Event()

    def __enter__(self):
        claim = {"holder": self.name} if self.lease_ms is None else {"holder": self.name, "leaseMs": self.lease_ms}
        grant = {"state": "waiting"}
        while grant["state"] != "granted":
            grant = self.daemon.ask("POST", self.path(), claim)
        self.grant, self.epoch, self.calls = grant, grant["epoch"], grant["call"] or 0
        threading.Thread(target=self.beat, args=(grant["leaseMs"] / 3000,), daemon=True).start()
        return self

    def path(self, verb=""):
        return f"/v1/tasks/{urllib.parse.quote(self.task, safe='')}/hold{verb}"

    def ask(self, verb, timeout=60, **body):
        try:
            return self.daemon.ask("POST", self.path(verb), {"epoch": self.epoch, **body}, timeout)
        except Evicted:
            self.lost.set()
            self.stopped.set()
            raise

    def beat(self, seconds):
        while not self.stopped.wait(seconds):
            try:
                self.ask("/heartbeat", timeout=seconds)
            except Refused:
                return

    def turn(self, prompt):
        """One turn of the agent. The number of the call makes it one turn, however often it is asked."""
        self.calls += 1
        while True:
            said = self.ask("/turn", call=self.calls, prompt=prompt)
            if said["state"] == "answered":
                return said["answer"]

    def progress(self, data):
        self.ask("/progress", data=data)

    def release(self):
        """Gives the session back; the work goes on without it."""
        self.ask("/release")

    def finish(self, result=None):
        self.ask("/finish", status="completed", result=result)
        self.stopped.set()

    def fail(self, reason, result=None):
        self.ask("/finish", status="failed", reason=reason, result=result)
        self.stopped.set()

    def __exit__(self, kind, error, trace):
        try:
            if not self.stopped.is_set():
                self.fail("abandoned" if error is None else "worker_failed", None if error is None else repr(error))
        except Refused:
            pass
        finally:
            self.stopped.set()


def steps_on_tape(daemon, task):
    """What earlier workers of the task have reported."""
    steps, after = [], 0
    while True:
        page = daemon.ask("GET", f"/v1/tasks/{urllib.parse.quote(task, safe='')}/events?after={after}&limit=500")
        steps += [event["data"]["data"] for event in page["items"] if event["type"] == "progress"]
        if not page["items"]:
            return steps
        after = page["next"]


def say(**fields):
    print(json.dumps(fields), flush=True)


def token():
    folder = os.environ.get("SIGNALBOX_DATA") or pathlib.Path.home() / ".local/share/signalbox"
    return os.environ.get("SIGNALBOX_TOKEN") or (pathlib.Path(folder) / "token").read_text().strip()


def main():
    parser = argparse.ArgumentParser(description="Takes one turn of the agent for each step, under one hold.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--submit", metavar="SESSION", help="submit a task to this session")
    which.add_argument("--task", help="claim this task")
    parser.add_argument("--lease-ms", type=int, help="how long this worker may be silent")
    parser.add_argument("steps", metavar="STEP", nargs="+", help="the prompt of a turn")
    given = parser.parse_args()
    daemon = Daemon(os.environ.get("SIGNALBOX_URL", "http://127.0.0.1:7070"), token())
    task = given.task
    if task is None:
        body = {"session": given.submit, "prompt": given.steps[0], "mode": "external", "lane": "background"}
        # With the key a submit whose answer was lost may be sent again.
        task = daemon.ask("POST", "/v1/tasks", body, **{"idempotency-key": uuid.uuid4().hex})["task"]
        say(submitted=task)
    with Hold(daemon, task, given.lease_ms) as hold:
        done = steps_on_tape(daemon, task)
        say(granted=task, epoch=hold.epoch, attempt=hold.grant["attempt"], steps=len(done))
        for step in given.steps[len(done):]:
            answer = hold.turn(step)
            done.append({"step": len(done) + 1, "outcome": answer["outcome"], "text": answer["text"]})
            hold.progress(done[-1])
            say(**done[-1])
            if answer["outcome"] != "completed":
                hold.fail("step_failed", {"steps": done})
                say(failed=task)
                sys.exit(1)
        hold.finish({"steps": done})
        say(finished=task)


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        say(refused=refused.code, message=str(refused))
        sys.exit(3 if isinstance(refused, Evicted) else 1)
