public import Documents
public import Governance
internal import GovernanceTypes
public import HTTPTypes
public import Hummingbird
internal import NIOCore
public import OpenAIWire

/// Runs a handler and turns whatever it throws into OpenAI's error object.
public func answering(_ handler: () async throws -> Response) async -> Response {
  do {
    return try await handler()
  } catch let refusal as Refusal {
    if let context = refusal.context { RequestNotes.current?.add(context) }
    return refusal.response
  } catch let error as BodyTooLarge {
    return errorResponse(
      .contentTooLarge,
      WireError(message: "The body has more than \(error.limit) bytes.", type: "invalid_request_error", code: "request_too_large")
    )
  } catch let error as HTTPError {
    return errorResponse(
      error.status,
      WireError(message: error.body ?? error.status.reasonPhrase, type: "invalid_request_error", code: "invalid_request"))
  } catch is CancellationError {
    return errorResponse(
      .serviceUnavailable, WireError(message: "The gateway is shutting down.", type: "server_error", code: "overloaded"),
      mayRetry: true)
  } catch {
    RequestNotes.current?.add("internal error: \(error)")
    return errorResponse(
      .internalServerError,
      WireError(
        message: "Something broke inside the gateway. Tell the operator the request id.", type: "server_error",
        code: "internal_error"))
  }
}

extension Refusal {
  /// The status of each code: the only place where a refusal becomes HTTP.
  public var status: HTTPResponse.Status {
    switch self.code {
    case .invalidAPIKey: .unauthorized
    case .invalidRequest, .contextLengthExceeded: .badRequest
    case .notFound, .modelNotFound: .notFound
    case .conflict, .idempotencyConflict: .conflict
    case .permissionDenied, .licenseNotAccepted, .licenseTerms, .licenseTerminated, .activeUserCapReached, .acceptableUse:
      .forbidden
    case .insufficientCredit, .spendLimitReached, .tokenLimitReached: .init(code: 402, reasonPhrase: "Payment Required")
    case .rateLimitExceeded: .tooManyRequests
    case .modelUnpriced, .modelUnavailable, .overloaded, .storeUnavailable: .serviceUnavailable
    case .engineFailed: .internalServerError
    }
  }

  /// OpenAI's few error types.
  private var type: String {
    switch self.code {
    case .invalidAPIKey: "authentication_error"
    case .permissionDenied: "permission_error"
    case .licenseNotAccepted, .licenseTerms, .licenseTerminated, .activeUserCapReached, .acceptableUse: "license_terms"
    case .insufficientCredit, .spendLimitReached, .tokenLimitReached: "insufficient_quota"
    case .rateLimitExceeded: "rate_limit_error"
    case .modelUnpriced, .modelUnavailable, .overloaded, .storeUnavailable, .engineFailed: "server_error"
    case .invalidRequest, .contextLengthExceeded, .notFound, .modelNotFound, .conflict, .idempotencyConflict:
      "invalid_request_error"
    }
  }

  /// Whether the same request can succeed later without anyone doing anything.
  private var mayRetry: Bool {
    switch self.code {
    case .rateLimitExceeded, .overloaded, .storeUnavailable, .modelUnavailable, .engineFailed: true
    case .idempotencyConflict: self.retryAfter != nil
    default: false
    }
  }

  public var wireError: WireError {
    var extra: [JSONMember] = []
    if let citation = self.citation {
      extra += [
        JSONMember("terms", .string(citation.terms.name)), JSONMember("clause", .string(citation.clause)),
        JSONMember("ref", .string(citation.ref)), JSONMember("fact", JSON(citation.fact)),
        JSONMember("state", JSON(citation.state)),
        JSONMember("remedy", JSON(citation.remedy)),
      ]
    }
    if let decision = self.decision { extra.append(JSONMember("decision_id", .string(decision.description))) }
    return WireError(message: self.message, type: self.type, parameter: self.parameter, code: self.code.rawValue, extra: extra)
  }

  public var response: Response {
    var response = errorResponse(self.status, self.wireError, mayRetry: self.mayRetry)
    if let decision = self.decision { response.headers[.xWeighbridgeDecision] = decision.description }
    if let wait = self.retryAfter {
      let (seconds, attoseconds) = wait.components
      response.headers[.retryAfter] = String(seconds + (attoseconds > 0 ? 1 : 0))
      response.headers[.retryAfterMilliseconds] = String(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
    if let rates = self.rates { response.addRates(rates) }
    if let citation = self.citation { response.headers[.link] = licenseLink(citation.terms) }
    return response
  }
}

func licenseLink(_ terms: TermFileID) -> String { "</legal/licenses/\(terms)>; rel=\"license\"" }

/// - Parameter mayRetry: Whether the same request can succeed later without anyone doing anything.
public func errorResponse(_ status: HTTPResponse.Status, _ error: WireError, mayRetry: Bool = false) -> Response {
  var response = jsonResponse(error.json, status: status)
  response.headers[.xShouldRetry] = mayRetry ? "true" : "false"
  return response
}

/// A response with a JSON body, written as one piece.
public func jsonResponse(_ value: JSON, status: HTTPResponse.Status = .ok) -> Response {
  Response(
    status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.bytes)))
}

public func textResponse(
  _ text: String, type: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok
) -> Response {
  Response(status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
}
