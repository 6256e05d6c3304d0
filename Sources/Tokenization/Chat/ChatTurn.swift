/// One message of a conversation, as a chat template takes it.
public struct ChatTurn: Sendable, Equatable {
  public enum Role: String, Sendable {
    case system
    case user
    case assistant
  }

  public var role: Role
  public var text: String

  public init(_ role: Role, _ text: String) {
    self.role = role
    self.text = text
  }
}

/// Why a conversation does not fit a chat template.
public struct ChatTemplateError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    case empty
    case systemMessageMisplaced = "system_message_misplaced"
    case assistantMessageMisplaced = "assistant_message_misplaced"
    case lastMessageNotUser = "last_message_not_user"
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
