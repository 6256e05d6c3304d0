public import Completions
internal import GovernanceTypes
internal import LicenseTerms

/// A prompt as a model's engine would read it.
public struct MeasuredPrompt: Sendable {
  public let tokens: [Int32]
  public let promptTokens: Int
  public let contextLength: Int
}

/// What costs an engine nothing: a key and a known model are asked for, and the license as for any use of the model.
extension Gate {
  /// Counts the tokens of a prompt without running it.
  public func measure(_ request: CompletionRequest, model: String, secret: String) async throws(Refusal) -> MeasuredPrompt {
    let served = try self.servedModel(model, secret: secret)
    do {
      let prompt = try await served.engine.prepare(request)
      return MeasuredPrompt(
        tokens: prompt.tokens, promptTokens: prompt.promptTokens, contextLength: served.engine.contextLength)
    } catch {
      throw Refusal(error)
    }
  }

  /// The text that tokens stand for.
  public func text(of tokens: [Int32], model: String, secret: String) async throws(Refusal) -> String {
    let served = try self.servedModel(model, secret: secret)
    guard let engine = served.engine as? any TokenReadingEngine else {
      throw Refusal(
        .invalidRequest, "The model '\(model)' runs elsewhere, so its tokens are not known here.", parameter: "model")
    }
    do { return try engine.text(of: tokens) } catch { throw Refusal(error) }
  }

  private func servedModel(_ model: String, secret: String) throws(Refusal) -> ServedModel {
    let caller = try self.authenticate(secret, for: .inference)
    guard let served = self.model(ModelID(model)) else {
      throw Refusal(
        .modelNotFound, "The model '\(model)' does not exist here. GET /v1/models lists those that do.", parameter: "model")
    }
    let recorded = self.standing(of: caller.customer.id, model: served, action: served.action)
    guard recorded.standing.verdict == .allow else { throw Refusal(recorded.standing) }
    return served
  }
}
