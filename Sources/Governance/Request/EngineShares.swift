internal import Completions
internal import GovernanceTypes

/// Whose requests may share what an engine computed for the beginning of their prompts.
///
/// A prompt that begins like an earlier one is read faster, and its usage counts cached tokens: whoever shares with others can learn that
/// one of them sent such a beginning.
public enum PrefixSharing: String, Sendable, CaseIterable {
  /// Requests of one customer with one another.
  case customer
  /// All requests for a model.
  case everyone
  case off
}

extension Dossier {
  /// The request as the engine gets it: with the names under which it shares the engine and what the engine remembers. Both are the
  /// gate's; what a caller of the gate had put there is not taken.
  func requestForEngine(_ sharing: PrefixSharing) -> CompletionRequest {
    var request = self.call.request
    let customer = self.caller.customer.id.description
    request.fairnessKey = customer
    switch sharing {
    case .customer: request.cacheScope = "customer:" + customer
    case .everyone: request.cacheScope = "everyone"
    case .off: request.cacheScope = nil
    }
    return request
  }
}
