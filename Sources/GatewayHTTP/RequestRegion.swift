public import Governance
public import HTTPTypes
public import Hummingbird

/// Whence the gateway knows where a request comes from: a header that the operator trusts, or one country for all.
public struct RequestRegion: Sendable {
  /// Set by a proxy in front; a client that can reach the gateway past it can say anything.
  public var header: HTTPField.Name?
  public var country: String?

  public init() {}

  /// Takes the place of requests from a header; nil where `name` is no name of a header.
  public init?(header name: String) {
    guard let header = HTTPField.Name(name) else { return nil }
    self.header = header
  }

  public var headerName: String? { self.header?.canonicalName }

  /// What is known of a request beside its body: its place as trusted, and what it says its output is to train.
  public func circumstances(of request: Request) -> RequestCircumstances {
    let target = request.headers[.xWeighbridgeTargetLineage].flatMap { $0.utf8.count <= 64 ? $0 : nil }
    guard let header = self.header else {
      return RequestCircumstances(region: self.country, regionIsConfigured: self.country != nil, trainingTarget: target)
    }
    // More than one value is no answer: one of them is not the proxy's.
    let values = request.headers[values: header]
    return RequestCircumstances(region: values.count == 1 ? values.first : nil, trainingTarget: target)
  }
}
