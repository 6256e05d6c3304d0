/// Bytes that are not a sketch or bitmap of ours, or not an undamaged one.
public struct AudienceFormatError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Reason: String, Sendable, CaseIterable {
    /// Other bytes than a format of ours begins with.
    case foreign
    /// A version, or parameters, of which this program knows nothing or that the receiver does not have.
    case unsupported
    case truncated
    case trailing
    case checksum
    /// A value that no counting leaves, or not in this place.
    case impossible
  }

  public let reason: Reason
  /// Of the first byte of the field, from the start of the sketch or of the stream.
  public let offset: Int
  public let field: String

  init(_ reason: Reason, at offset: Int, _ field: String) {
    self.reason = reason
    self.offset = offset
    self.field = field
  }

  public var description: String { "\(self.field) at byte \(self.offset): \(self.problem)" }

  private var problem: String {
    switch self.reason {
    case .foreign: "these bytes are something else; give the file that was exported as a user sketch or a user bitmap"
    case .unsupported: "not supported here; export it again with the same version and the same size on all nodes"
    case .truncated: "the bytes end too early; export or copy it again"
    case .trailing: "bytes follow where there should be none; export or copy it again"
    case .checksum: "the bytes were changed after they were written; export or copy it again"
    case .impossible: "no counting leaves this value; the bytes were not written by this program: do not use them"
    }
  }
}
