/// A function that a model may ask its caller to run.
public struct ToolDefinition: Sendable, Equatable {
  public var name: String
  public var description: String?
  /// A JSON Schema of the arguments as JSON text; nil for a function without any.
  public var parameters: String?

  public init(name: String, description: String? = nil, parameters: String? = nil) {
    self.name = name
    self.description = description
    self.parameters = parameters
  }
}

/// Whether the model must, may or must not call a tool.
public enum ToolChoice: Sendable, Equatable {
  case none
  case automatic
  /// At least one call, of any tool.
  case required
  /// A call of this tool.
  case named(String)
}

/// One call that a model asked for.
public struct ToolCall: Sendable, Equatable {
  /// Names the call in the message that answers it; unique within a conversation.
  public var id: String
  public var name: String
  /// The arguments as JSON text, as the model wrote them: they need not fit the tool's parameters.
  public var arguments: String

  public init(id: String, name: String, arguments: String) {
    self.id = id
    self.name = name
    self.arguments = arguments
  }
}

/// A part of a call as it streams; an engine may send a call in one piece.
public struct ToolCallPiece: Sendable, Equatable {
  /// Which call of the answer this belongs to, from 0.
  public var index: Int
  /// Present in the first piece of a call.
  public var id: String?
  /// Present in the first piece of a call.
  public var name: String?
  /// Text to be put behind that of the earlier pieces.
  public var arguments: String

  public init(index: Int, id: String? = nil, name: String? = nil, arguments: String) {
    self.index = index
    self.id = id
    self.name = name
    self.arguments = arguments
  }
}
