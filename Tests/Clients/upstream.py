"""An OpenAI-compatible server that answers by what it is asked, for checks of what the demonstration model was not trained for.

The last user message decides: `call NAME {…}` lines become tool calls, `json {…}` becomes that text, anything else is said back word by word.
It always streams, as the gateway always asks it to. Python's standard library only.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.reply(200, {"object": "list", "data": []})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(body)
        message = body["messages"][-1] if "messages" in body else {"role": "user", "content": body["prompt"]}
        if message["content"] == "fail":
            return self.reply(500, {"error": {"message": "told to fail"}})
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        chat = "messages" in body
        count = 0
        for delta, finish in answer(body, message):
            count += 0 if finish else 1
            choice = {"index": 0, "finish_reason": finish}
            choice.update({"delta": delta} if chat else {"text": delta.get("content", "")})
            if body.get("logprobs") and "content" in delta:
                text = delta["content"]
                alternatives = [{"token": text, "logprob": -0.25, "bytes": list(text.encode())}] * int(body.get("top_logprobs", 0))
                choice["logprobs"] = {"content": [
                    {"token": text, "logprob": -0.25, "bytes": list(text.encode()), "top_logprobs": alternatives}]}
            self.event({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": body["model"], "choices": [choice]})
        self.event({"id": "x", "object": "chat.completion.chunk", "choices": [], "usage": {
            "prompt_tokens": 20, "completion_tokens": count, "total_tokens": 20 + count}})
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def event(self, value):
        self.chunk(b"data: " + json.dumps(value).encode() + b"\n\n")

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def answer(body, message):
    """Deltas, each with the reason for the end or None."""
    text = message["content"] if isinstance(message["content"], str) else "".join(part["text"] for part in message["content"])
    if message["role"] == "tool":
        yield {"content": "the tool says "}, None
        yield {"content": text}, None
        yield {}, "stop"
        return
    calls = [line.split(" ", 2)[1:] for line in text.splitlines() if line.startswith("call ")]
    choice = body.get("tool_choice")
    if body.get("tools") and not calls and isinstance(choice, dict):
        start = text.find("{")
        calls = [[choice["function"]["name"], text[start:] if start >= 0 else "{}"]]
    if body.get("tools") and calls:
        for index, (name, arguments) in enumerate(calls):
            half = len(arguments) // 2
            yield {"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function",
                                   "function": {"name": name, "arguments": arguments[:half]}}]}, None
            yield {"tool_calls": [{"index": index, "function": {"arguments": arguments[half:]}}]}, None
        yield {}, "tool_calls"
        return
    start = text.find("json ")
    if start >= 0:
        text = text[start + 5:]
        for place in range(0, len(text), 8):
            yield {"content": text[place:place + 8]}, None
        yield {}, "stop"
        return
    words = text.split(" ")
    most = body.get("max_tokens") or len(words)
    for place, word in enumerate(words[:most]):
        yield {"content": word if place == 0 else " " + word}, None
    yield {}, "stop" if len(words) <= most else "length"


class Upstream:
    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.asked = []
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    @property
    def asked(self):
        return self.server.asked
