internal import Audience
internal import Documents
public import GovernanceTypes
internal import Synchronization

/// The wall clock against one that does not jump, as they stood when they were last compared.
struct ClockBaseline: Sendable {
  var wall: Timestamp
  var uptime: Duration

  /// A difference above this one is a jump, and goes into the log.
  static let tolerance = Duration.seconds(1)

  /// How far the wall clock has moved beyond the time that went by; negative where it was set back.
  func jump(wall: Timestamp, uptime: Duration) -> Duration {
    Duration.nanoseconds(wall.nanoseconds &- self.wall.nanoseconds) - (uptime - self.uptime)
  }
}

extension Gate {
  /// Writes that the gateway is alive, and how it stands; the journal adds what was settled since the log began. A gap between two
  /// heartbeats that is longer than the interval, without a boot in it, shows that entries are missing or the process stood still.
  ///
  /// - Throws: ``Refusal`` where it cannot be made durable.
  public func recordHeartbeat(every interval: Duration) async throws(Refusal) {
    let uptime = self.environment.uptime()
    let ticket = self.state.withLock { state in
      let wall = self.environment.now()
      let fields = [
        JSONMember("interval_seconds", .integer(Int(clamping: interval.components.seconds))),
        JSONMember("uptime_ms", .integer(uptime.milliseconds)), JSONMember("wall", .string(wall.description)),
        JSONMember("open_holds", .integer(state.openHolds.count)), JSONMember("unwritten", .integer(state.unwritten.count)),
      ]
      return self.journal.submit([JournalRecord(LogEntry(.heartbeat, at: state.tick(wall), fields))])
    }
    do { try await ticket.durable() } catch { throw Refusal(error) }
  }

  /// Compares the clocks, and writes an entry where the wall clock has jumped by more than a second since the last comparison.
  ///
  /// - Returns: The jump in milliseconds, where there was one.
  @discardableResult
  public func checkClock() -> Int? {
    let uptime = self.environment.uptime()
    return self.state.withLock { state in
      let wall = self.environment.now()
      let before = state.clock
      state.clock = ClockBaseline(wall: wall, uptime: uptime)
      // The first comparison is with the log: a clock that was set back between two runs is behind its newest entry.
      let jump =
        before?.jump(wall: wall, uptime: uptime) ?? min(.zero, .nanoseconds(wall.nanoseconds &- state.lastTime.nanoseconds))
      guard max(jump, .zero - jump) > ClockBaseline.tolerance else { return nil }
      let fields = [
        JSONMember("reason", before == nil ? "wall clock behind the log" : "wall clock jumped"),
        JSONMember("jump_ms", .integer(jump.milliseconds)), JSONMember("wall", .string(wall.description)),
        JSONMember("uptime_ms", .integer(uptime.milliseconds)),
      ]
      // A journal that fails says so to the next heartbeat.
      _ = self.journal.submit([JournalRecord(LogEntry(.clock, at: state.tick(wall), fields))])
      return jump.milliseconds
    }
  }

  /// Writes what is counted of users in the month of today and the month before, each scope by the digest of its set or sketch, so
  /// that a month's count cannot be made up later.
  ///
  /// - Throws: ``Refusal`` where it cannot be made durable.
  public func recordAudience() async throws(Refusal) {
    let ticket = self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let records = [now.month.previous, now.month].flatMap { month in
        state.audience.estimates(month: month).map { scope, estimate -> JournalRecord in
          let fields = [
            JSONMember("scope", .string(scope.name)), JSONMember("month", .string(month.description)),
            JSONMember("users", .integer(estimate.users)), JSONMember("lower", .integer(estimate.lower)),
            JSONMember("upper", .integer(estimate.upper)), JSONMember("is_exact", .bool(estimate.isExact)),
            JSONMember(
              "sketch_sha256",
              JSON(state.audience.users(scope, month: month).map { self.environment.digest($0.bytes).hexadecimal })),
          ]
          return JournalRecord(LogEntry(.audience, at: now, fields))
        }
      }
      return records.isEmpty ? nil : self.journal.submit(records)
    }
    do { try await ticket?.durable() } catch { throw Refusal(error) }
  }

  /// Writes that a key of the log follows another.
  ///
  /// - Throws: ``Refusal`` where it cannot be made durable; that it is there already is not an error.
  public func recordKeySuccession(number: Int, old: String, new: String, note: Digest) async throws(Refusal) {
    let lookup = "log-key-\(number)"
    do { if try await self.archive.entry(lookup: lookup) != nil { return } } catch {
      throw Refusal(.storeUnavailable, "The log cannot be read.", context: "\(error)")
    }
    let fields = [
      JSONMember("number", .integer(number)), JSONMember("old", .string(old)), JSONMember("new", .string(new)),
      JSONMember("note_sha256", .string(note.hexadecimal)),
    ]
    do {
      try await self.journal.submit([JournalRecord(LogEntry(.logKey, at: self.now(), fields, lookup: lookup))]).durable()
    } catch { throw Refusal(error) }
  }
}

extension Duration {
  /// Rounded towards zero; held at the largest that fits.
  fileprivate var milliseconds: Int {
    let (seconds, attoseconds) = self.components
    return Int(clamping: Int128(seconds) * 1000 + Int128(attoseconds / 1_000_000_000_000_000))
  }
}
