#!/usr/bin/env python3
"""An agent that speaks Signalbox's agent protocol (docs/agent-protocol.md); nothing but the standard library.

It says back what it is told, word by word. `run COMMAND` runs a command, if somebody allows it. `signalbox up` runs it with
agent: { name: 'process', command: 'examples/agent.py' } in its configuration.
"""
import json
import os
import queue
import signal
import subprocess
import sys
import threading

writing = threading.Lock()


def say(what, /, **fields):
    line = json.dumps({"type": what, **fields}) + "\n"
    with writing:  # a turn and the reader write: whole lines only
        sys.stdout.write(line)
        sys.stdout.flush()


class Turn(threading.Thread):
    """One turn. The reader calls `interrupt`, `steer` and `decisions`; everything else happens in the turn's own thread."""

    def __init__(self, number, text, model):
        super().__init__(daemon=True)
        self.number, self.text, self.model = number, text, model
        self.stopped = threading.Event()
        self.decisions, self.steered = queue.Queue(), queue.Queue()
        self.said, self.child = "", None

    def run(self):
        say("started", turn=self.number)
        if self.text.startswith("run "):
            self.command(self.text[4:])
        else:
            self.speak(self.text)
            while not self.steered.empty():
                self.speak(self.steered.get())
        outcome = "interrupted" if self.stopped.is_set() else "completed"
        usage = {"inputTokens": len(self.text), "outputTokens": len(self.said)}
        say("result", turn=self.number, outcome=outcome, text=self.said, usage=usage)

    def interrupt(self):
        """Ends the turn soon, and a command at once, with all that it has started."""
        self.stopped.set()
        if self.child is not None and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)

    def speak(self, text):
        for word in text.split():
            if self.stopped.wait(0.01):
                return
            piece = (word.upper() if self.model == "loud" else word) + " "
            self.said += piece
            say("output", turn=self.number, part={"kind": "text", "text": piece})

    def command(self, command):
        say("permission-requested", turn=self.number, request="run", kind="execute", tool="shell", title=command)
        resolved = self.decisions.get()  # always comes: "withdrawn" if the turn is interrupted
        if resolved["decision"] != "allow":
            self.speak("not allowed " + (resolved["note"] or ""))
            return
        child = subprocess.Popen(command, shell=True, text=True, start_new_session=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        tool = {"kind": "tool", "name": "shell", "action": "execute", "id": str(child.pid), "title": command}
        say("output", turn=self.number, part={**tool, "status": "started"})
        self.child = child
        if self.stopped.is_set():  # it came before there was a child to end
            self.interrupt()
        self.said = child.communicate()[0]
        status = "completed" if child.returncode == 0 else "failed"
        say("output", turn=self.number, part={**tool, "status": status, "output": self.said})


def main():
    turn, model = None, None
    for line in sys.stdin:
        message = json.loads(line)
        kind, mine = message["type"], turn is not None and turn.is_alive() and message.get("turn") == turn.number
        if kind == "start":
            model = message.get("model")
            say("ready", conversation=None, conversationReset=message["conversation"] is not None,
                capabilities={"acks": True, "steer": True, "rewind": False, "models": True})
        elif kind == "prompt":
            turn = Turn(message["turn"], message["text"], model)
            turn.start()
        elif kind == "interrupt":
            say("ack", turn=message["turn"], noResult=not mine)
            if mine:
                turn.interrupt()
        elif kind == "steer":
            say("steered", turn=message["turn"], id=message["id"], delivered=mine and not turn.stopped.is_set())
            if mine:
                turn.steered.put(message["text"])
        elif kind == "permission-resolved" and mine:
            turn.decisions.put(message)
        elif kind == "model":
            known = message["model"] in (None, "plain", "loud")
            model = message["model"] if known else model
            say("switched", model=message["model"], ok=known)
        elif kind == "close":
            break
    if turn is not None:  # the daemon has gone, or wants us to
        turn.interrupt()
    os._exit(0)


if __name__ == "__main__":
    main()
