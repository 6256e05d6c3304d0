internal import Completions
public import Documents

/// A chat completion request (`POST /v1/chat/completions`), reduced to what is asked of an engine.
///
/// Every field of OpenAI's schema is either honoured or refused by name; a value that changes nothing (`store: false`) is
/// accepted.
public struct ChatCompletionRequest: Sendable {
  public let asked: AskedCompletion
  /// An extra chunk with the usage before `[DONE]`.
  public let includesUsage: Bool

  /// - Throws: ``DocumentError`` naming the field and what belongs there.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let model = try reader.string("model")
    let tools = try ToolFields.chat(&reader)
    var completion = CompletionRequest(
      prompt: .chat(try ChatMessages.read(&reader)), sampling: try reader.sampling(),
      maximumCompletionTokens: try Self.maximumTokens(&reader), stop: try reader.stop(),
      output: try reader.outputFormat("response_format"), logprobs: try Self.logprobs(&reader), tools: tools,
      toolChoice: try ToolFields.choice(&reader, among: tools),
      allowsParallelToolCalls: try reader.optionalBool("parallel_tool_calls") ?? true)
    completion.answers = try reader.answers()
    var asked = AskedCompletion(model: model, completion: completion)
    asked.stream = try reader.optionalBool("stream") ?? false
    self.includesUsage = try reader.includesUsage(stream: asked.stream)
    asked.endUser = try reader.endUser()
    asked.declaredPurpose = try reader.purpose()
    self.asked = asked
    try UnsupportedFields.checkChat(&reader)
    try reader.finish()
  }

  private static func maximumTokens(_ reader: inout DocumentReader) throws(DocumentError) -> Int? {
    let range = 1...(1 << 31)
    let current = try reader.optionalInteger("max_completion_tokens", in: range)
    let deprecated = try reader.optionalInteger("max_tokens", in: range)
    if let current, let deprecated, current != deprecated {
      throw reader.failure("max_tokens", "differs from max_completion_tokens; send one of them")
    }
    return current ?? deprecated
  }

  private static func logprobs(_ reader: inout DocumentReader) throws(DocumentError) -> Int? {
    let wanted = try reader.optionalBool("logprobs") ?? false
    let alternatives = try reader.optionalInteger("top_logprobs", in: 0...20)
    if alternatives != nil, !wanted { throw reader.failure("top_logprobs", "belongs only to requests with \"logprobs\": true") }
    return wanted ? alternatives ?? 0 : nil
  }
}
