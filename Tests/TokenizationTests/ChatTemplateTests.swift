import Testing
import Tokenization

/// Shows a prompt as text: markers by name between braces, texts that are tokenised as if alone between bars.
private struct MarkingTokenizer: Tokenizer {
  var markers: [String]
  let vocabularySize = 0x11_0000
  let beginOfSequence: Int32? = -1
  let endOfSequence: Int32? = -2
  let addsBOS = true
  let addsSpacePrefix = true
  let longestPiece = 4

  func encode(_ text: [UInt8], addBOS: Bool) -> [Int32] {
    [-3] + self.encodeContinuation(text) + [-3]
  }

  func encodeContinuation(_ text: [UInt8]) -> [Int32] {
    String(decoding: text, as: UTF8.self).unicodeScalars.map { Int32($0.value) }
  }

  func appendBytes(of token: Int32, to bytes: inout [UInt8]) {
    switch token {
    case -1: bytes += Array("{BOS}".utf8)
    case -2: bytes += Array("{EOS}".utf8)
    case -3: bytes += Array("|".utf8)
    case ..<(-3): bytes += Array("{\(self.markers[Int(-4 - token)])}".utf8)
    default: if let scalar = Unicode.Scalar(UInt32(token)) { bytes += Array(String(scalar).utf8) }
    }
  }

  func isEndOfText(_ token: Int32) -> Bool { token == -2 }
  func markerToken(_ name: String) -> Int32? { self.markers.firstIndex(of: name).map { Int32(-4 - $0) } }
}

private let llama3Markers = ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
private let chatMLMarkers = ["<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"]

private func rendered(
  _ template: ChatTemplate, _ turns: [ChatTurn], tools: [ChatTool] = [], markers: [String] = llama3Markers + chatMLMarkers
) throws -> String {
  let tokenizer = MarkingTokenizer(markers: markers)
  let text = String(decoding: tokenizer.decode(try template.encode(turns, tools: tools, with: tokenizer)), as: UTF8.self)
  return text.replacing("{<|start_header_id|>}", with: "{<").replacing("{<|end_header_id|>}", with: ">}")
    .replacing("{<|eot_id|>}", with: "{EOT}").replacing("{<|im_start|>}", with: "{S}").replacing("{<|im_end|>}", with: "{E}")
}

@Suite("Chat templates")
struct ChatTemplateTests {
  static let weather = ChatTool(
    name: "weather", description: "of a city", parameters: #"{"type":"object","properties":{"city":{"type":"string"}}}"#)

  @Test("Llama 3: headers by token, texts trimmed, names of control tokens in a text are text")
  func llama3() throws {
    let turns = [
      ChatTurn(.system, " Be brief. "), ChatTurn(.user, "a<|eot_id|>"), ChatTurn(.assistant, "b"), ChatTurn(.user, "c"),
    ]
    #expect(
      try rendered(.llama3, turns) == "{BOS}{<system>}\n\nBe brief.{EOT}{<user>}\n\na<|eot_id|>{EOT}{<assistant>}\n\nb{EOT}"
        + "{<user>}\n\nc{EOT}{<assistant>}\n\n")
  }

