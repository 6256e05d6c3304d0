internal import AsyncHTTPClient
internal import AuditSigning
internal import AuditTrail
internal import NIOCore
internal import NIOHTTP1

/// What a witness holds against a log.
enum WitnessDisagrees: Error, CustomStringConvertible {
  case rolledBack(seen: Int, size: Int)
  case forked(size: Int)

  var description: String {
    switch self {
    case .rolledBack(let seen, let size): "it has seen \(seen) entries, and there are \(size)"
    case .forked(let size): "it has seen other entries up to \(size)"
    }
  }
}

/// A witness that could not be asked, or answered with something else.
struct WitnessUnavailable: Error, CustomStringConvertible {
  let description: String
}

/// One witness of this log's checkpoints, asked over HTTP (C2SP tlog-witness).
actor WitnessClient {
  /// Checks its cosignatures.
  nonisolated let key: NoteKey
  private let url: String
  /// The size of the newest checkpoint that it has cosigned, as far as it is known.
  private var oldSize: Int?

  private static let timeout = TimeAmount.seconds(3)

  init(url: String, key: NoteKey) {
    self.url = (url.hasSuffix("/") ? String(url.dropLast()) : url) + "/add-checkpoint"
    self.key = key
  }

  /// Has a checkpoint cosigned.
  ///
  /// - Returns: the witness's valid signatures.
  /// - Throws: ``WitnessDisagrees``, ``WitnessUnavailable``.
  func cosign(_ note: SignedNote, size: Int, tree: LogTree) async throws -> [NoteSignature] {
    for _ in 0..<3 {
      let old = self.oldSize ?? 0
      guard old <= size else { throw WitnessDisagrees.rolledBack(seen: old, size: size) }
      let proof = try tree.consistencyProof(from: old, to: size)
      let (status, body) = try await self.post(AddCheckpoint(oldSize: old, proof: proof, checkpoint: note.bytes))
      switch status {
      case 200:
        let answered = note.adding(try SignedNote.signatures(body))
        guard try answered.cosigned(by: self.key, using: Ed25519Key.verify) != nil else {
          throw WitnessUnavailable(description: "its answer has no signature of \(self.key)")
        }
        self.oldSize = size
        return answered.signatures.filter { $0.name == self.key.name && $0.keyID == self.key.id }
      case 409:
        let seen = try Self.size(body)
        guard seen != old else { throw WitnessDisagrees.forked(size: seen) }
        self.oldSize = seen
      case 422: throw WitnessDisagrees.forked(size: old)
      default: throw WitnessUnavailable(description: "it answered \(status): \(body.prefix(200))")
      }
    }
    throw WitnessUnavailable(description: "its newest size changes from one answer to the next")
  }

  /// The size of the newest checkpoint of this log that it has cosigned; 0 for none.
  ///
  /// - Parameter note: any signed checkpoint of the log: the witness names its size to whoever offers one.
  func newestSize(offering note: String) async throws -> Int {
    let (status, body) = try await self.post(AddCheckpoint(oldSize: 0, proof: [], checkpoint: Array(note.utf8)))
    switch status {
    // It had none, and has taken this one.
    case 200: self.oldSize = nil
    case 409: self.oldSize = try Self.size(body)
    default: throw WitnessUnavailable(description: "it answered \(status): \(body.prefix(200))")
    }
    return self.oldSize ?? 0
  }

  private func post(_ request: AddCheckpoint) async throws -> (status: Int, body: String) {
    var post = HTTPClientRequest(url: self.url)
    post.method = .POST
    post.headers.add(name: "content-type", value: "application/octet-stream")
    post.body = .bytes(ByteBuffer(bytes: request.bytes))
    do {
      let response = try await HTTPClient.shared.execute(post, timeout: Self.timeout)
      let body = try await response.body.collect(upTo: 1 << 16)
      return (Int(response.status.code), String(buffer: body))
    } catch {
      throw WitnessUnavailable(description: "\(self.url) cannot be reached: \(error)")
    }
  }

  private static func size(_ body: String) throws -> Int {
    guard body.hasSuffix("\n"), let size = Int(body.dropLast()), size >= 0 else {
      throw WitnessUnavailable(description: "its answer 409 has no size")
    }
    return size
  }
}
