internal import ConstrainedOutput
internal import Documents
internal import OpenAIWire

/// One fuzzing step: reads the bytes as the body of every route that takes one.
@discardableResult
func fuzzRequests(_ bytes: [UInt8]) -> Bool {
  guard let body = try? Document.parseJSON(bytes, limits: smallJSON) else { return false }
  // None is skipped once another was accepted.
  let accepted = [
    isRead { () throws(DocumentError) in _ = try ChatCompletionRequest(body) },
    isRead { () throws(DocumentError) in _ = try MessagesRequest(body) },
    isRead { () throws(DocumentError) in _ = try ResponsesRequest(body) },
    isRead { () throws(DocumentError) in _ = try EmbeddingsRequest(body) },
    isRead { () throws(DocumentError) in _ = try LegacyCompletionRequest(body) },
    isRead { () throws(DocumentError) in _ = try TokenizeRequest(body) },
    isRead { () throws(DocumentError) in _ = try DetokenizeRequest(body) },
    isRead { () throws(DocumentError) in _ = try ModerationRequest(body) },
  ]
  return accepted.contains(true)
}

/// The bytes as a stream of another server: events, and the chunk in each.
@discardableResult
func fuzzUpstream(_ bytes: [UInt8]) -> Bool {
  var reader = EventStreamReader(limit: 1 << 14)
  var read = 0
  // As they would come from a socket, in pieces of different sizes.
  var rest = bytes[...]
  var size = 1
  do {
    while !rest.isEmpty {
      reader.append(rest.prefix(size))
      rest = rest.dropFirst(size)
      size = size % 61 + 7
      while let event = try reader.next() {
        _ = try UpstreamChunk(event)
        read += 1
      }
    }
    return read > 0
  } catch {
    return false
  }
}

/// The bytes as a JSON Schema: a grammar, or a refusal that names the place.
@discardableResult
func fuzzSchema(_ bytes: [UInt8]) -> Bool {
  guard let text = String(validating: bytes, as: UTF8.self) else { return false }
  do throws(GrammarError) {
    _ = try Grammar.jsonSchema(text)
    return true
  } catch {
    precondition(!"\(error)".isEmpty)
    return false
  }
}
