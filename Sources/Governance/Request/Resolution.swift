internal import Billing
internal import Completions
internal import GovernanceTypes
internal import Synchronization

extension Gate {
  /// Finds the model and the price in force. A model that is not there or not priced is refused, never served for nothing.
  func resolve(_ call: Call, from caller: Caller) throws(Refusal) -> Dossier {
    let id = ModelID(call.model)
    let (model, price, now) = self.state.withLock { state in
      let now = state.tick(self.environment.now())
      return (state.models[id], state.prices.price(of: id, for: caller.customer.id, at: now), now)
    }
    guard let model else {
      self.counters.request(outcome: Refusal.Code.modelNotFound.rawValue)
      throw Refusal(
        .modelNotFound, "The model '\(call.model)' does not exist here. GET /v1/models lists those that do.", parameter: "model")
    }
    try self.checkDeclarations(call, for: model)
    guard let price else {
      self.counters.request(outcome: Refusal.Code.modelUnpriced.rawValue)
      throw Refusal(
        .modelUnpriced, "The model '\(call.model)' has no price in force, so it cannot be served. The operator can set one.")
    }
    let usage: UsageID = self.makeID(at: now)
    return Dossier(
      call: call, caller: caller, model: model, engine: try self.engine(for: call, of: model, usage: usage), price: price,
      decision: self.makeID(at: now), usage: usage)
  }

  private func engine(
    for call: Call, of model: ServedModel, usage: UsageID
  ) throws(Refusal) -> any CompletionEngine {
    guard let inputs = call.embeddings else {
      guard call.request.answers > 1, !model.engine.answersSeveral else { return model.engine }
      return SeveralAnswers(model.engine, usage: usage)
    }
    guard let engine = model.engine as? any EmbeddingEngine else {
      throw Refusal(.invalidRequest, "The model '\(model.id)' does not make embeddings.", parameter: "model")
    }
    return EmbeddingWork(inputs, engine: engine, contextLength: model.engine.contextLength)
  }

  /// Renders and tokenises the prompt, so that the worst case can be priced.
  func prepare(_ dossier: Dossier) async throws(Refusal) -> PreparedPrompt {
    // A model that was unloaded because its license has ended is refused for that, not for being away.
    if self.state.withLock({ $0.ended.contains(dossier.model.id) }) {
      var asked = dossier
      try await self.askLicense(&asked)
    }
    do {
      return try await dossier.engine.prepare(dossier.requestForEngine(self.policy.prefixSharing))
    } catch {
      throw Refusal(error)
    }
  }
}

extension Refusal {
  init(_ error: CompletionError) {
    let code: Code =
      switch error.code {
      case .invalidRequest: .invalidRequest
      case .contextLengthExceeded: .contextLengthExceeded
      case .overloaded: .overloaded
      case .unavailable: .modelUnavailable
      case .failed: .engineFailed
      }
    self.init(code, error.message, parameter: error.parameter, retryAfter: error.code == .overloaded ? .seconds(1) : nil)
  }
}
