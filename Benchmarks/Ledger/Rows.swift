internal import AuditSigning
internal import Glibc
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes

/// The store's writer at full load beside raw SQLite, in turn: the same number of rows in a transaction, the same durability, the same
/// interval of copying the write-ahead log back.
///
/// A request's hold and settlement are three log entries and seven rows: three lines, two lookups, a hold, a usage record; the hold is
/// deleted again, which is counted as no row. Raw SQLite writes as many rows twice:
///
/// - *plain*: of the same mean size, into one table with a unique index over 32 bytes, from one string that is there already;
/// - *same*: the very rows that the store wrote, into the very tables, with their indices, checks and triggers, and deletes the holds.
func measureRows(in directory: String) async throws {
  guard mkdir(directory, 0o700) == 0 else {
    say("\(directory) is there already, or cannot be made")
    exit(1)
  }
  for batch in [99, 999] {
    var store: [Double] = []
    var plain: [Double] = []
    var same: [Double] = []
    var entries = 0.0
    var size = 0
    for round in 0..<3 {
      let home = "\(directory)/store-\(batch)-\(round)"
      let run = try await storeRun(batch: batch, in: home)
      let written = WrittenRows(file: "\(home)/\(SQLiteStore.fileName)", entriesPerTransaction: batch)
      entries = run.entriesPerTransaction
      size = written.meanSize
      store.append(Double(written.count) / run.seconds)
      plain.append(plainRate(written, file: "\(directory)/plain-\(batch)-\(round).sqlite"))
      same.append(sameRate(written, file: "\(directory)/same-\(batch)-\(round).sqlite"))
    }
    func ratio(_ raw: [Double]) -> String {
      let median = fixed(store.sorted()[1] / raw.sorted()[1], 2)
      return
        "\(fixed(raw.max() ?? 0, 0)) rows/s: store \(fixed((store.max() ?? 0) / (raw.max() ?? 1), 2)) of it, median \(median)"
    }
    let best = store.max() ?? 0
    say(
      "\(fixed(entries, 0)) entries, \(fixed(entries * 7 / 3, 0)) rows a transaction, \(size) bytes a row: "
        + "store \(fixed(best, 0)) rows/s (\(fixed(best * 3 / 7, 0)) entries/s, hashed into the log)")
    say("  raw SQLite, plain: \(ratio(plain))")
    say("  raw SQLite, same:  \(ratio(same))")
  }
}

/// Seconds for pairs of hold and settle, submitted so that the writer always finds full transactions waiting.
private func storeRun(batch: Int, in directory: String) async throws -> (seconds: Double, entriesPerTransaction: Double) {
  guard mkdir(directory, 0o700) == 0 else {
    say("\(directory) is there already, or cannot be made")
    exit(1)
  }
  let store = try SQLiteStore.open(
    directory: directory, boot: BootID(1), digest: sha256, options: StoreOptions(batchLimit: batch))
  // What the gate says is made beforehand; to put it into lines and rows is the store's part.
  let pairs = (0..<(batch == 99 ? 6600 : 19_980)).map { PairRecords(number: $0) }.map { ($0.opening, $0.closing) }
  let ahead = 2 * 4 * (batch / 3)
  let start = ContinuousClock.now
  var tickets: [CommitTicket] = []
  tickets.reserveCapacity(2 * pairs.count)
  for (opening, closing) in pairs {
    tickets.append(store.submit(opening))
    tickets.append(store.submit(closing))
    if tickets.count > ahead { try await tickets[tickets.count - ahead].durable() }
  }
  for ticket in tickets.suffix(ahead) { try await ticket.durable() }
  let seconds = (ContinuousClock.now - start).seconds
  let statistics = store.statistics
  await store.close()
  return (seconds, Double(statistics.entries) / Double(max(1, statistics.commits)))
}
