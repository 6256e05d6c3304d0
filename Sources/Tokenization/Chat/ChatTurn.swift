/// One message of a conversation, as a chat template takes it.
public struct ChatTurn: Sendable, Equatable {
  public enum Role: String, Sendable {
    case system
    case user
    case assistant
    /// What a tool answered.
    case tool
  }

  public var role: Role
  public var text: String
  /// What an assistant's turn asked tools for.
  public var calls: [ChatCall]

  public init(_ role: Role, _ text: String, calls: [ChatCall] = []) {
    self.role = role
    self.text = text
    self.calls = calls
  }
}

/// A call of a tool, as it stands in a conversation.
public struct ChatCall: Sendable, Equatable {
  public var name: String
  /// A JSON value as text.
  public var arguments: String

  public init(name: String, arguments: String) {
    self.name = name
    self.arguments = arguments
  }
}

/// A tool that is offered to the model.
public struct ChatTool: Sendable, Equatable {
  public var name: String
  public var description: String?
  /// A JSON Schema as text.
  public var parameters: String?

  public init(name: String, description: String? = nil, parameters: String? = nil) {
    self.name = name
    self.description = description
    self.parameters = parameters
  }
}

/// Why a conversation does not fit a chat template.
public struct ChatTemplateError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    case empty
    case systemMessageMisplaced = "system_message_misplaced"
    case assistantMessageMisplaced = "assistant_message_misplaced"
    case lastMessageNotUser = "last_message_not_user"
    /// The template has no tools, or not in this place or number.
    case toolsUnsupported = "tools_unsupported"
    /// A text that must be JSON is not.
    case malformedJSON = "malformed_json"
    /// The vocabulary lacks a control token of the template.
    case tokenMissing = "token_missing"
  }

  public let code: Code
  /// The position, from 0, of the message at fault; for `empty`, 0.
  public let messageIndex: Int
  /// What is wrong and the remedy.
  public let message: String

  public init(_ code: Code, messageIndex: Int, message: String) {
    self.code = code
    self.messageIndex = messageIndex
    self.message = message
  }

  public var description: String { "messages[\(self.messageIndex)]: \(self.message)" }
}
