internal import Foundation
internal import GovernanceTypes

/// Writes a directory of plain files as an archive of the POSIX form `ustar`.
enum TarArchive {
  static func write(directory: String, named name: String, to path: String) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
      throw StartFailure("\(path) cannot be written")
    }
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    defer { output.closeFile() }
    for relative in try FileManager.default.subpathsOfDirectory(atPath: directory).sorted() {
      var isDirectory: ObjCBool = false
      let file = "\(directory)/\(relative)"
      guard FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory), !isDirectory.boolValue else { continue }
      try self.append(file, as: "\(name)/\(relative)", to: output)
    }
    try output.write(contentsOf: Data(count: 1024))
  }

  private static func append(_ file: String, as name: String, to output: FileHandle) throws {
    guard let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int else {
      throw StartFailure("\(file) has no size")
    }
    try output.write(contentsOf: Data(try self.header(name: name, size: size)))
    let input = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
    defer { input.closeFile() }
    while let piece = try input.read(upToCount: 1 << 20), !piece.isEmpty { try output.write(contentsOf: piece) }
    try output.write(contentsOf: Data(count: (512 - size % 512) % 512))
  }

  /// One block of 512 bytes: name, mode, owner, size and time in octal, a sum of its own bytes, the type and the magic.
  private static func header(name: String, size: Int) throws -> [UInt8] {
    guard name.utf8.count <= 100 else { throw StartFailure("the name '\(name)' is too long for the archive") }
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) { block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8) }
    func octal(_ value: Int, digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
    put(name, at: 0)
    put(octal(0o644, digits: 7), at: 100)
    put(octal(0, digits: 7), at: 108)
    put(octal(0, digits: 7), at: 116)
    put(octal(size, digits: 11), at: 124)
    put(octal(Int(wallClock().seconds), digits: 11), at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(block.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148)
    return block
  }
}
