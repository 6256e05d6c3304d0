internal import Audience
internal import Documents
internal import GovernanceTypes

/// Calls of one key for one model in a month that named no end user, as far as the disk knows of them.
///
/// The first calls are noted one by one. Later ones are noted ahead, a sixty-fourth of what there were, so that a busy key does not
/// write a row with each call; after a crash the number may be too high by that much, which an upper bound may be.
struct AnonymousTally: Sendable {
  let month: CalendarMonth
  let key: UserFingerprint
  let model: ModelID
  let scopes: [AudienceScope]
  private(set) var calls = 0
  /// What the disk has been told.
  private(set) var noted = 0

  init(month: CalendarMonth, key: UserFingerprint, model: ModelID, scopes: [AudienceScope]) {
    self.month = month
    self.key = key
    self.model = model
    self.scopes = scopes
  }

  /// Counts a call. Returns whether the disk has to be told.
  mutating func count() -> Bool {
    self.calls = min(AudienceEstimate.largest, self.calls + 1)
    guard self.calls > self.noted else { return false }
    self.noted = self.calls + self.calls / 64
    return true
  }

  /// What was to be noted did not reach the disk: the next call notes it again.
  mutating func wasNotNoted() { self.noted = 0 }

  var object: StoredObject {
    StoredObject(
      kind: .anonymousCalls, id: "\(self.month) \(self.hexadecimalKey) \(self.model)", customer: nil,
      body: [
        "object": "anonymous_calls", "month": .string(self.month.description), "key": .string(self.hexadecimalKey),
        "model": .string(self.model.name), "scopes": .array(self.scopes.map { .string($0.name) }),
        "calls": .integer(self.noted),
      ], salt: [])
  }

  private var hexadecimalKey: String {
    let digits = String(self.key.value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    _ = try reader.string("object")
    guard let month = CalendarMonth(try reader.string("month")) else { throw reader.failure("month", "a month belongs here") }
    guard let key = UInt64(try reader.string("key"), radix: 16) else {
      throw reader.failure("key", "16 hexadecimal digits belong here")
    }
    self.init(
      month: month, key: UserFingerprint(key), model: ModelID(try reader.string("model")),
      scopes: try reader.strings("scopes").map { AudienceScope($0) })
    self.calls = try reader.integer("calls", in: 0...AudienceEstimate.largest)
    self.noted = self.calls
    try reader.finish()
  }

  struct Place: Hashable, Sendable {
    let month: CalendarMonth
    let key: UserFingerprint
    let model: ModelID
  }

  var place: Place { Place(month: self.month, key: self.key, model: self.model) }
}

extension GateState {
  /// Counts a call that named no end user. Returns the tally where the disk has to be told.
  mutating func countAnonymous(
    _ key: UserFingerprint, _ model: ModelID, in scopes: [AudienceScope], month: CalendarMonth
  )
    -> AnonymousTally?
  {
    let fresh = AnonymousTally(month: month, key: key, model: model, scopes: scopes)
    let mustNote = self.anonymous[fresh.place, default: fresh].count()
    return mustNote ? self.anonymous[fresh.place] : nil
  }

  mutating func take(anonymousCalls document: Document) throws(DocumentError) {
    let tally = try AnonymousTally(stored: document)
    guard tally.month >= self.lastTime.month.previous else { return }
    self.anonymous[tally.place] = tally
    for scope in tally.scopes {
      self.audience.restoreAnonymous(key: tally.key, calls: tally.calls, in: scope, month: tally.month)
    }
  }

  /// Takes back what could not be made durable, so that it is counted, and told to the disk, when the user comes again.
  mutating func uncount(_ counted: CountedUser) {
    for scope in counted.newIn { self.audience.remove(counted.fingerprint, from: scope, month: counted.month) }
    if let tally = counted.anonymous { self.anonymous[tally.place]?.wasNotNoted() }
  }
}
