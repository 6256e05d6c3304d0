import Completions
import Testing

@testable import OpenAIWire

@Suite("Streams of other servers, read")
struct UpstreamReadingTests {
  @Test("events come out whole, however the bytes were cut")
  func cuts() throws {
    let stream = "data: a\r\n\r\n: comment\n\nevent: x\nid: 7\ndata: b\ndata:c\n\ndata\n\ndatax: no\n\ndata: unfinished\n"
    for size in 1...stream.utf8.count {
      var reader = EventStreamReader()
      var events: [String] = []
      let bytes = Array(stream.utf8)
      for start in stride(from: 0, to: bytes.count, by: size) {
        reader.append(bytes[start..<min(start + size, bytes.count)])
        while let event = try reader.next() { events.append(String(decoding: event, as: UTF8.self)) }
      }
      #expect(events == ["a", "b\nc", ""])
    }
  }

  @Test("an event beyond the limit is refused, whether it ends or not")
  func limit() throws {
    var reader = EventStreamReader(limit: 10)
    reader.append(Array("data: 12345678901\n\n".utf8))
    #expect(throws: EventStreamReader.TooLarge.self) { try reader.next() }
    var endless = EventStreamReader(limit: 10)
    endless.append(Array("data: 1234567".utf8))
    #expect(throws: EventStreamReader.TooLarge.self) { try endless.next() }
    var fits = EventStreamReader(limit: 10)
    fits.append(Array("data: 1234\n\n".utf8))
    #expect(try fits.next() == Array("1234".utf8))
  }

  @Test("what a chunk says")
  func chunk() throws {
    let chunk = try UpstreamChunk(
      Array(
        #"""
        {"id":"x","surprise":[1],"choices":[{"index":0,"delta":{"content":"hé","role":"assistant"},"finish_reason":"stop",
         "logprobs":{"content":[{"token":"hé","bytes":[104,195,169],"logprob":-0.5,"top_logprobs":[{"token":"ho","logprob":-1}]}]}}],
         "usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3}}}
        """#.utf8))
    #expect(chunk.text == "hé")
    #expect(chunk.finish == "stop")
    #expect(chunk.usage == UpstreamChunk.ReportedUsage(prompt: 5, cached: 3, completion: 2))
    #expect(
      chunk.logprobs == [
        TokenLogprob(
          token: ScoredToken(text: "hé", bytes: [104, 195, 169], logprob: -0.5),
          alternatives: [ScoredToken(text: "ho", bytes: [104, 111], logprob: -1)])
      ])
  }

  @Test("another choice than the first is not ours")
  func otherChoice() throws {
    let chunk = try UpstreamChunk(Array(#"{"choices":[{"index":1,"delta":{"content":"no"}}]}"#.utf8))
    #expect(chunk == UpstreamChunk(text: ""))
  }

  @Test(
    "what is no chunk is refused",
    arguments: [
      "", "{", "[]", "7", #"{"id":1}"#, #"{"choices":[],"usage":{"prompt_tokens":-1,"completion_tokens":1}}"#,
      #"{"choices":[],"usage":{"prompt_tokens":1.5,"completion_tokens":1}}"#,
      #"{"choices":[],"usage":{"prompt_tokens":99999999999999999999,"completion_tokens":1}}"#,
      #"{"choices":[{"delta":{"tool_calls":[{"index":4000000}]}}]}"#, #"{"error":{"message":"x"}}"#, #"{"error":"x"}"#,
    ])
  func refused(_ text: String) {
    #expect(throws: UpstreamChunk.Fault.self) { try UpstreamChunk(Array(text.utf8)) }
  }
}
