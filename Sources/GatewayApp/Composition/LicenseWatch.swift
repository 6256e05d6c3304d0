internal import Governance
internal import GovernanceTypes
internal import Logging
internal import ServiceLifecycle

/// Does from time to time what no request asks for: unloads models whose license has ended on a day that has come, and destroys the
/// counting keys that have been kept for their time.
struct LicenseWatch: Service {
  let gate: Gate
  let engines: EngineRoom
  let keys: AudienceKeys
  let log: Logger

  static let interval = Duration.seconds(5)

  @concurrent
  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        await self.look()
        // Cancelled when the gateway is told to stop: then there is nothing more to wait for.
        try? await Task.sleep(for: Self.interval)
      }
    }
  }

  func look() async {
    self.engines.unloadEnded(of: self.gate, log: self.log)
    do {
      for month in try self.keys.destroyExpired(at: wallClock()) {
        try await self.gate.recordKeyDestruction(of: month)
        self.log.notice("destroyed the counting key of a month", metadata: ["month": "\(month)"])
      }
    } catch {
      self.log.error("a counting key that is due could not be destroyed", metadata: ["error": "\(error)"])
    }
  }
}