  @Test("Llama 3.1: dates in the system turn, tools before the first question, one call, its answer as a JSON string")
  func llama31() throws {
    let dates = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
    #expect(
      try rendered(.llama31, [ChatTurn(.user, "Hi")])
        == "{BOS}{<system>}\n\n\(dates){EOT}{<user>}\n\nHi{EOT}{<assistant>}\n\n")
    let turns = [
      ChatTurn(.system, "S"), ChatTurn(.user, "Rain?"),
      ChatTurn(.assistant, "", calls: [ChatCall(name: "weather", arguments: #"{"city":"Bern"}"#)]), ChatTurn(.tool, "\"wet\""),
    ]
    let text = try rendered(.llama31, turns, tools: [Self.weather])
    #expect(text.hasPrefix("{BOS}{<system>}\n\nEnvironment: ipython\n\(dates)S{EOT}{<user>}\n\nGiven the following functions, "))
    #expect(
      text.hasSuffix(
        """
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "of a city",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "city": {
                            "type": "string"
                        }
                    }
                }
            }
        }

        Rain?{EOT}{<assistant>}\n\n{"name": "weather", "parameters": {"city": "Bern"}}{EOT}{<ipython>}\n\n"\\"wet\\""{EOT}{<assistant>}\n\n
        """))
  }

  @Test("ChatML with tools as Qwen2.5 writes them; neighbouring answers share a turn")
  func chatML() throws {
    let qwen = try #require(ChatTemplate(name: "qwen2"))
    let call = ChatCall(name: "weather", arguments: #"{"city":"Bern"}"#)
    let turns = [
      ChatTurn(.user, "Rain?<|im_end|>"), ChatTurn(.assistant, "", calls: [call, call]), ChatTurn(.tool, "wet"),
      ChatTurn(.tool, "dry"),
    ]
    #expect(
      try rendered(qwen, turns, tools: [Self.weather]) == """
        {S}system


        # Tools

        You may call one or more functions to assist with the user query.

        You are provided with function signatures within <tools></tools> XML tags:
        <tools>
        {"type": "function", "function": {"name": "weather", "description": "of a city", "parameters": {"type": "object", \
        "properties": {"city": {"type": "string"}}}}}
        </tools>

        For each function call, return a json object with function name and arguments within {<tool_call>}{</tool_call>} XML tags:
        {<tool_call>}
        {"name": <function-name>, "arguments": <args-json-object>}
        {</tool_call>}{E}
        {S}user
        Rain?<|im_end|>{E}
        {S}assistant
        {<tool_call>}
        {"name": "weather", "arguments": {"city": "Bern"}}
        {</tool_call>}
        {<tool_call>}
        {"name": "weather", "arguments": {"city": "Bern"}}
        {</tool_call>}{E}
        {S}user
        <tool_response>
        wet
        </tool_response>
        <tool_response>
        dry
        </tool_response>{E}
        {S}assistant

        """)
  }

  @Test("a file's standard system text is taken from its template")
  func standardSystem() throws {
    let template = try #require(
      ChatTemplate(
        template: "{% if messages[0]['role'] == 'system' %}{{ '<|im_start|>system\\n' + messages[0]['content'] }}{% else %}"
          + "{{ '<|im_start|>system\\nYou are kind.<|im_end|>\\n' }}{% endif %}"))
    #expect(try rendered(template, [ChatTurn(.user, "a")]) == "{S}system\nYou are kind.{E}\n{S}user\na{E}\n{S}assistant\n")
    #expect(
      try rendered(template, [ChatTurn(.system, "b"), ChatTurn(.user, "a")]) == "{S}system\nb{E}\n{S}user\na{E}\n{S}assistant\n")
  }

  @Test("Mistral: tags as text, or as tokens where the vocabulary has them")
  func mistral() throws {
    let turns = [ChatTurn(.system, "S"), ChatTurn(.user, "a[/INST]"), ChatTurn(.assistant, "b"), ChatTurn(.user, "c")]
    #expect(try rendered(.mistral, turns) == "{BOS}|[INST] S\n\na [/INST]||b|{EOS}|[INST] c [/INST]|")
    #expect(
      try rendered(.mistral, turns, markers: ["[INST]", "[/INST]"])
        == "{BOS}{[INST]}|a[/INST]|{[/INST]}|b|{EOS}{[INST]}|S\n\nc|{[/INST]}")
  }

  @Test("Llama Guard judges the last message; what would end the conversation early is removed")
  func safeguard() throws {
    let third = try #require(ChatTemplate(name: "llama-guard3"))
    let text = try rendered(third, [ChatTurn(.user, " a "), ChatTurn(.assistant, "b<END CONVERSATION>")])
    #expect(text.hasPrefix("{BOS}{<user>}\n\nTask: Check if there is unsafe content in 'Agent' messages in conversations"))
    #expect(text.contains("S5: Defamation.\n") && text.contains("S14: Code Interpreter Abuse.\n<END UNSAFE CONTENT CATEGORIES>"))
    #expect(
      text.contains(
        "<BEGIN CONVERSATION>\n\nUser: a\n\nAgent: b\n\n<END CONVERSATION>\n\nProvide your safety assessment for ONLY THE LAST Agent message in the"
      ))
    #expect(text.hasSuffix("violated categories.{EOT}{<assistant>}\n\n"))
    let first = try rendered(try #require(ChatTemplate(name: "llama-guard")), [ChatTurn(.user, "a")])
    #expect(first.hasPrefix("{BOS}|[INST] Task: ") && first.hasSuffix("violated categories. [/INST]|"))
    #expect(first.contains("Provide your safety assessment for User in the above conversation:\n- First line"))
  }

  @Test("a safety model's categories are those of its file")
  func safeguardTemplate() throws {
    let template = try #require(
      ChatTemplate(
        template:
          "{{ '[INST] Task … <BEGIN UNSAFE CONTENT CATEGORIES>\\nO1: Own.\\n<END UNSAFE CONTENT CATEGORIES>\\n - First line' }}"))
    let text = try rendered(template, [ChatTurn(.user, "a")])
    #expect(text.contains("CATEGORIES>\nO1: Own.\n<END") && text.contains("\n - First line"))
  }

  @Test(
    "a file's template is recognised by what it is, or not at all",
    arguments: [
      ("{{ '<|start_header_id|>' + message['role'] }}", "llama3"), ("…<|start_header_id|>…Cutting Knowledge Date…", "llama3.1"),
      ("[INST] … <<SYS>>", "llama2"), ("'[INST] ' + x + '[/INST]'", "mistral"), ("<|im_start|>", "chatml"),
      ("<|im_start|> <tool_call>", "qwen2"), ("<|im_start|><|im_sep|>", nil), ("[INST][/INST][SYSTEM_PROMPT]", nil),
      ("{{ '<|user|>' }}", nil), ("", nil),
    ] as [(String, String?)])
  func recognition(template: String, name: String?) {
    #expect(ChatTemplate(template: template) == name.flatMap { ChatTemplate(name: $0) })
  }

  @Test("what a template cannot say is refused with the message at fault")
  func refusals() throws {
    let code = { (template: ChatTemplate, turns: [ChatTurn], tools: [ChatTool], markers: [String]) -> ChatTemplateError? in
      #expect(throws: ChatTemplateError.self) { try rendered(template, turns, tools: tools, markers: markers) }
    }
    let call = ChatCall(name: "weather", arguments: "{}")
    #expect(code(.llama3, [ChatTurn(.user, "a")], [Self.weather], llama3Markers)?.code == .toolsUnsupported)
    #expect(code(.llama2, [ChatTurn(.user, "a"), ChatTurn(.tool, "b")], [], [])?.messageIndex == 1)
    #expect(code(.llama3, [ChatTurn(.user, "a")], [], [])?.code == .tokenMissing)
    let two = [ChatTurn(.user, "a"), ChatTurn(.assistant, "", calls: [call, call])]
    #expect(code(.llama31, two, [], llama3Markers)?.messageIndex == 1)
    let broken = [ChatTurn(.user, "a"), ChatTurn(.assistant, "", calls: [ChatCall(name: "f", arguments: "{")])]
    #expect(code(.llama31, broken, [], llama3Markers)?.code == .malformedJSON)
    #expect(code(.llama31, [ChatTurn(.user, "a")], [ChatTool(name: "f", parameters: "{")], llama3Markers)?.code == .malformedJSON)
    #expect(code(.mistral, [ChatTurn(.assistant, "a")], [], [])?.code == .assistantMessageMisplaced)
    #expect(code(.mistral, [], [], [])?.code == .empty)
  }
}

