/// What is asked of an engine, free of any wire format.
public struct CompletionRequest: Sendable, Equatable {
  public enum Prompt: Sendable, Equatable {
    /// Turns to be rendered by the model's own chat template. Control tags inside a turn's text are text, never control.
    case chat([ChatMessage])
    /// Raw text, continued as it stands.
    case text(String)
    /// Token ids, taken as they are.
    case tokens([Int32])
  }

  public var prompt: Prompt
  public var sampling: SamplingParameters
  /// The caller's own limit on completion tokens; nil leaves it to the context.
  public var maximumCompletionTokens: Int?
  /// Texts that end the completion; none of them is part of what is returned.
  public var stop: [String]

  public init(
    prompt: Prompt, sampling: SamplingParameters = SamplingParameters(), maximumCompletionTokens: Int? = nil,
    stop: [String] = []
  ) {
    self.prompt = prompt
    self.sampling = sampling
    self.maximumCompletionTokens = maximumCompletionTokens
    self.stop = stop
  }
}

public struct ChatMessage: Sendable, Equatable {
  public enum Role: String, Sendable, CaseIterable { case system, user, assistant }
  public var role: Role
  public var content: String

  public init(role: Role, content: String) {
    self.role = role
    self.content = content
  }
}

/// How the next token is drawn. The defaults are OpenAI's; `temperature` 0 is greedy.
public struct SamplingParameters: Sendable, Equatable {
  public var temperature: Float
  public var topP: Float
  /// 0 considers every token.
  public var topK: Int
  /// The same seed, prompt and parameters give the same text, whatever else the engine is doing.
  public var seed: UInt64?

  public init(temperature: Float = 1, topP: Float = 1, topK: Int = 0, seed: UInt64? = nil) {
    self.temperature = temperature
    self.topP = topP
    self.topK = topK
    self.seed = seed
  }
}
