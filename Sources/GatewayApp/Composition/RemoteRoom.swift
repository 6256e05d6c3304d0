internal import Governance
internal import LlamaModel
internal import Logging
internal import ModelFiles
internal import NIOCore
internal import RemoteEngines
internal import ServiceLifecycle
internal import Tokenization

/// The servers that run models for this gateway; as a service it looks after those that rest.
struct RemoteRoom: Service {
  let upstreams: [Upstream]

  private static let probeInterval = Duration.seconds(2)

  init(_ configuration: GatewayConfiguration, environment: [String: String], log: Logger) throws {
    self.upstreams = try configuration.engines.map { engine in
      Upstream(try Self.settings(engine, environment: environment, log: log)) { log.note($0) }
    }
  }

  private static func settings(
    _ engine: GatewayConfiguration.Engine, environment: [String: String], log: Logger
  ) throws -> UpstreamSettings {
    var key: String?
    if let variable = engine.apiKeyVariable {
      key = environment[variable].flatMap { $0.isEmpty ? nil : $0 }
      if key == nil {
        log.warning(
          "the key of an engine is not in the environment; it is asked without one",
          metadata: ["engine": "\(engine.id)", "variable": "\(variable)"])
      }
    }
    var settings = UpstreamSettings(id: engine.id, url: engine.url, apiKey: key)
    settings.timeouts.connect = .seconds(Int64(engine.connectSeconds))
    settings.timeouts.firstByte = .seconds(Int64(engine.firstByteSeconds))
    settings.timeouts.betweenChunks = .seconds(Int64(engine.betweenChunksSeconds))
    settings.timeouts.total = .seconds(Int64(engine.totalSeconds))
    settings.concurrentRequests = engine.concurrentRequests
    settings.failuresToOpen = engine.failuresToOpen
    settings.restSeconds = engine.restSeconds
    settings.countsEachChunk = engine.countsEachChunk
    if let path = engine.authorities {
      do { settings.trust = try UpstreamTrust(authorities: path) } catch {
        throw StartFailure("engine '\(engine.id)': ca_file: \(error)")
      }
    }
    return settings
  }

  /// The engine of a model that the configuration gives to one or more servers.
  func engine(of model: GatewayConfiguration.Model) throws -> RemoteEngine {
    guard let remote = model.remote else { throw StartFailure("model '\(model.id)': there is neither a file nor an engine") }
    let members = remote.members.compactMap { member in
      self.upstreams.first { $0.settings.id == member.engine }.map {
        UpstreamPool.Member(upstream: $0, model: member.model, weight: member.weight)
      }
    }
    return RemoteEngine(
      pool: UpstreamPool(members), contextLength: remote.contextTokens,
      counter: try remote.tokenizer.map { try VocabularyFile.counter($0) }, attempts: remote.attempts)
  }

  /// Servers that are left alone for now.
  var resting: [String] { self.upstreams.filter(\.statistics.isResting).map(\.settings.id) }

  /// Asks resting servers whether they are back, until the process is told to stop.
  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await Task.sleep(for: Self.probeInterval) } catch { return }
        for upstream in self.upstreams { await upstream.probe() }
      }
    }
  }

  /// All exchanges are over by now.
  func shutdown() {
    for upstream in self.upstreams { upstream.close() }
  }
}

/// A vocabulary that counts tokens for a model whose weights are elsewhere.
enum VocabularyFile {
  static func counter(_ path: String) throws -> TextCounter {
    let vocabulary: LlamaVocabulary
    do { vocabulary = try LlamaVocabulary(file: GGUFFile(path: path)) } catch {
      throw StartFailure("the tokenizer \(path) cannot be used: \(error)")
    }
    let tokenizer = vocabulary.tokenizer
    return TextCounter { tokenizer.encode($0, addBOS: false).count }
  }
}

extension Logger {
  fileprivate func note(_ report: UpstreamReport) {
    switch report {
    case .failed(let upstream, let reason, let retried):
      self.warning(
        "a request to an engine failed", metadata: ["engine": "\(upstream)", "reason": "\(reason)", "retried": "\(retried)"])
    case .usageDiffers(let upstream, let category, let reported, let counted, let charged):
      self.warning(
        "an engine reports other usage than was counted here",
        metadata: [
          "engine": "\(upstream)", "category": "\(category)", "reported": "\(reported)", "counted": "\(counted)",
          "charged": "\(charged)",
        ])
    case .rests(let upstream, let seconds):
      self.warning("an engine failed repeatedly and is left alone", metadata: ["engine": "\(upstream)", "seconds": "\(seconds)"])
    case .recovered(let upstream): self.notice("an engine answers again", metadata: ["engine": "\(upstream)"])
    }
  }
}