@Suite("Tool calls in a model's text")
struct ToolCallTests {
  static let tagged = ToolCallForm.tagged(open: "<tool_call>", close: "</tool_call>", arguments: "arguments")
  static let object = ToolCallForm.object(arguments: "parameters")

  /// What is shown as it streams, the rest at the end, and the calls.
  static func read(_ form: ToolCallForm, _ pieces: [String]) -> (shown: [String], rest: String, calls: [ChatCall]) {
    var filter = ToolCallFilter(form, tools: ["f", "g"])
    let shown = pieces.map { filter.append($0) }
    let (rest, calls) = filter.finish()
    return (shown, rest, calls)
  }

  @Test("tags across pieces; text before them is shown, text that is no call comes back")
  func tags() {
    let call = Self.read(
      Self.tagged,
      [
        "Well <", "b> <tool_", "call>\n{\"name\": \"f\", \"arguments\"", ": {\"a\": 1}}\n</tool_call>\n",
        "<tool_call>{\"name\":\"g\"}",
      ])
    #expect(call.shown == ["Well ", "<b> ", "", "", ""])
    #expect(call.rest == "" && call.calls == [ChatCall(name: "f", arguments: "{\"a\":1}"), ChatCall(name: "g", arguments: "{}")])
    for text in [
      "<tool_call>{\"name\": \"h\"}</tool_call>", "<tool_call>{", "<tool_call>{\"name\":\"f\",\"arguments\":1}</tool_call>x",
    ] {
      let none = Self.read(Self.tagged, [text])
      #expect(none.calls.isEmpty && none.shown.joined() + none.rest == text)
    }
  }

  @Test("a text that is one object is a call, any other text is shown")
  func objects() {
    let call = Self.read(Self.object, [" \n", "{\"name\": \"f\", ", "\"parameters\": {}}"])
    #expect(call.shown.joined().isEmpty && call.calls == [ChatCall(name: "f", arguments: "{}")])
    for text in ["{\"name\": \"h\", \"parameters\": {}}", "{\"a\": 1}", "{", "I say {\"name\": \"f\"}"] {
      let none = Self.read(Self.object, text.map(String.init))
      #expect(none.calls.isEmpty && none.shown.joined() + none.rest == text)
    }
  }
}
