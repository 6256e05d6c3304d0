import Foundation
import Testing

extension EndToEnd {
  /// `n` above 1, as OpenAI's clients ask for it.
  @Suite("several answers") struct SeveralAnswersTests {
    private static func request(_ key: String, _ path: String, _ more: String) -> HTTPRequest {
      let prompt =
        path == "/v1/completions"
        ? #""prompt":"A weighbridge is""# : #""messages":[{"role":"user","content":"What is a weighbridge?"}]"#
      return HTTPRequest(method: "POST", path: path, key: key, body: Array(#"{"model":"demo",\#(prompt),\#(more)}"#.utf8))
    }

    @Test(
      "each answer has its index and its end; the prompt is charged once", arguments: ["/v1/chat/completions", "/v1/completions"])
    func whole(_ path: String) async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let one = try await gateway.send(Self.request(customer.key, path, #""max_tokens":6,"temperature":0"#)).json
        let reply = try await gateway.send(Self.request(customer.key, path, #""max_tokens":6,"temperature":0,"n":3"#))
        #expect(reply.status == 200, "\(reply.text)")
        let answer = try reply.json
        let choices = answer["choices"].elements
        #expect(choices.map { $0["index"].integer } == [0, 1, 2])
        func text(_ choice: JSONValue) -> String? { choice["message"]["content"].string ?? choice["text"].string }
        // Greedy: each of them is what one alone is.
        #expect(
          choices.allSatisfy { text($0) == text(one["choices"][0]) && $0["finish_reason"] == one["choices"][0]["finish_reason"] })
        let completion = try #require(one["usage"]["completion_tokens"].integer)
        #expect(answer["usage"]["prompt_tokens"] == one["usage"]["prompt_tokens"])
        #expect(answer["usage"]["completion_tokens"].integer == 3 * completion)
      }
    }

    @Test("a stream tells its answers apart and ends each of them")
    func streamed() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let more = #""max_tokens":6,"temperature":1,"seed":5,"n":2,"stream":true,"stream_options":{"include_usage":true}"#
        let call = try gateway.call(Self.request(customer.key, "/v1/chat/completions", more))
        try await Exchange.finish([call], within: .seconds(30))
        let answer = try call.streamed
        #expect(answer.isDone)
        let choices = answer.events.flatMap { $0["choices"].elements }
        #expect(Set(choices.compactMap { $0["index"].integer }) == [0, 1])
        for index in [0, 1] {
          let own = choices.filter { $0["index"].integer == index }
          #expect(own.first?["delta"]["role"].string == "assistant")
          #expect(own.filter { $0["finish_reason"].string != nil }.count == 1)
        }
        let usage = try #require(answer.events.last)["usage"]
        let total = try await gateway.total(customer: customer.id)
        #expect(total["completion_tokens"] == usage["completion_tokens"])
        #expect(try await gateway.metrics().sum("weighbridge_holds") == 0)
      }
    }
  }
}
