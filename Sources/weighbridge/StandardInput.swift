internal import Foundation

/// Standard input, whole or by line.
enum StandardInput {
  static func text() -> String { String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self) }

  /// The next line without its end; nil at the end of input.
  static func line() -> String? { readLine(strippingNewline: true) }
}
