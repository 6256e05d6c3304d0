public import Completions
public import Documents

/// A request for vectors (`POST /v1/embeddings`).
public struct EmbeddingsRequest: Sendable {
  public enum Encoding: String, Sendable, CaseIterable { case float, base64 }

  public let model: String
  public let inputs: [EmbeddingInput]
  public let encoding: Encoding
  /// How many numbers of each vector are wanted; nil for all.
  public let dimensions: Int?
  public let endUser: String?

  /// - Throws: ``DocumentError`` naming the field and what belongs there.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.model = try reader.string("model")
    self.inputs = try PromptField.inputs(&reader, "input", most: 2048)
    let name = try reader.optionalString("encoding_format") ?? Encoding.float.rawValue
    guard let encoding = Encoding(rawValue: name) else {
      throw reader.failure("encoding_format", "'\(name)' is not one of: float, base64")
    }
    self.encoding = encoding
    self.dimensions = try reader.optionalInteger("dimensions", in: 1...100_000)
    self.endUser = try reader.endUser()
    try reader.finish()
  }
}

/// Vectors in OpenAI's shape.
public enum EmbeddingsWire {
  public static func response(
    _ vectors: [[Float]], model: String, encoding: EmbeddingsRequest.Encoding, promptTokens: Int, extra: [JSONMember]
  ) -> JSON {
    let data = vectors.enumerated().map { index, vector -> JSON in
      ["object": "embedding", "index": .integer(index), "embedding": self.vector(vector, encoding)]
    }
    return .object(
      [
        JSONMember("object", "list"), JSONMember("data", .array(data)), JSONMember("model", .string(model)),
        JSONMember("usage", ["prompt_tokens": .integer(promptTokens), "total_tokens": .integer(promptTokens)]),
      ] + extra)
  }

  private static func vector(_ vector: [Float], _ encoding: EmbeddingsRequest.Encoding) -> JSON {
    switch encoding {
    case .float: .array(vector.map { .number("\($0)") })
    case .base64:
      .string(
        Base64.encode(vector.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) } }))
    }
  }
}

/// RFC 4648, with padding.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for place in 0..<4 {
        text.append(place <= group.count ? self.alphabet[value >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
