internal import GovernanceTypes

/// What a witness answers.
public enum WitnessAnswer: Equatable, Sendable {
  /// The checkpoint extends all that were cosigned before: keep it, then cosign it.
  case cosign(Checkpoint, text: String)
  /// 400: what was sent is no such request.
  case malformed(String)
  /// 403: no known key of the log has signed the checkpoint.
  case notSigned(String)
  /// 404: the witness does not watch this log.
  case unknownLog(String)
  /// 409: the newest checkpoint cosigned has this size, or another root at it.
  case conflict(size: Int)
  /// 422: the proof does not lead from the newest checkpoint to this one.
  case inconsistent(String)

  /// As HTTP says it.
  public var status: Int {
    switch self {
    case .cosign: 200
    case .malformed: 400
    case .notSigned: 403
    case .unknownLog: 404
    case .conflict: 409
    case .inconsistent: 422
    }
  }
}

/// The logs that a witness watches, each with the newest checkpoint that it has cosigned.
///
/// A value: the caller keeps what is to be kept on disk, and answers after that.
public struct WitnessedLogs: Sendable {
  private struct Log: Sendable {
    var keys: [NoteKey]
    var newest: Checkpoint?
  }

  private let tree: MerkleTree
  private let verify: SignatureVerification
  private var logs: [String: Log] = [:]

  public init(tree: MerkleTree, verify: @escaping SignatureVerification) {
    self.tree = tree
    self.verify = verify
  }

  public var origins: [String] { self.logs.keys.sorted() }

  /// The newest checkpoint cosigned of a log.
  public func newest(of origin: String) -> Checkpoint? { self.logs[origin]?.newest }

  /// Watches the log of a key, under the key's name; a second key of one name is another key of the same log.
  public mutating func watch(_ key: NoteKey) {
    guard !(self.logs[key.name]?.keys.contains(key) ?? false) else { return }
    self.logs[key.name, default: Log(keys: [])].keys.append(key)
  }

  /// Takes up the newest checkpoint that an earlier run has cosigned.
  ///
  /// - Throws: ``NoteError`` where no watched log has signed it.
  public mutating func restore(_ note: [UInt8]) throws(NoteError) {
    let checkpoint = try Checkpoint(text: try SignedNote(note).text)
    guard let log = self.logs[checkpoint.origin] else {
      throw NoteError(line: 1, message: "the log '\(checkpoint.origin)' is not watched")
    }
    let opened = try CheckpointVerifier(origin: checkpoint.origin, keys: log.keys, verify: self.verify).open(note)
    self.logs[checkpoint.origin]?.newest = opened
  }

  /// Judges a request, in the order of C2SP tlog-witness. Changes nothing.
  public func judge(_ bytes: [UInt8]) -> WitnessAnswer {
    let request: AddCheckpoint
    let claimed: Checkpoint
    let text: String
    do throws(NoteError) {
      request = try AddCheckpoint(bytes)
      text = try SignedNote(request.checkpoint).text
      claimed = try Checkpoint(text: text)
    } catch { return .malformed("\(error)") }
    guard let log = self.logs[claimed.origin] else { return .unknownLog(claimed.origin) }
    let checkpoint: Checkpoint
    do throws(NoteError) {
      checkpoint = try CheckpointVerifier(origin: claimed.origin, keys: log.keys, verify: self.verify).open(request.checkpoint)
    } catch { return .notSigned("\(error)") }
    guard request.oldSize <= checkpoint.size else { return .malformed("the old size is above that of the checkpoint") }
    let newest = log.newest ?? Checkpoint(origin: claimed.origin, size: 0, root: self.tree.emptyRoot)
    guard request.oldSize == newest.size else { return .conflict(size: newest.size) }
    if newest.size == checkpoint.size, newest.root != checkpoint.root { return .conflict(size: newest.size) }
    guard
      self.tree.verifyConsistency(
        from: (newest.size, newest.root), to: (checkpoint.size, checkpoint.root), proof: request.proof)
    else { return .inconsistent("the proof does not lead from the checkpoint of size \(newest.size) to this one") }
    return .cosign(checkpoint, text: text)
  }

  /// The checkpoint of an answer is on disk: it is the newest from now on.
  public mutating func keep(_ checkpoint: Checkpoint) { self.logs[checkpoint.origin]?.newest = checkpoint }
}
