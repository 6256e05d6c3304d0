// EngineFixtures: what the engine's tests share: reference data that is made elsewhere and tiny models that are made on the spot.
// It holds readers for reference files, a writer of GGUF files and seeded numbers.
// It must never know the code under test.

public import Foundation

/// Reference data outside the repository; tests that need it are skipped where it is absent.
public enum SharedData {
  /// `WEIGHBRIDGE_SHARED`, else `../shared` beside the repository.
  public static let root: URL? = {
    let environment = ProcessInfo.processInfo.environment["WEIGHBRIDGE_SHARED"]
    let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let folder = environment.map { URL(filePath: $0) } ?? repository.deletingLastPathComponent().appending(path: "shared")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  public static let hasOracle: Bool = {
    guard let root = Self.root else { return false }
    return FileManager.default.fileExists(atPath: root.appending(path: "data/oracle/ref.json").path)
  }()

  public static func oraclePath(_ name: String) -> String {
    (Self.root ?? URL(filePath: "/")).appending(path: "data/oracle/\(name)").path
  }
}

/// The reference cases of the oracle model.
public struct OracleReference: Decodable, Sendable {
  public struct Case: Decodable, Sendable {
    public let prompt: [Int32]
    public let greedy: [Int32]
  }

  public let cases: [Case]

  public static func load() throws -> OracleReference {
    try JSONDecoder().decode(OracleReference.self, from: Data(contentsOf: URL(filePath: SharedData.oraclePath("ref.json"))))
  }

  /// Logits of case `index` in every position.
  public static func logits(_ index: Int) throws -> [[Float]] {
    try NumPyFile.matrix(path: SharedData.oraclePath("logits-\(index).npy"))
  }
}

/// The little of the `.npy` format that the reference files use: version 1, little-endian f32, C order, two dimensions.
public enum NumPyFile {
  public struct Unreadable: Error { let path: String }

  public static func matrix(path: String) throws -> [[Float]] {
    let data = [UInt8](try Data(contentsOf: URL(filePath: path)))
    guard data.count > 10, data[0] == 0x93, data[6] == 1 else { throw Unreadable(path: path) }
    let headerLength = Int(data[8]) | Int(data[9]) << 8
    let header = String(decoding: data[10..<10 + headerLength], as: UTF8.self)
    guard header.contains("'<f4'"), header.contains("'fortran_order': False"),
      let open = header.firstIndex(of: "("), let close = header.firstIndex(of: ")")
    else { throw Unreadable(path: path) }
    let shape = header[header.index(after: open)..<close].split(separator: ",").compactMap {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    let body = data[(10 + headerLength)...]
    guard shape.count == 2, body.count == 4 * shape[0] * shape[1] else { throw Unreadable(path: path) }
    return body.withUnsafeBytes { raw in
      (0..<shape[0]).map { row in
        (0..<shape[1]).map { raw.loadUnaligned(fromByteOffset: 4 * (row * shape[1] + $0), as: Float.self) }
      }
    }
  }
}
