internal import Completions
internal import ConstrainedOutput
internal import Synchronization
internal import Tokenization

/// What a request's text is held to and read as.
struct OutputForm: Sendable {
  struct Calls: Sendable {
    var form: ToolCallForm
    var tools: Set<String>
  }

  /// Nil for free text.
  var grammar: Grammar?
  /// How calls of tools are read from the text; nil where there can be none.
  var calls: Calls?

  /// A function that takes nothing.
  private static let noParameters = #"{"type":"object","additionalProperties":false}"#

  /// - Throws: `invalidRequest` naming the field and, for a schema, the place in it.
  init(_ request: CompletionRequest, template: ChatTemplate?) throws(CompletionError) {
    let tools = request.shownTools
    if tools.isEmpty {
      self.grammar = try Self.grammar(request.output)
      return
    }
    guard case .chat = request.prompt, let form = template?.toolCallForm else {
      throw CompletionError(.invalidRequest, "This model's prompt format has no tools; leave them out.", parameter: "tools")
    }
    guard request.output == .text else {
      throw CompletionError(
        .invalidRequest, "A form of the text cannot be asked for beside tools; set tool_choice to none.",
        parameter: "response_format")
    }
    self.calls = Calls(form: form, tools: Set(tools.map(\.name)))
    switch request.toolChoice {
    case .none, .automatic: break
    case .required: self.grammar = try Self.grammar(tools, form, isParallel: request.allowsParallelToolCalls)
    case .named(let name):
      self.grammar = try Self.grammar(tools.filter { $0.name == name }, form, isParallel: false)
    }
  }

  private static func grammar(_ output: OutputFormat) throws(CompletionError) -> Grammar? {
    do {
      switch output {
      case .text: return nil
      case .jsonObject: return try Grammar.jsonObject()
      case .jsonSchema(let format): return try Grammar.jsonSchema(format.schema)
      }
    } catch {
      throw CompletionError(.invalidRequest, "The schema at \(error.path): \(error.message)", parameter: "response_format")
    }
  }

  private static func grammar(
    _ tools: [ToolDefinition], _ form: ToolCallForm, isParallel: Bool
  ) throws(CompletionError) -> Grammar {
    // Each alone first, so that an error names the tool.
    for (index, tool) in tools.enumerated() {
      do {
        _ = try Grammar.jsonSchema(tool.parameters ?? Self.noParameters)
      } catch {
        throw CompletionError(
          .invalidRequest, "The schema at \(error.path): \(error.message)", parameter: "tools[\(index)].function.parameters")
      }
    }
    let parts: [Grammar.Part]
    switch form {
    case .object(let key): parts = [.oneOf(tools.map { Self.call($0, key, "", "") })]
    case .tagged(let open, let close, let key):
      let call = Grammar.Part.oneOf(tools.map { Self.call($0, key, open + "\n", "\n" + close) })
      parts = isParallel ? [.some([call], separator: "\n")] : [call]
    }
    do {
      return try Grammar.envelope(parts)
    } catch {
      throw CompletionError(.invalidRequest, "The schema at \(error.path): \(error.message)", parameter: "tools")
    }
  }

  /// A call as the templates show it; names are checked to be plain (``PromptPreparation``).
  private static func call(_ tool: ToolDefinition, _ key: String, _ before: String, _ behind: String) -> [Grammar.Part] {
    [
      .text("\(before){\"name\": \"\(tool.name)\", \"\(key)\": "), .schema(tool.parameters ?? Self.noParameters),
      .text("}\(behind)"),
    ]
  }
}

extension CompletionRequest {
  /// The tools that the model gets to see.
  var shownTools: [ToolDefinition] { self.toolChoice == .none ? [] : self.tools }
}

/// A vocabulary arranged for grammars, once it is needed: by the caller, as the engine's thread should not wait for it.
final class TokenIndex: Sendable {
  private let index = Mutex<TokenVocabulary?>(nil)

  func vocabulary(of tokenizer: any Tokenizer) -> TokenVocabulary {
    self.index.withLock { known in
      if let known { return known }
      let surfaces = (0..<tokenizer.vocabularySize).map { token -> [UInt8] in
        var bytes: [UInt8] = []
        tokenizer.appendBytes(of: Int32(token), to: &bytes)
        return bytes
      }
      let ends = (0..<Int32(tokenizer.vocabularySize)).filter { tokenizer.isEndOfText($0) }
      let vocabulary = TokenVocabulary(surfaces: surfaces, ends: ends)
      known = vocabulary
      return vocabulary
    }
  }
}
