public import AuditTrail
internal import Glibc

/// A bundle in a tar archive (`ustar`), read in place: nothing is unpacked, so nothing can be written anywhere.
///
/// The archive's one top folder, where it has one, is left out of the paths.
public struct BundleArchive: BundleSource, Sendable {
  private struct Place: Sendable {
    var offset: Int
    var size: Int
  }

  public let path: String
  private let places: [String: Place]

  private static let filesMaximum = 100_000
  private static let pieceSize = 1 << 20

  /// Reads the archive's headers. O(files).
  ///
  /// - Throws: ``BundleDirectoryError`` where it is no archive, a name leaves it, a member is no plain file, or it ends too early.
  public init(path: String) throws(BundleDirectoryError) {
    self.path = path
    let file = try OpenFile(reading: path)
    let length = try file.size()
    var places: [String: Place] = [:]
    var offset = 0
    func failure(_ message: String) -> BundleDirectoryError {
      BundleDirectoryError(path: path, message: "\(message), in the header at byte \(offset)")
    }
    while true {
      let block = try file.read(at: offset, count: 512)
      guard block.count == 512 else { throw failure("the archive ends without its two empty blocks") }
      if block.allSatisfy({ $0 == 0 }) { break }
      guard Array(block[257..<262]) == Array("ustar".utf8), Self.hasSum(block) else {
        throw failure("this is no archive of the form ustar")
      }
      guard let size = Self.octal(block[124..<136]), size <= length - offset - 512 else { throw failure("a size is wrong") }
      let name = Self.name(block)
      switch block[156] {
      case UInt8(ascii: "5"): break
      case UInt8(ascii: "0"), 0:
        guard let relative = Self.relative(name) else { throw failure("the name '\(name.prefix(80))' leaves the bundle") }
        guard places.updateValue(Place(offset: offset + 512, size: size), forKey: relative) == nil else {
          throw failure("'\(relative.prefix(80))' is there twice")
        }
      default: throw failure("'\(name.prefix(80))' is neither a file nor a directory")
      }
      guard places.count <= Self.filesMaximum else { throw failure("there are more than \(Self.filesMaximum) files") }
      offset += 512 + (size + 511) / 512 * 512
    }
    self.places = places
  }

  public func paths() throws -> [String] { Array(self.places.keys) }

  public func open(_ path: String) throws -> () throws -> [UInt8]? {
    guard let place = self.places[path] else { throw BundleDirectoryError(path: path, message: "is not in the archive") }
    let file = try OpenFile(reading: self.path)
    var done = 0
    return {
      guard done < place.size else { return nil }
      let bytes = try file.read(at: place.offset + done, count: min(Self.pieceSize, place.size - done))
      guard !bytes.isEmpty else { throw BundleDirectoryError(path: path, message: "the archive ends inside it") }
      done += bytes.count
      return bytes
    }
  }

  /// The name below the top folder; nil where a segment of it is empty, `.` or `..`, or it begins with a slash.
  private static func relative(_ name: String) -> String? {
    var segments = name.split(separator: "/", omittingEmptySubsequences: false)
    if segments.first == "." { segments.removeFirst() }
    guard !segments.isEmpty, segments.count <= 6, segments.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
      return nil
    }
    if segments.count > 1, !["keys", "proofs", "terms"].contains(segments[0]) { segments.removeFirst() }
    return segments.joined(separator: "/")
  }

  private static func name(_ block: [UInt8]) -> String {
    func text(_ range: Range<Int>) -> String { String(decoding: block[range].prefix { $0 != 0 }, as: UTF8.self) }
    let prefix = text(345..<500)
    return prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))"
  }

  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    guard !digits.isEmpty, digits.count <= 12 else { return nil }
    var value = 0
    for digit in digits {
      guard (0x30...0x37).contains(digit) else { return nil }
      value = value << 3 | Int(digit - 0x30)
    }
    return value
  }

  private static func hasSum(_ block: [UInt8]) -> Bool {
    let sum = block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element)) }
    return Self.octal(block[148..<156]) == sum
  }
}
