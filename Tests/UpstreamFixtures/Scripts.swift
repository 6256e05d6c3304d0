public import NIOCore

/// Scripts of well-behaved and other servers.
public enum Script {
  public static let head = UpstreamStep.head(200, [("content-type", "text/event-stream")])

  /// A whole stream: a role, one chunk for each token, an end, the usage where there is one.
  public static func answer(
    _ tokens: [String], finish: String = "stop", usage: (prompt: Int, completion: Int)? = nil, pause: TimeAmount = .zero
  ) -> [UpstreamStep] {
    var steps = [self.head, .bytes(self.chunk(#"{"role":"assistant","content":""}"#))]
    for token in tokens {
      if pause > .zero { steps.append(.pause(pause)) }
      steps.append(.bytes(self.text(token)))
    }
    steps.append(.bytes(self.chunk("{}", finish: finish)))
    if let usage { steps.append(.bytes(self.usage(usage.prompt, usage.completion))) }
    return steps + [.bytes("data: [DONE]\n\n"), .end]
  }

  public static func text(_ token: String) -> String { self.chunk(#"{"content":"\#(token)"}"#) }

  public static func chunk(_ delta: String, finish: String? = nil, more: String = "") -> String {
    let reason = finish.map { "\"\($0)\"" } ?? "null"
    return
      #"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"x","choices":[{"index":0,"delta":\#(delta),"#
      + #""logprobs":null,"finish_reason":\#(reason)}]\#(more)}"# + "\n\n"
  }

  public static func usage(_ prompt: Int, _ completion: Int) -> String {
    #"data: {"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":\#(prompt),"#
      + #""completion_tokens":\#(completion),"total_tokens":\#(prompt + completion)}}"# + "\n\n"
  }

  public static func error(_ status: Int, _ message: String = "no", headers: [(String, String)] = []) -> [UpstreamStep] {
    let body = #"{"error":{"message":"\#(message)","type":"x","param":null,"code":null}}"#
    return [
      .head(status, headers + [("content-type", "application/json"), ("content-length", "\(body.utf8.count)")]), .bytes(body),
      .end,
    ]
  }
}
