internal import NIOSSL

/// Whose certificates a server's own is checked against, its name included.
public struct UpstreamTrust: Sendable {
  /// Why a file gives no authorities.
  public struct Unusable: Error, CustomStringConvertible {
    public let description: String
  }

  /// Made once: reading the system's authorities takes milliseconds.
  let context: Result<NIOSSLContext, any Error>

  /// The authorities that the system knows.
  public static let system = UpstreamTrust(context: Result { try NIOSSLContext(configuration: .makeClientConfiguration()) })

  private init(context: Result<NIOSSLContext, any Error>) { self.context = context }

  /// The system's authorities and those of a file: one of the operator's own, or the certificate of one server.
  ///
  /// - Parameter path: of certificates in PEM.
  /// - Throws: ``Unusable`` where the file cannot be read or holds no certificate.
  public init(authorities path: String) throws(Unusable) {
    do {
      let authorities = try NIOSSLCertificate.fromPEMFile(path)
      guard !authorities.isEmpty else { throw Unusable(description: "\(path) holds no certificate in PEM") }
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.additionalTrustRoots = [.certificates(authorities)]
      self.context = .success(try NIOSSLContext(configuration: configuration))
    } catch {
      throw error as? Unusable ?? Unusable(description: "\(path) cannot be read as certificates in PEM: \(error)")
    }
  }
}
