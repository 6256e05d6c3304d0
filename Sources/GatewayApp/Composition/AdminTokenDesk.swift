internal import AdminHTTP
internal import AdminTokens
internal import AsyncHTTPClient
internal import Governance
internal import GovernanceTypes
internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// Lets holders of an identity provider's tokens into the admin API, and keeps the provider's keys at hand.
///
/// Keys are read anew after a while, and at once where a token names one that is not known; while they cannot be had those from before
/// are used.
actor AdminTokenDesk {
  private let settings: GatewayConfiguration.AdminTokens
  private let log: Logger
  private var keys: TokenKeys?
  private var triedAt: ContinuousClock.Instant?

  private static let lifetime = Duration.seconds(300)
  /// Whoever sends tokens of made-up keys does not make the provider answer more often than this.
  private static let pause = Duration.seconds(15)
  private static let timeout = TimeAmount.seconds(10)
  private static let byteLimit = 256 << 10

  init(_ settings: GatewayConfiguration.AdminTokens, log: Logger) {
    self.settings = settings
    self.log = log
  }

  /// Reads the keys for the first time. A file must be there; a server may come later.
  func open() async throws {
    self.triedAt = .now
    do {
      self.keys = try await self.read()
    } catch {
      guard self.settings.isRemote else { throw StartFailure("server.admin_tokens.keys: \(self.settings.keys): \(error)") }
      self.note(error)
    }
  }

  func holder(of token: String) async throws -> AdminHolder {
    await self.refresh(after: Self.lifetime)
    do {
      return try await self.look(at: token)
    } catch let fault as TokenFault where fault.isUnknownKey {
      await self.refresh(after: Self.pause)
    } catch let fault as TokenFault {
      throw Self.refusal(fault)
    }
    do {
      return try await self.look(at: token)
    } catch let fault as TokenFault {
      throw Self.refusal(fault)
    }
  }

  private func look(at token: String) async throws -> AdminHolder {
    guard let keys = self.keys else {
      throw Refusal(
        .overloaded, "The keys of the identity provider cannot be had now. Retry in a moment.", retryAfter: Self.pause)
    }
    let holder = try await self.settings.policy.holder(of: token, keys: keys, at: wallClock())
    return AdminHolder(actor: Actor("token:" + holder.subject), roles: holder.roles)
  }

  private static func refusal(_ fault: TokenFault) -> Refusal {
    Refusal(.invalidAPIKey, "The token is not taken: \(fault).")
  }

  private func refresh(after age: Duration) async {
    if let triedAt, ContinuousClock.now - triedAt < age { return }
    self.triedAt = .now
    do {
      self.keys = try await self.read()
    } catch {
      self.note(error)
    }
  }

  private func note(_ error: any Error) {
    self.log.warning(
      "the keys of the identity provider cannot be read", metadata: ["keys": "\(self.settings.keys)", "reason": "\(error)"])
  }

  private func read() async throws -> TokenKeys {
    let text = self.settings.isRemote ? try await self.fetch() : try readFile(self.settings.keys)
    return try await TokenKeys(text, for: self.settings.policy.algorithms)
  }

  private func fetch() async throws -> [UInt8] {
    let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: self.settings.keys), timeout: Self.timeout)
    guard response.status == .ok else { throw StartFailure("the provider answered \(response.status.code)") }
    return Array(buffer: try await response.body.collect(upTo: Self.byteLimit))
  }
}
