internal import Glibc
import ModelFiles
import Testing

@Suite("Mapping a file")
struct MappedFileTests {
  /// A folder of its own that goes with its contents.
  private static func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/mapped-file-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer {
      for name in ["file", "pipe"] { unlink(folder + "/" + name) }
      rmdir(folder)
    }
    try body(folder)
  }

  private static func write(_ bytes: [UInt8], to path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    #expect(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
  }

  @Test("gives the file's bytes, also after it was unlinked")
  func contents() throws {
    try Self.withFolder { folder in
      let path = folder + "/file"
      Self.write([1, 2, 3], to: path)
      let file = try MappedFile(path: path)
      unlink(path)
      #expect(file.path == path)
      #expect(file.byteCount == 3)
      #expect(Array(file.bytes) == [1, 2, 3])
    }
  }

  @Test("refuses what is not a readable, regular, non-empty file")
  func refusals() throws {
    try Self.withFolder { folder in
      Self.write([], to: folder + "/file")
      mkfifo(folder + "/pipe", 0o600)
      let cases: [(String, ModelFileError.Code)] = [
        (folder + "/absent", .cannotOpen), (folder, .notRegularFile), (folder + "/pipe", .notRegularFile),
        ("/dev/zero", .notRegularFile), (folder + "/file", .empty), ("", .cannotOpen),
        (folder + "/file\0.gguf", .cannotOpen),
      ]
      for (path, code) in cases {
        let error = #expect(throws: ModelFileError.self) { try MappedFile(path: path) }
        #expect(error?.code == code)
        #expect(error?.path == path)
      }
    }
  }

  @Test("names the system's reason")
  func reason() {
    let error = #expect(throws: ModelFileError.self) { try MappedFile(path: "/nonexistent/model.gguf") }
    #expect(error?.description == "/nonexistent/model.gguf: Cannot open: No such file or directory.")
  }

  @Test("holds bytes in memory, page-aligned", arguments: [1, 4_096, 4_097])
  func memory(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    let file = try MappedFile(bytes: bytes, name: "memory")
    #expect(Array(file.bytes) == bytes)
    #expect(UInt(bitPattern: file.bytes.baseAddress).isMultiple(of: 4_096))
    #expect(throws: ModelFileError.self) { try MappedFile(bytes: [], name: "memory") }
  }
}
