internal import AcceptableUse
internal import Documents
internal import GovernanceTypes

/// What the operator set for acceptable use, for everybody or for one customer, as stored.
struct StoredConduct: Sendable {
  /// Nil for everybody.
  var customer: CustomerID?
  var modes: PolicySettings
  var stream: StreamTerms
  /// The replay on whose evidence something came to be enforced, in figures.
  var replay: JSON?
  var recordedBy: String
  var recordedAt: Timestamp

  /// What an object for everybody is stored as.
  static let everybody = "all"

  var id: String { self.customer?.description ?? Self.everybody }

  var json: JSON {
    [
      "id": .string(self.id), "object": "acceptable_use", "customer": JSON(self.customer?.description), "modes": self.modes.json,
      "stream": ["hold": .string(self.stream.hold.rawValue), "maximum_bytes": .integer(self.stream.maximumBytes)],
      "replay": self.replay ?? .null, "recorded_by": .string(self.recordedBy),
      "recorded_at": .string(self.recordedAt.description),
    ]
  }

  /// Reads what a person sets: `{"modes":{"rules","uses","classifier"},"stream":{"hold","maximum_bytes"},"replay":{…}}`.
  init(
    request document: Document, customer: CustomerID?, by actor: Actor, at now: Timestamp
  ) throws(DocumentError) {
    var reader = try DocumentReader(document)
    try self.init(&reader, customer: customer, by: actor.name, at: now)
    try reader.finish()
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    _ = try reader.string("id")
    _ = try reader.string("object")
    let by = try reader.string("recorded_by")
    try self.init(
      &reader, customer: try reader.optionalIdentifier("customer"), by: by, at: try reader.timestamp("recorded_at"))
    try reader.finish()
  }

  private init(
    _ reader: inout DocumentReader, customer: CustomerID?, by name: String, at now: Timestamp
  ) throws(DocumentError) {
    self.customer = customer
    self.modes =
      try reader.document("modes").map { (modes) throws(DocumentError) in try PolicySettings(modes) } ?? PolicySettings()
    self.stream = StreamTerms()
    if var entry = try reader.optionalReader("stream") {
      if try entry.optionalString("hold") != nil { self.stream.hold = try entry.choice("hold") }
      // Whoever waits for the end of a sentence or of all wants it held, not as much of it as fits into the usual bound.
      let usual = self.stream.hold == .live ? StreamGuard.defaultHold : 64 << 10
      self.stream.maximumBytes = try entry.optionalInteger("maximum_bytes", in: 0...StreamTerms.mostBytes) ?? usual
      try entry.finish()
    }
    self.replay = reader.document("replay").map { JSON($0) }
    self.recordedBy = name
    self.recordedAt = now
  }
}
