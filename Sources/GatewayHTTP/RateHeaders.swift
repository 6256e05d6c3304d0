internal import HTTPTypes
internal import Hummingbird
internal import UsageLedger

extension Response {
  /// OpenAI's rate headers; a rate that nobody limits has none.
  mutating func addRates(_ rates: RateState) {
    if let requests = rates.requests {
      self.headers[.rateLimitRequests] = String(requests.limit)
      self.headers[.rateRemainingRequests] = String(requests.remaining)
      self.headers[.rateResetRequests] = clientDuration(requests.reset)
    }
    if let tokens = rates.tokens {
      self.headers[.rateLimitTokens] = String(tokens.limit)
      self.headers[.rateRemainingTokens] = String(tokens.remaining)
      self.headers[.rateResetTokens] = clientDuration(tokens.reset)
    }
  }
}

/// Whole seconds in the form that clients of OpenAI parse: `0s`, `59s`, `1m0s`.
func clientDuration(_ duration: Duration) -> String {
  let seconds = duration.components.seconds
  return seconds < 60 ? "\(seconds)s" : "\(seconds / 60)m\(seconds % 60)s"
}
