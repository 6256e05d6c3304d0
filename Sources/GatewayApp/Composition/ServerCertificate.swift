internal import Dispatch
internal import Foundation
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// The certificate of the server, read anew when its files change: a renewal takes effect with the next handshake, without a restart.
///
/// Files that cannot be read, or do not belong together, change nothing: the certificate that was good stays.
final class ServerCertificate: Sendable {
  private struct State {
    var chain: [NIOSSLCertificateSource]
    var key: NIOSSLPrivateKeySource
    var stamp: Stamp
    var lookedAt: ContinuousClock.Instant
    var failure: String?
  }

  /// When the files were changed, and how large they are.
  private struct Stamp: Equatable {
    var changes: [Date?]
    var sizes: [Int?]

    init(_ paths: [String]) {
      let attributes = paths.map { path in
        // A file that is not there has no stamp; reading it says why.
        try? FileManager.default.attributesOfItem(atPath: path)
      }
      self.changes = attributes.map { $0?[.modificationDate] as? Date }
      self.sizes = attributes.map { ($0?[.size] as? NSNumber)?.intValue }
    }
  }

  private static let lookInterval = Duration.seconds(1)
  private let path: String
  private let keyPath: String
  private let state: Mutex<State>

  init(path: String, keyPath: String) throws {
    self.path = path
    self.keyPath = keyPath
    let (chain, key) = try Self.read(path, keyPath)
    self.state = Mutex(State(chain: chain, key: key, stamp: Stamp([path, keyPath]), lookedAt: .now))
  }

  /// Why the newest files are not in use; nil where they are.
  var failure: String? { self.state.withLock { $0.failure } }

  /// A configuration whose handshakes take the newest certificate.
  var configuration: TLSConfiguration {
    let (chain, key) = self.state.withLock { ($0.chain, $0.key) }
    var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
    configuration.minimumTLSVersion = .tlsv12
    configuration.sslContextCallback = { _, promise in
      // Not on the connection's own thread: what goes wrong with a file there would stay in the library's queue of errors, and
      // fail the handshake that only came to look.
      DispatchQueue.global().async {
        let (chain, key) = self.newest()
        var change = NIOSSLContextConfigurationOverride()
        change.certificateChain = chain
        change.privateKey = key
        promise.succeed(change)
      }
    }
    return configuration
  }

  private func newest() -> ([NIOSSLCertificateSource], NIOSSLPrivateKeySource) {
    let now = ContinuousClock.now
    return self.state.withLock { state in
      guard now - state.lookedAt > Self.lookInterval else { return (state.chain, state.key) }
      state.lookedAt = now
      let stamp = Stamp([self.path, self.keyPath])
      guard stamp != state.stamp else { return (state.chain, state.key) }
      state.stamp = stamp
      do {
        (state.chain, state.key) = try Self.read(self.path, self.keyPath)
        state.failure = nil
      } catch {
        state.failure = "\(error)"
      }
      return (state.chain, state.key)
    }
  }

  private static func read(_ path: String, _ keyPath: String) throws -> ([NIOSSLCertificateSource], NIOSSLPrivateKeySource) {
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(path)
      let key = try NIOSSLPrivateKey(file: keyPath, format: .pem)
      guard !chain.isEmpty else { throw StartFailure("\(path) holds no certificate") }
      let sources = chain.map { NIOSSLCertificateSource.certificate($0) }
      // A context is made to see that the two belong together; it fails where they do not.
      _ = try NIOSSLContext(
        configuration: .makeServerConfiguration(certificateChain: sources, privateKey: .privateKey(key)))
      return (sources, .privateKey(key))
    } catch let failure as StartFailure {
      throw failure
    } catch {
      throw StartFailure("the certificate \(path) and its key \(keyPath) cannot be used: \(error)")
    }
  }
}
