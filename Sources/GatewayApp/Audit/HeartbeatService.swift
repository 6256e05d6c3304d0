internal import Governance
internal import GovernanceTypes
internal import Logging
internal import ServiceLifecycle

/// Writes that the gateway is alive at an interval, that the clock has jumped where it has, and once a day what is counted of users.
struct HeartbeatService: Service {
  let gate: Gate
  let interval: Duration
  let log: Logger

  @concurrent
  func run() async throws {
    await cancelWhenGracefulShutdown {
      var audienceDay: CalendarDay?
      while !Task.isCancelled {
        if let jump = self.gate.checkClock() {
          self.log.warning("the wall clock has jumped", metadata: ["milliseconds": "\(jump)"])
        }
        do {
          try await self.gate.recordHeartbeat(every: self.interval)
          let day = wallClock().day
          if day != audienceDay {
            try await self.gate.recordAudience()
            audienceDay = day
          }
        } catch {
          self.log.error("the heartbeat could not be written; it is tried again", metadata: ["error": "\(error)"])
        }
        do { try await Task.sleep(for: self.interval) } catch { return }
      }
    }
  }
}
