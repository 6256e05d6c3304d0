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
  /// How many answers to the prompt are wanted, each with the limit above; at least 1.
  public var answers = 1
  /// Texts that end the completion; none of them is part of what is returned.
  public var stop: [String]
  /// The form that the whole text must have.
  public var output: OutputFormat
  /// How many alternatives are reported beside each token's own log-probability; nil reports none at all.
  public var logprobs: Int?
  /// Functions that the model may ask for; they are shown to it by its own chat template.
  public var tools: [ToolDefinition]
  public var toolChoice: ToolChoice
  /// Whether one answer may hold more than one call.
  public var allowsParallelToolCalls: Bool
  /// Requests with the same value may share what was computed for the beginning of their prompts, and so may learn from the time that
  /// a prompt takes whether another began like it; nil shares nothing. Opaque to the engine.
  public var cacheScope: String?
  /// Requests with the same value share one share of a busy engine; those without one share one as well. Opaque to the engine.
  public var fairnessKey: String?

  public init(
    prompt: Prompt, sampling: SamplingParameters = SamplingParameters(), maximumCompletionTokens: Int? = nil,
    stop: [String] = [], output: OutputFormat = .text, logprobs: Int? = nil, tools: [ToolDefinition] = [],
    toolChoice: ToolChoice = .automatic, allowsParallelToolCalls: Bool = true, cacheScope: String? = nil,
    fairnessKey: String? = nil
  ) {
    self.prompt = prompt
    self.sampling = sampling
    self.maximumCompletionTokens = maximumCompletionTokens
    self.stop = stop
    self.output = output
    self.logprobs = logprobs
    self.tools = tools
    self.toolChoice = toolChoice
    self.allowsParallelToolCalls = allowsParallelToolCalls
    self.cacheScope = cacheScope
    self.fairnessKey = fairnessKey
  }
}

public struct ChatMessage: Sendable, Equatable {
  public enum Role: String, Sendable, CaseIterable { case system, user, assistant, tool }
  public var role: Role
  /// Empty for an assistant's turn that only calls tools.
  public var content: String
  /// What an assistant's turn asked for.
  public var toolCalls: [ToolCall]
  /// For a `tool` message: the call that it answers.
  public var toolCallID: String?

  public init(role: Role, content: String, toolCalls: [ToolCall] = [], toolCallID: String? = nil) {
    self.role = role
    self.content = content
    self.toolCalls = toolCalls
    self.toolCallID = toolCallID
  }
}

/// The form of a completion's text. An engine that cannot hold to it refuses the request.
public enum OutputFormat: Sendable, Equatable {
  case text
  /// Any one JSON object.
  case jsonObject
  /// One JSON value that the schema accepts.
  case jsonSchema(JSONSchemaFormat)
}

public struct JSONSchemaFormat: Sendable, Equatable {
  public var name: String
  /// A JSON Schema as JSON text, as the client sent it.
  public var schema: String
  /// Whether a schema that cannot be held to in full is refused. The embedded engine is strict whatever this says.
  public var isStrict: Bool

  public init(name: String, schema: String, isStrict: Bool = true) {
    self.name = name
    self.schema = schema
    self.isStrict = isStrict
  }
}

/// How the next token is drawn. The defaults are OpenAI's; `temperature` 0 is greedy.
public struct SamplingParameters: Sendable, Equatable {
  public var temperature: Float
  public var topP: Float
  /// 0 considers every token.
  public var topK: Int
  /// Leaves out tokens less likely than this share of the likeliest; 0 leaves out none.
  public var minP: Float
  /// Divides the logits of tokens that occur in prompt or completion (multiplies negative ones); 1 changes nothing.
  public var repetitionPenalty: Float
  /// Taken once from the logit of every token that the completion already holds; 0 changes nothing.
  public var presencePenalty: Float
  /// Taken from a token's logit once for each time that the completion holds it; 0 changes nothing.
  public var frequencyPenalty: Float
  /// Added to the logits of these token ids.
  public var logitBias: [Int32: Float]
  /// The same seed, prompt and parameters give the same text, whatever else the engine is doing.
  public var seed: UInt64?

  public init(
    temperature: Float = 1, topP: Float = 1, topK: Int = 0, minP: Float = 0, repetitionPenalty: Float = 1,
    presencePenalty: Float = 0, frequencyPenalty: Float = 0, logitBias: [Int32: Float] = [:], seed: UInt64? = nil
  ) {
    self.temperature = temperature
    self.topP = topP
    self.topK = topK
    self.minP = minP
    self.repetitionPenalty = repetitionPenalty
    self.presencePenalty = presencePenalty
    self.frequencyPenalty = frequencyPenalty
    self.logitBias = logitBias
    self.seed = seed
  }
}
